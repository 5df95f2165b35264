"""The work that all queues are given, and what drives each of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from attrs import frozen
from servers import Started

__all__ = ["ADDED", "BATCH", "Adder", "Maker", "Queue", "Taker", "Way", "keys"]

BATCH: Final = 100
"""Units that are taken and finished together."""

ADDED: Final = 1000
"""Units that are added together."""


class Taker(Protocol):
    """One client that takes units and finishes them."""

    def step(self) -> int | None:
        """Make one exchange with the server; gives how many it finished, None if none is left."""

    def close(self) -> None:
        """Close its connection."""


class Adder(Protocol):
    """One client that adds units."""

    def add(self, first: int, count: int) -> None:
        """Add units with numbers from the first one on, in one message."""

    def close(self) -> None:
        """Close its connection."""


Maker = Callable[[tuple[str, int]], Any]
"""Connects a taker or an adder to (host, port)."""


@frozen
class Way:
    """A way to take and finish.

    Arguments:
        title: what it is called.
        clients: how many processes do it.
        make: connects the taker of each.
        size: how many units an exchange is for.
        expected: units per second, about.
    """

    title: str
    clients: int
    make: Maker
    size: int
    expected: int


@frozen
class Queue:
    """A system with one durability.

    Arguments:
        title: its name.
        durability: what an answer means.
        start: starts an empty server, for as long as the block lasts.
        prepare: what is to be done before the first unit.
        adder: connects an adder.
        expected: units added per second, about.
        ways: how its units are taken and finished.
        missing: the program that is not installed, if any.
    """

    title: str
    durability: str
    start: Callable[[], AbstractContextManager[Started]]
    prepare: Callable[[tuple[str, int]], None]
    adder: Maker
    expected: int
    ways: Sequence[Way]
    missing: str | None = None

    @property
    def name(self) -> str:
        """What it is called outside of the table."""
        return f"{self.title} ({self.durability})"


def keys(first: int, count: int) -> Iterator[str]:
    """The names of units; each is of 13 bytes."""
    return (f"unit-{number:08}" for number in range(first, first + count))
