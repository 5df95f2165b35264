"""Connections of clients to the server in memory."""

from coordinate_client.settings import Address
from coordinate_client.testing.server import Connection, FakeServer
from coordinate_client.transport_async import AsyncTransport
from coordinate_client.transport_async import Connect as AsyncConnect
from coordinate_client.transport_sync import Connect, Transport

__all__ = ["async_connect_to", "connect_to"]


class _Pipe:
    """What was answered and not received yet; the server answers at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._answers = b""

    def put(self, data: bytes) -> None:
        self._answers += self._connection.answer(data)

    def take(self) -> bytes:
        answers, self._answers = self._answers, b""
        return answers


class MemoryTransport(Transport):
    """A blocking client's connection, which never blocks."""

    def __init__(self, connection: Connection) -> None:
        """Begin.

        Args:
            connection: the server's end.
        """
        self._pipe = _Pipe(connection)

    def send(self, data: bytes) -> None:
        """Have the server answer."""
        self._pipe.put(data)

    def receive(self, seconds: float) -> bytes:
        """What it answered."""
        del seconds
        return self._pipe.take()

    def interrupt(self) -> None:
        """Do nothing: nobody waits."""

    def drop(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


class AsyncMemoryTransport(AsyncTransport):
    """An asyncio client's connection, which never waits."""

    def __init__(self, connection: Connection) -> None:
        """Begin.

        Args:
            connection: the server's end.
        """
        self._pipe = _Pipe(connection)

    async def send(self, data: bytes) -> None:
        """Have the server answer."""
        self._pipe.put(data)

    async def receive(self, seconds: float) -> bytes:
        """What it answered."""
        del seconds
        return self._pipe.take()

    def interrupt(self) -> None:
        """Do nothing: nobody waits."""

    def drop(self) -> None:
        """Do nothing: there is nothing to let go of."""

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


def connect_to(server: FakeServer) -> Connect:
    """A blocking client's way to a server in memory, as its `connect`."""

    def connect(address: Address, connect_seconds: float, response_seconds: float) -> Transport:
        del address, connect_seconds, response_seconds
        return MemoryTransport(server.open())

    return connect


def async_connect_to(server: FakeServer) -> AsyncConnect:
    """An asyncio client's way to a server in memory, as its `connect`."""

    async def connect(
        address: Address, connect_seconds: float, response_seconds: float
    ) -> AsyncTransport:
        del address, connect_seconds, response_seconds
        return AsyncMemoryTransport(server.open())

    return connect
