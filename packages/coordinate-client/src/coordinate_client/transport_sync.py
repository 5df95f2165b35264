"""The blocking shell: sockets, a lock, and what else differs from the asyncio one."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from coordinate_client.calls import Call
from coordinate_client.exceptions import ProgrammerError
from coordinate_client.keepalive import keep_alive
from coordinate_client.settings import Address

if TYPE_CHECKING:
    from socket import socket

__all__ = [
    "Ask",
    "Attempt",
    "Connect",
    "Lock",
    "Sleep",
    "Transport",
    "connect",
    "current_owner",
    "settled",
    "sleep",
]

# From 128 KiB on, the C library gets the memory of each read from the system and gives it back,
# which is more than all else that a short call costs.
_CHUNK = 64 * 1024
Sleep = Callable[[float], None]
Connect = Callable[[Address, float, float], "Transport"]
# Asks once; told whether the server is to wait with its answer.
Ask = Callable[[bool], Any]
# Makes a call on whatever connection there is.
Attempt = Callable[[Call], Any]
sleep: Sleep = time.sleep


class Transport:
    """A connected socket."""

    def __init__(self, sock: "socket", seconds: float) -> None:
        """Take over a socket.

        Args:
            sock: it is connected.
            seconds: how long each send may take.
        """
        self._socket = sock
        self._seconds = seconds
        self._allowed: float | None = None

    def send(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            OSError: where that does not work, or takes too long.
        """
        if self._allowed != self._seconds:
            self._allow(self._seconds)
        self._socket.sendall(data)

    def receive(self, seconds: float) -> bytes:
        """The next bytes; none where the connection was closed, by either side.

        Args:
            seconds: how long that may take.

        Raises:
            OSError: where that does not work, or takes too long.
        """
        if self._allowed != seconds:
            self._allow(seconds)
        return self._socket.recv(_CHUNK)

    def _allow(self, seconds: float) -> None:
        """Say how long things may take from now on: a call to the system each time."""
        self._socket.settimeout(seconds)
        self._allowed = seconds

    def interrupt(self) -> None:
        """Have the thread that waits for bytes wait no longer; it lets go of the socket itself."""
        with suppress(OSError):
            self._socket.shutdown(2)

    def drop(self) -> None:
        """Let go at once; a parent process that shares the socket keeps its connection."""
        self._socket.close()

    def close(self) -> None:
        """Say good-bye and let go."""
        self.interrupt()
        self._socket.close()


def connect(address: Address, connect_seconds: float, response_seconds: float) -> Transport:
    """Connect to a server.

    Args:
        address: where it is.
        connect_seconds: how long that may take.
        response_seconds: how long each later send may take.

    Raises:
        OSError: where it does not work.
    """
    import socket

    try:
        sock = socket.create_connection((address.host, address.port), connect_seconds)
    except UnicodeError as error:
        raise OSError(f"{address.host!r} is not a host name") from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    keep_alive(sock)
    return Transport(sock, response_seconds)


def current_owner() -> object:
    """Whose a connection made now is: a forked child must not use its parent's."""
    return os.getpid()


def settled(value: Any) -> Any:
    """The result of a run function.

    Raises:
        ProgrammerError: for a coroutine, which only the asyncio half can run.
    """
    if hasattr(value, "__await__"):
        if hasattr(value, "close"):
            value.close()
        raise ProgrammerError(
            "the run function is a coroutine function: use AsyncTaskMaster for it"
        )
    return value
