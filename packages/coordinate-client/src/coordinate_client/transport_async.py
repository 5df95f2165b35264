"""The asyncio shell: streams, a lock, and what else differs from the blocking one."""

import asyncio
import os
from asyncio import Lock, sleep
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from coordinate_client.calls import Call
from coordinate_client.keepalive import keep_alive
from coordinate_client.settings import Address

__all__ = [
    "Ask",
    "AsyncTransport",
    "Attempt",
    "Connect",
    "Lock",
    "Sleep",
    "connect",
    "current_owner",
    "settled",
    "sleep",
]

_CHUNK = 256 * 1024
Sleep = Callable[[float], Awaitable[None]]
Connect = Callable[[Address, float, float], Awaitable["AsyncTransport"]]
# Asks once; told whether the server is to wait with its answer.
Ask = Callable[[bool], Awaitable[Any]]
# Makes a call on whatever connection there is.
Attempt = Callable[[Call], Awaitable[Any]]


class AsyncTransport:
    """A pair of streams."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
    ) -> None:
        """Take over streams.

        Args:
            reader: what comes.
            writer: what goes.
            seconds: how long each send may take.
        """
        self._reader = reader
        self._writer = writer
        self._seconds = seconds

    async def send(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            OSError: where that does not work, or takes too long.
        """
        self._writer.write(data)
        if not self._writer.transport.get_write_buffer_size():
            # All of it has gone: a time limit would take longer than the rest.
            return
        async with asyncio.timeout(self._seconds):
            await self._writer.drain()

    async def receive(self, seconds: float) -> bytes:
        """The next bytes; none where the connection was closed, by either side.

        Args:
            seconds: how long that may take.

        Raises:
            OSError: where that does not work, or takes too long.
        """
        async with asyncio.timeout(seconds):
            return await self._reader.read(_CHUNK)

    def interrupt(self) -> None:
        """Have whoever waits for bytes wait no longer."""
        self.drop()

    def drop(self) -> None:
        """Let go at once; a loop that has ended has let go already."""
        with suppress(RuntimeError):
            self._writer.transport.abort()

    async def close(self) -> None:
        """Say good-bye and let go."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


async def connect(
    address: Address, connect_seconds: float, response_seconds: float
) -> AsyncTransport:
    """Connect to a server.

    Args:
        address: where it is.
        connect_seconds: how long that may take.
        response_seconds: how long each later send may take.

    Raises:
        OSError: where it does not work.
    """
    try:
        async with asyncio.timeout(connect_seconds):
            reader, writer = await asyncio.open_connection(address.host, address.port)
    except UnicodeError as error:
        raise OSError(f"{address.host!r} is not a host name") from error
    keep_alive(writer.get_extra_info("socket"))
    return AsyncTransport(reader, writer, response_seconds)


def current_owner() -> object:
    """Whose a connection made now is: it cannot outlive its event loop or cross a fork."""
    return os.getpid(), asyncio.get_running_loop()


async def settled(value: Any) -> Any:
    """The result of a run function, plain or coroutine."""
    return await value if hasattr(value, "__await__") else value
