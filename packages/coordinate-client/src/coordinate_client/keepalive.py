"""How a connection on which nothing is said for long finds out that the other end is gone."""

from typing import Any

__all__ = ["keep_alive"]

# The system asks after a minute, and gives up after two; unasked it takes more than two hours.
_TIMES = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


def keep_alive(sock: Any) -> None:
    """Have the system ask a silent server whether it is still there.

    Args:
        sock: a connected socket, or what stands for one in asyncio.
    """
    import socket

    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _TIMES:
        # Not every system has all of them.
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
