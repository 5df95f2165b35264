"""The two ends of a connection, without its socket: bytes in, messages out, and the other way."""

from collections.abc import Iterator, Sequence
from typing import Any

from coordinate_protocol.codec import encode
from coordinate_protocol.errors import ProtocolError
from coordinate_protocol.framing import Frame, Framer, sole_payload, wrap
from coordinate_protocol.limits import ANSWER_LIMITS, DEFAULT_LIMITS, Limits
from coordinate_protocol.messages import (
    Failure,
    Incoming,
    Response,
    answer_bytes,
    answers_in,
    parse_answers,
    parse_incoming,
    request_value,
)

__all__ = ["ClientConnection", "ServerConnection"]


class ServerConnection:
    """The server's end: give it what came, answer what it gives, send the bytes it makes."""

    __slots__ = ("_framer", "_limits")

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Start before the first message.

        Args:
            limits: what is accepted from the client.
        """
        self._limits = limits
        self._framer = Framer(limits)

    @property
    def buffered(self) -> int:
        """Bytes of a message that is not complete yet; above 0, one has begun."""
        return self._framer.buffered

    def receive(self, data: bytes) -> Iterator[Incoming]:
        """Take what came, and give what it asks for.

        Args:
            data: the next bytes, in whatever pieces they come.

        Returns:
            The complete messages, one at a time. Answer each with `reply`.

        Raises:
            ProtocolError: when the stream cannot be followed any further, after the messages
                before that point. Send what `refusal` makes of it, then close.
        """
        payload = None if self._framer.buffered else sole_payload(data, self._limits)
        if payload is not None:
            return iter((parse_incoming(Frame(payload, wrapped=True), self._limits),))
        self._framer.feed(data)
        return self._received()

    def _received(self) -> Iterator[Incoming]:
        for frame in self._framer.frames():
            yield parse_incoming(frame, self._limits)

    def eof(self) -> None:
        """Say that the client sends no more.

        Raises:
            DecodeError: where its bytes end within a message.
        """
        self._framer.eof()

    def reply(self, incoming: Incoming, answers: Sequence[Response | Failure]) -> bytes:
        """The bytes that answer a message, in its own style.

        Args:
            incoming: the message.
            answers: one for each of its requests, in their order.

        Returns:
            What to send; a result that cannot be sent is replaced by a Failure that says so.

        Raises:
            ValueError: for a wrong number of answers.
        """
        if len(answers) != len(incoming.requests):
            raise ValueError(f"{len(answers)} answers to {len(incoming.requests)} requests")
        return answer_bytes(
            answers,
            batch=incoming.batch,
            wrapped=incoming.wrapped,
            native_bytes=incoming.native_bytes,
        )

    def refusal(self, error: ProtocolError, request_id: int | None = None) -> bytes:
        """The last bytes on a connection that cannot go on: say why, then close.

        Args:
            error: what was wrong.
            request_id: the id of the request that it was wrong with, where that is known.

        Returns:
            A failure in text style, wrapped, as every client can read it.
        """
        failure = Failure(request_id, str(error))
        return answer_bytes((failure,), batch=False, wrapped=True, native_bytes=False)


class ClientConnection:
    """The client's end: send the bytes it makes, give it what comes, match the ids.

    Answers to requests that were sent one after the other may come in any order.
    """

    __slots__ = ("_framer", "_last_id", "_limits")

    def __init__(self, limits: Limits = ANSWER_LIMITS) -> None:
        """Start before the first request; ids count from 1.

        Args:
            limits: what is accepted from the server.
        """
        self._limits = limits
        self._framer = Framer(limits)
        self._last_id = 0

    @property
    def buffered(self) -> int:
        """Bytes of an answer that is not complete yet."""
        return self._framer.buffered

    def request(
        self,
        method: str,
        params: list[Any] | dict[str, Any],
        *,
        seq: int | None = None,
        low: int = 1,
    ) -> tuple[int, bytes]:
        """The bytes of one request.

        Args:
            method: the operation's name.
            params: positional as a list, by keyword as a dict.
            seq: its number within the connection's session; None for none.
            low: the lowest number in the session that no answer came to.

        Returns:
            Its id, and what to send.

        Raises:
            EncodeError: for a parameter that cannot be sent; the id is then not used.
        """
        request_id = self._last_id + 1
        data = wrap(encode(request_value(request_id, method, params, seq=seq, low=low)))
        self._last_id = request_id
        return request_id, data

    def batch(
        self, calls: Sequence[tuple[str, list[Any] | dict[str, Any]]]
    ) -> tuple[list[int], bytes]:
        """The bytes of many requests in one message; their answers come in one, in this order.

        Args:
            calls: (method, params) of each.

        Returns:
            Their ids, and what to send.

        Raises:
            ValueError: for no calls at all, which a server refuses.
            EncodeError: for a parameter that cannot be sent.
        """
        if not calls:
            raise ValueError("batch of 0 requests: it must have at least one")
        ids = list(range(self._last_id + 1, self._last_id + 1 + len(calls)))
        values = [request_value(key, *call) for key, call in zip(ids, calls, strict=True)]
        data = wrap(encode(values))
        self._last_id = ids[-1]
        return ids, data

    def receive(self, data: bytes) -> Iterator[Response | Failure]:
        """Take what came, and give the answers in it.

        Args:
            data: the next bytes, in whatever pieces they come.

        Returns:
            The answers, those of a batch in its order. One without an id is the server's last
            word: it closes the connection. Of a 0.1.5 server, which sends byte strings, the map
            keys are made text, and other values are as they came.

        Raises:
            ProtocolError: when the stream cannot be followed: close.
        """
        self._framer.feed(data)
        for frame in self._framer.frames():
            yield from parse_answers(frame, self._limits)

    def answer(self, data: bytes) -> Response | Failure | None:
        """Take what came, where one answer is due: it, or None while it is not complete.

        Args:
            data: as for `receive`, which says the rest, too.
        """
        payload = None if self._framer.buffered else sole_payload(data, self._limits)
        if payload is None:
            return next(self.receive(data), None)
        answers = answers_in(payload, self._limits)
        return answers[0] if answers else None

    def eof(self) -> None:
        """Say that the server sends no more.

        Raises:
            DecodeError: where its bytes end within an answer.
        """
        self._framer.eof()
