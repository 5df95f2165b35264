"""The blocking shell: sockets, a lock, and what else differs from the asyncio one."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from coordinate_client.exceptions import ProgrammerError
from coordinate_client.settings import Address

if TYPE_CHECKING:
    from socket import socket

__all__ = ["Connect", "Lock", "Sleep", "Transport", "connect", "current_owner", "settled", "sleep"]

_CHUNK = 256 * 1024
Sleep = Callable[[float], None]
Connect = Callable[[Address, float, float], "Transport"]
sleep: Sleep = time.sleep


class Transport:
    """A connected socket."""

    def __init__(self, sock: "socket") -> None:
        """Take over a socket whose timeout is set."""
        self._socket = sock

    def send(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            OSError: where that does not work, or takes too long.
        """
        self._socket.sendall(data)

    def receive(self) -> bytes:
        """The next bytes; none where the server closed the connection.

        Raises:
            OSError: where that does not work, or takes too long.
        """
        return self._socket.recv(_CHUNK)

    def drop(self) -> None:
        """Let go at once; a parent process that shares the socket keeps its connection."""
        self._socket.close()

    def close(self) -> None:
        """Say good-bye and let go."""
        with suppress(OSError):
            self._socket.shutdown(2)
        self._socket.close()


def connect(address: Address, connect_seconds: float, response_seconds: float) -> Transport:
    """Connect to a server.

    Args:
        address: where it is.
        connect_seconds: how long that may take.
        response_seconds: how long each later send or receive may take.

    Raises:
        OSError: where it does not work.
    """
    import socket

    try:
        sock = socket.create_connection((address.host, address.port), connect_seconds)
    except UnicodeError as error:
        raise OSError(f"{address.host!r} is not a host name") from error
    sock.settimeout(response_seconds)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return Transport(sock)


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
