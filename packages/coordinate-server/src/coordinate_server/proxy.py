"""MultiBackendProxyObject: from a method's name to the module that offers it."""

import asyncio
import inspect
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterable
from pathlib import PurePath
from typing import Any

from attrs import define, field

from coordinate_protocol.constants import DISK_FULL
from coordinate_protocol.errors import ProtocolError, RequestError
from coordinate_protocol.messages import Failure, Incoming, Request, Response
from coordinate_server.service.answers import Answer, Delivery
from coordinate_server.service.call import Call, Calls
from coordinate_server.service.committer import Committer
from coordinate_server.service.offers import Module, Offer
from coordinate_server.service.sessions import SessionCalls
from coordinate_server.service.waiting import Handed, Pending
from coordinate_server.store.interface import Shortage

__all__ = ["Backend", "CollisionError", "MultiBackendProxyObject", "Peer"]

_LOG = logging.getLogger("coordinate.server.rpc")


class CollisionError(Exception):
    """Two modules offer an operation of one name."""


class MultiBackendProxyObject:
    """Calls the operations that its modules offer, and nothing else of them.

    Arguments:
        modules: each says what it offers.
        tracebacks: whether the answer to a failed call has a traceback, without paths.
        rpclog: whether every call's name is logged.
        sessions: gives numbered calls their first answer again; None ignores the numbers.
        shortage: gives what the store has too little room for; None for a store without bounds.

    Raises:
        CollisionError: names the operation and both modules.
    """

    def __init__(
        self,
        modules: Iterable[Module],
        *,
        tracebacks: bool = True,
        rpclog: bool = False,
        sessions: SessionCalls | None = None,
        shortage: Callable[[], Shortage | None] = lambda: None,
    ) -> None:
        self._offers: dict[str, Offer] = {}
        self._tracebacks = tracebacks
        self._rpclog = rpclog
        self._sessions = sessions
        self._shortage = shortage
        owners: dict[str, str] = {}
        for module in modules:
            for name, offer in module.offers().items():
                if name in owners:
                    both = f"{owners[name]} and {module.title}"
                    raise CollisionError(f"operation {name!r} is offered by both {both}")
                owners[name] = module.title
                self._offers[name] = offer

    @property
    def operations(self) -> frozenset[str]:
        """The names that can be called."""
        return frozenset(self._offers)

    def call(self, call: Call, request: Request | RequestError) -> Answer | Awaitable[Answer]:
        """Answer one request.

        Arguments:
            call: whose it is, and when.
            request: what is asked; a RequestError is answered with its message.

        Returns:
            The answer, or an awaitable of it where a plug-in takes its time.
        """
        if isinstance(request, RequestError):
            return Failure(request.request_id, str(request))
        if self._rpclog:
            _LOG.debug("request %s %s", request.id, request.method)
        offer = self._offers.get(request.method)
        if offer is None:
            return Failure(request.id, "No such method")
        shortage = self._shortage() if offer.changes else None
        if shortage is not None and _takes_room(offer, shortage):
            return Failure(request.id, shortage.text, DISK_FULL)
        if request.seq is None or self._sessions is None or not offer.changes:
            return self._answer(offer, call, request)
        return self._sessions.once(
            call, request, request.seq, lambda: self._answer(offer, call, request)
        )

    def _answer(self, offer: Offer, call: Call, request: Request) -> Answer | Awaitable[Answer]:
        params = request.params
        try:
            if type(params) is list and offer.least <= len(params) <= offer.most:
                result = offer.function(call, *params)
            else:
                result = self._apply(offer, call, params)
        except Exception as error:  # noqa: BLE001 - whatever a call raises is its answer
            return Failure(request.id, self._described(error))
        if isinstance(result, Pending):
            return result.mapped(lambda value: self._result(request.id, value))
        # Of what the catalogue names nothing else is awaited, and to ask costs a microsecond.
        if offer.operation is None and inspect.isawaitable(result):
            return self._awaited(request.id, result)
        return self._result(request.id, result)

    def _result(self, request_id: int, result: Any) -> Answer:
        if isinstance(result, Handed):
            return Delivery(request_id, result.value, result.undelivered, result.rest)
        if isinstance(result, Exception):
            return Failure(request_id, self._described(result))
        return Response(request_id, result)

    def _apply(self, offer: Offer, call: Call, params: list[Any] | dict[str, Any]) -> Any:
        if offer.operation is None:
            return _call_plugin(offer, call, params)
        return offer.function(call, **_bound(offer.operation.bind, params))

    async def _awaited(self, request_id: int, result: Awaitable[Any]) -> Answer:
        try:
            return Response(request_id, await result)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            # Only a plug-in's own one is its answer; ours ends the call.
            if task is not None and task.cancelling():
                raise
            return Failure(request_id, self._described(error))
        # A plug-in that says SystemExit or KeyboardInterrupt must not end the server.
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - it is the answer
            return Failure(request_id, self._described(error))

    def _described(self, error: BaseException) -> str:
        """0.1.5 answers with the repr, a newline, and the formatted traceback."""
        said = _repr(error)
        expected = isinstance(error, _BadParameters | ProtocolError)
        if expected or not self._tracebacks:
            return said
        return f"{said}\n{_traceback(error, said)}"


