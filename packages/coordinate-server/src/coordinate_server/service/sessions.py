"""A session's calls: each is done once, however often it is sent."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from attrs import define, evolve, field

from coordinate_protocol.codec import encode
from coordinate_protocol.constants import OUTCOME_UNKNOWN
from coordinate_protocol.errors import ProtocolError
from coordinate_protocol.messages import Failure, Request, Response
from coordinate_protocol.values import Encoded
from coordinate_server.model import Model
from coordinate_server.model.errors import Refused
from coordinate_server.model.sessions import Forgotten, Session
from coordinate_server.service.answers import Answer, Delivery
from coordinate_server.service.call import Call
from coordinate_server.service.clock import Clock
from coordinate_server.service.waiting import Pending

__all__ = ["SessionCalls"]

Do = Callable[[], Answer | Awaitable[Answer]]


@define(eq=False)
class _Running:
    """A call that goes on, and where its answer is waited for.

    Arguments:
        asked: what the newest connection that asked waits on.
        request_id: the id of the request by which that asked.
    """

    asked: Pending
    request_id: int


@define
class SessionCalls:
    """Gives a repeated call its first answer.

    Arguments:
        model: where answers are kept, with the changes that they tell of.
        clock: gives the moment.
    """

    model: Model
    clock: Clock
    _running: dict[tuple[bytes, int], _Running] = field(factory=dict, init=False)

    def once(self, call: Call, request: Request, seq: int, do: Do) -> Answer | Awaitable[Answer]:
        """Answer a numbered call, by doing it if it was not done.

        Arguments:
            call: whose it is.
            request: the call.
            seq: its number.
            do: does it.
        """
        session = call.session
        if session is None:
            return Failure(request.id, "a seq needs a session: say hello with the option session")
        if call.native_bytes:
            # An answer is kept as it went out, and that of a client of byte strings is another one.
            return Failure(request.id, "a seq needs a request whose strings are text")
        running = self._running.get((session.name, seq))
        if running is not None:
            return self._move(running, request)
        try:
            reply = self.model.sessions.answered(call.at, session, seq, request.low)
        except Forgotten as error:
            return Failure(request.id, str(error), OUTCOME_UNKNOWN)
        except Refused as error:
            return Failure(request.id, str(error))
        if reply is not None:
            return _read(request.id, reply)
        return self._first(session, request, seq, do)

    def _first(
        self, session: Session, request: Request, seq: int, do: Do
    ) -> Answer | Awaitable[Answer]:
        answer = do()
        if isinstance(answer, Response | Failure):
            return self._keep(session, seq, answer)
        if isinstance(answer, Pending):
            return self._run(session, request, seq, answer)
        # It may change things at any time from now on, so it must not begin again.
        self.model.sessions.keep(self.clock.instant(), session, seq, None)
        return self._run(session, request, seq, _settled_by(answer, request), lasting=True)

    def _run(
        self, session: Session, request: Request, seq: int, inner: Pending, *, lasting: bool = False
    ) -> Pending:
        """Have a call go on; one that lasts does so whether anybody waits for it or not."""
        place = session.name, seq

        def done(answer: Answer) -> None:
            running = self._running.pop(place)
            kept = self._keep(session, seq, answer)
            running.asked.settle(evolve(kept, id=running.request_id))

        def abandon() -> None:
            if not lasting and self._running.pop(place, None) is not None:
                inner.abandon()

        running = _Running(Pending(abandon, inner.expire), request.id)
        self._running[place] = running
        inner.then(done)
        return running.asked

    def _move(self, running: _Running, request: Request) -> Pending:
        """Have the answer go to who asked last."""
        before, before_id = running.asked, running.request_id
        running.asked, running.request_id = before.moved(), request.id
        before.settle(Failure(before_id, "the call was sent again on another connection"))
        return running.asked

    def _keep(self, session: Session, seq: int, answer: Answer) -> Answer:
        sessions, at = self.model.sessions, self.clock.instant()
        try:
            reply = _written(answer)
        except ProtocolError as error:
            answer = Failure(answer.id, f"the result cannot be sent: {error}")
            reply = _written(answer)
        sessions.keep(at, session, seq, reply)
        if not isinstance(answer, Delivery):
            return _read(answer.id, reply)
        return Delivery(answer.id, _result(reply), lambda: self._undo(session, seq, answer))

    def _undo(self, session: Session, seq: int, answer: Delivery) -> None:
        """Have what was handed out not be so; the rest of the call stays done."""
        if not self.model.sessions.undo(session, seq):
            return
        answer.undelivered()
        if answer.rest is not None:
            rest = _written(Response(answer.id, answer.rest))
            self.model.sessions.keep(self.clock.instant(), session, seq, rest)


# What a kept answer begins with.
_RESULT: Final = b"\x00"
_FAILURE: Final = b"\x01"


def _written(answer: Answer) -> bytes:
    if isinstance(answer, Failure):
        return _FAILURE + answer.message.encode(errors="replace")
    return _RESULT + encode(answer.result)


def _result(reply: bytes) -> Encoded:
    return Encoded(reply[len(_RESULT) :])


def _read(request_id: int | None, reply: bytes) -> Answer:
    if reply.startswith(_FAILURE):
        return Failure(request_id, reply[len(_FAILURE) :].decode())
    return Response(request_id, _result(reply))


def _settled_by(answer: Awaitable[Answer], request: Request) -> Pending:
    """Give what settles when an awaitable does."""
    pending = Pending()
    task = asyncio.ensure_future(answer)

    def ended(task: "asyncio.Future[Any]") -> None:
        if task.cancelled():
            pending.settle(Failure(request.id, "the call was cancelled"))
        else:
            pending.settle(task.exception() or task.result())

    task.add_done_callback(ended)
    return pending
