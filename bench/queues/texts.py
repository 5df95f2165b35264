"""Takers over a protocol of lines of text, whatever its words are."""

import socket
from collections.abc import Callable, Sequence
from typing import Protocol

from queues.work import BATCH, Way

__all__ = ["Texts", "connected", "ways"]


class Texts(Protocol):
    """The words of a protocol, and its connection.

    Attributes:
        take: asks for one unit.
    """

    take: bytes

    def finish(self, unit: bytes) -> bytes:
        """Ask that one be finished."""

    def send(self, data: bytes) -> None:
        """Send requests."""

    def close(self) -> None:
        """Close the connection."""

    def taken(self) -> bytes | None:
        """Read the answer to one that takes; None if there was nothing."""

    def finished(self) -> None:
        """Read the answer to one that finishes.

        Raises:
            RuntimeError: it was not done.
        """


class _TwoCalls:
    """Takes one unit in one exchange, and finishes it in another."""

    def __init__(self, texts: Texts) -> None:
        self._texts, self.close = texts, texts.close
        self._unit: bytes | None = None

    def step(self) -> int | None:
        """Take, or finish what was taken."""
        texts, unit = self._texts, self._unit
        if unit is None:
            texts.send(texts.take)
            self._unit = texts.taken()
            return None if self._unit is None else 0
        texts.send(texts.finish(unit))
        texts.finished()
        self._unit = None
        return 1


class _OneMessage:
    """Finishes units and takes as many, all asked for in one write."""

    def __init__(self, texts: Texts, size: int) -> None:
        self._texts, self.close = texts, texts.close
        self._takes = texts.take * size
        self._size = size
        self._units: list[bytes] = []

    def step(self) -> int | None:
        """Finish what was taken and take more; None once there was nothing of either."""
        texts, units = self._texts, self._units
        texts.send(b"".join(map(texts.finish, units)) + self._takes)
        for _ in units:
            texts.finished()
        found = [texts.taken() for _ in range(self._size)]
        self._units = [unit for unit in found if unit is not None]
        return len(units) if units or self._units else None


def connected(place: tuple[str, int]) -> socket.socket:
    """Connect; small writes leave at once."""
    line = socket.create_connection(place)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def ways(connect: Callable[[tuple[str, int]], Texts], expected: int) -> Sequence[Way]:
    """The ways to take and finish: in two calls, in one message, and in one message for many."""

    def two(place: tuple[str, int]) -> _TwoCalls:
        return _TwoCalls(connect(place))

    def one(place: tuple[str, int]) -> _OneMessage:
        return _OneMessage(connect(place), 1)

    def many(place: tuple[str, int]) -> _OneMessage:
        return _OneMessage(connect(place), BATCH)

    return (
        Way("two calls", 16, two, 1, expected),
        Way("one message", 16, one, 1, expected),
        Way(f"{BATCH}, one message", 4, many, BATCH, expected),
    )