def _takes_room(offer: Offer, shortage: Shortage) -> bool:
    """Whether an operation is not to be done while there is so little room."""
    room = "keeps" if offer.operation is None else offer.operation.room
    return room == "adds" or (room == "keeps" and shortage.dire)


class _BadParameters(TypeError):
    """The parameters do not fit; nothing was called, so there is no traceback worth showing."""


def _bound(
    bind: Callable[[list[Any] | dict[str, Any]], dict[str, Any]], params: list[Any] | dict[str, Any]
) -> dict[str, Any]:
    try:
        return bind(params)
    except TypeError as error:
        raise _BadParameters(str(error)) from error


def _call_plugin(offer: Offer, call: Call, params: list[Any] | dict[str, Any]) -> Any:
    args = params if isinstance(params, list) else ()
    kwargs = params if isinstance(params, dict) else {}
    if offer.signature is not None:
        try:
            offer.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise _BadParameters(f"{offer.name}: {error}") from error
    return offer.function(call, *args, **kwargs)


def _repr(error: BaseException) -> str:
    if isinstance(error, _BadParameters):
        return f"TypeError({str(error)!r})"
    if isinstance(error, OSError):
        # Its arguments may hold a path of this machine.
        return f"{type(error).__name__}({error.errno!r}, {error.strerror!r})"
    return repr(error)


def _traceback(error: BaseException, said: str) -> str:
    frames = [
        f'  File "{PurePath(frame.filename).name}", line {frame.lineno}, in {frame.name}\n'
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return "".join(["Traceback (most recent call last):\n", *frames, said, "\n"])


@define
class Peer:
    """One connection's way to the operations.

    Arguments:
        proxy: calls them.
        calls: gives the moment.
        call: this connection's state.
    """

    _proxy: MultiBackendProxyObject
    _calls: Calls
    _call: Call

    def answers(self, incoming: Incoming) -> list[Answer | Awaitable[Answer]]:
        """Answer each request of a message, in order."""
        call = self._call
        call.at = self._calls.clock.instant()
        call.native_bytes = incoming.native_bytes
        return [self._proxy.call(call, request) for request in incoming.requests]

    def closed(self) -> None:
        """Take note that the connection is gone."""
        self._call.at = self._calls.clock.instant()
        self._call.join(None)


@define
class Backend:
    """What the network talks to: peers, and the end of the group commit.

    Arguments:
        proxy: calls the operations.
        calls: makes the state of each connection.
        committer: holds replies back until they are durable.
    """

    proxy: MultiBackendProxyObject
    calls: Calls
    committer: Committer = field(repr=False)

    def open(self) -> Peer:
        """Begin with a new connection."""
        return Peer(self.proxy, self.calls, self.calls.open())

    def after_commit(self, send: Callable[[], None]) -> None:
        """Have ``send`` called once everything applied so far is durable."""
        self.committer.reply_after_commit(send)
