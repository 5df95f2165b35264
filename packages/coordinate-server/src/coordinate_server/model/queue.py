"""The units of one spec that may run, in order: highest priority first, then lowest key."""

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

from coordinate_protocol.constants import AVAILABLE
from coordinate_server.model.unit import Unit

__all__ = ["Place", "ReadyQueue", "entries_before"]

Place = tuple[float, bytes]
"""Minus a unit's priority, and its key: the lower goes first."""

_T = TypeVar("_T", bound=tuple[Any, ...])


def entries_before(heap: list[_T], bound: tuple[Any, ...]) -> Iterator[_T]:
    """Give the entries of a heap below one, in any order; in time of how many these are.

    They are the top of the heap: below an entry that is not among them, none is. The heap must not
    change meanwhile.
    """
    indexes = [0]
    while indexes:
        index = indexes.pop()
        if index < len(heap) and heap[index] < bound:
            yield heap[index]
            indexes += (2 * index + 1, 2 * index + 2)


class ReadyQueue:
    """A heap of (minus priority, key), in which entries may have become pointless.

    An entry counts while its unit is available and has that priority still. To take a unit out is
    to change the unit.

    Arguments:
        units: all units of the spec by key; the caller's own dict.
    """

    __slots__ = ("_bound", "_heap", "_units")

    def __init__(self, units: dict[bytes, Unit]) -> None:
        self._units = units
        self._heap: list[Place] = []
        self._bound = 1024

    def push(self, unit: Unit) -> None:
        """Put an available unit in; O(log n)."""
        heappush(self._heap, (-unit.priority, unit.key))
        if len(self._heap) > self._bound:
            self.fill(self._units.values())

    def fill(self, units: Iterable[Unit]) -> None:
        """Put in all available ones of the units, in place of what there was; O(n)."""
        self._heap = [(-unit.priority, unit.key) for unit in units if unit.status == AVAILABLE]
        heapify(self._heap)
        self._bound = 2 * len(self._heap) + 1024

    def first(self) -> Unit | None:
        """Give the unit that runs next, or None; it stays."""
        heap = self._heap
        while heap:
            minus_priority, key = heap[0]
            unit = self._units.get(key)
            if unit is not None and unit.status == AVAILABLE and unit.priority == -minus_priority:
                return unit
            heappop(heap)
        return None

    def set_aside(self, unit: Unit) -> None:
        """Take out the unit that is first, though it is available."""
        place = (-unit.priority, unit.key)
        while self._heap and self._heap[0] == place:
            heappop(self._heap)

    def left(self, unit: Unit) -> None:
        """Note that a unit is not available any more; here its entry has become pointless."""

    def took(self, unit: Unit) -> None:
        """Note that a unit has become pending; here that means nothing."""

    def returned(self, unit: Unit) -> None:
        """Note that a unit is not pending any more; here that means nothing."""

    def holds_other(self, unit: Unit) -> bytes | None:
        """Give the value that a unit has taken where its data have another one; here none has."""

    def ahead(self, unit: Unit, most: int) -> int:
        """Count available units that go before an available one, up to ``most``."""
        found: set[Place] = set()
        for place in entries_before(self._heap, (-unit.priority, unit.key)):
            if self._waits(place):
                found.add(place)
            if len(found) >= most:
                return most
        return len(found)

    def holds_back(self) -> bool:
        """Whether units are available, though none can go now; here there never are."""
        return False

    def held_back(self) -> int:
        """Count available units that cannot go now; here there never are any."""
        return 0

    def _waits(self, place: Place) -> bool:
        unit = self._units.get(place[1])
        return unit is not None and unit.status == AVAILABLE and unit.priority == -place[0]
