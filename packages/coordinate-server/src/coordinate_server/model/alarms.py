"""What is due when: heaps of moments, whose entries may have become pointless."""

from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import Any, Generic, TypeVar

__all__ = ["Alarms", "Horizon"]

T = TypeVar("T")


class Horizon:
    """The moment before which nothing is due of all alarms that are set against it.

    Each call asks whether anything is due, and nearly always nothing is: one comparison says so.
    """

    __slots__ = ("_alarms", "moment")

    def __init__(self) -> None:
        self.moment = inf
        self._alarms: list[Alarms[Any]] = []

    def watch(self, alarms: "Alarms[Any]") -> None:
        """Be a horizon of these, too."""
        self._alarms.append(alarms)

    def look(self) -> None:
        """Move on to what is the earliest now."""
        self.moment = min((alarms.earliest for alarms in self._alarms), default=inf)


class Alarms(Generic[T]):
    """Moments and what is due then.

    An entry is never looked for to take it out; it is dropped when its moment comes, or when there
    are more pointless entries than others: a lease that is renewed each second for a day would
    leave 86,400 of them.

    Arguments:
        holds: whether an item still waits for that moment.
        horizon: where to say that something is due earlier than all that was.
    """

    __slots__ = ("_bound", "_heap", "_holds", "_horizon", "_ties")

    def __init__(self, holds: Callable[[T, float], bool], horizon: Horizon) -> None:
        self._horizon = horizon
        horizon.watch(self)
        self._heap: list[tuple[float, int, T]] = []
        self._holds = holds
        self._ties = count()
        self._bound = 1024

    def add(self, moment: float, item: T) -> None:
        """Have an item be due at a moment."""
        heappush(self._heap, (moment, next(self._ties), item))
        if moment < self._horizon.moment:  # noqa: PLR1730 - min() takes three times as long
            self._horizon.moment = moment
        if len(self._heap) > self._bound:
            self._sweep()

    def due(self, moment: float) -> Iterable[T]:
        """Take out what is due at the moment or before, earliest first."""
        if not self._heap or self._heap[0][0] > moment:
            return ()
        return self._take(moment)

    def _take(self, moment: float) -> Iterator[T]:
        while self._heap and self._heap[0][0] <= moment:
            due, _, item = heappop(self._heap)
            if self._holds(item, due):
                yield item

    @property
    def earliest(self) -> float:
        """The moment of the first entry, which may be pointless; infinite for none."""
        return self._heap[0][0] if self._heap else inf

    def first(self) -> float | None:
        """Give the moment at which something is due next, or None."""
        while self._heap:
            moment, _, item = self._heap[0]
            if self._holds(item, moment):
                return moment
            heappop(self._heap)
        return None

    def _sweep(self) -> None:
        self._heap = [entry for entry in self._heap if self._holds(entry[2], entry[0])]
        heapify(self._heap)
        self._bound = 2 * len(self._heap) + 1024
