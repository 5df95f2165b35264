"""One connection to one server, from its greeting to its end."""

from typing import Any

from coordinate_client._version import __version__
from coordinate_client.exceptions import InvalidAnswer, ProgrammerError, RpcError
from coordinate_client.server import Server, greeting, says_no_such_method, session_of
from coordinate_client.transport_async import AsyncTransport
from coordinate_protocol.connection import ClientConnection
from coordinate_protocol.errors import ProtocolError
from coordinate_protocol.messages import Failure, Response

__all__ = ["AsyncLink"]

_CLOSED = "the connection was closed"


class AsyncLink:
    """A connection on which one call at a time is made.

    Attributes:
        server: what the greeting told of the server; None before it, and for one of 0.1.5.
        session: the name of the session that the connection is in; None for none.
    """

    def __init__(self, transport: AsyncTransport) -> None:
        """Start on a fresh connection.

        Args:
            transport: nothing has been sent on it.
        """
        self.server: Server | None = None
        self.session: bytes | None = None
        self._transport = transport
        self._protocol = ClientConnection()

    async def greet(
        self, namespace: str | None, session: bytes | bool | None, seconds: float
    ) -> None:
        """Say hello; a server of 0.1.5 does not know the word, and goes on in its own namespace.

        Args:
            namespace: where to work; None for the server's own.
            session: the name of the session to go on with, True to open one, None for none.
            seconds: how long the server may be silent.

        Raises:
            RpcError: where the server refuses.
            OSError: where the connection breaks.
        """
        request = self.request("hello", [greeting(__version__, namespace, session)])
        answer = await self.exchange(*request, seconds)
        if isinstance(answer, Response):
            self.server = Server.of(answer.result)
            self.session = session_of(answer.result)
        elif not says_no_such_method("hello", answer.message):
            raise RpcError("hello", answer.message, answer.code)

    def request(
        self, method: str, params: list[Any] | dict[str, Any], seq: int | None = None
    ) -> tuple[int, bytes]:
        """The bytes of a call, and its id.

        Args:
            method: the operation's name.
            params: by position or by name.
            seq: its number within the session; None for none.

        Raises:
            ProgrammerError: for a parameter that cannot be sent.
        """
        try:
            # Within a session one call is made at a time: all before it were answered or given up.
            return self._protocol.request(method, params, seq=seq, low=seq or 1)
        except ProtocolError as error:
            raise ProgrammerError(f"{method}: {error}") from error

    async def exchange(self, request_id: int, data: bytes, seconds: float) -> Response | Failure:
        """Send a call and wait for its answer.

        Args:
            request_id: the call's.
            data: its bytes.
            seconds: how long the server may be silent.

        Raises:
            InvalidAnswer: for anything but the answer to this call.
            OSError: where the connection breaks.
        """
        await self._transport.send(data)
        while True:
            received = await self._transport.receive(seconds)
            if not received:
                raise ConnectionResetError(_CLOSED)
            answer = self._answer(request_id, received)
            if answer is not None:
                return answer

    def _answer(self, request_id: int, received: bytes) -> Response | Failure | None:
        try:
            answer = self._protocol.answer(received)
        except ProtocolError as error:
            raise InvalidAnswer(f"the server's answer cannot be read: {error}") from error
        # A failure without an id is the server's last word before it closes the connection.
        if answer is None or answer.id == request_id:
            return answer
        if isinstance(answer, Failure) and answer.id is None:
            return answer
        raise InvalidAnswer(f"the server answered call {answer.id!r} instead of {request_id!r}")

    def interrupt(self) -> None:
        """Have the call that waits for its answer wait no longer; other threads may say so."""
        self._transport.interrupt()

    def drop(self) -> None:
        """Let go of the connection at once."""
        self._transport.drop()

    async def close(self) -> None:
        """End the connection in good order."""
        await self._transport.close()
