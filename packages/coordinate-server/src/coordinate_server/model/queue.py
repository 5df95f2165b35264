"""The units of one spec that may run, in order: highest priority first, then lowest key."""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import Any, TypeVar

from coordinate_server.model.unit import Unit
from coordinate_server.model.units import Units

__all__ = ["Place", "ReadyQueue", "entries_before"]

Place = tuple[float, bytes]
"""Minus a unit's priority, and its key: the lower goes first."""

_T = TypeVar("_T")

_SLACK = 1024


def entries_before(heap: list[_T], bound: Any) -> Iterator[_T]:
    """Give the entries of a heap below one, in any order; in time of how many these are.

    They are the top of the heap: below an entry that is not among them, none is. The heap must not
    change meanwhile.
    """
    indexes = [0]
    while indexes:
        index = indexes.pop()
        if index < len(heap) and bound > heap[index]:
            yield heap[index]
            indexes += (2 * index + 1, 2 * index + 2)


class ReadyQueue:
    """A heap of keys for each priority, in which entries may have become pointless.

    An entry counts while its unit is available and has that priority still. To take a unit out is
    to change the unit.

    Arguments:
        units: all units of the spec by key; the caller's own.
        available: gives how many of them are available.
    """

    __slots__ = ("_available", "_bound", "_heaps", "_order", "_size", "_units")

    def __init__(self, units: Units, available: Callable[[], int]) -> None:
        self._units, self._available = units, available
        self._reset()

    def _reset(self) -> None:
        self._heaps: dict[float, list[bytes]] = {}
        # The priorities that have a heap, each with a minus: a heap, too.
        self._order: list[float] = []
        self._size, self._bound = 0, _SLACK

    def let_go(self) -> None:
        """Have no circles, which no collector looks for; here there are none."""

    def push(self, unit: Unit) -> None:
        """Put an available unit in; O(log n)."""
        self.put(unit.key, unit.priority)

    def put(self, key: bytes, priority: float) -> None:
        """Do as ``push``, by a unit's key and priority."""
        heap = self._heaps.get(priority)
        if heap is None:
            heap = self._heaps[priority] = []
            heappush(self._order, -priority)
        heappush(heap, key)
        self._size += 1
        if self._size > self._bound:
            self._sweep()

    def _sweep(self) -> None:
        """Drop the entries that are pointless, if they are more than the others."""
        most = 2 * self._available() + _SLACK
        if self._size > most:
            self.fill()
        self._bound = max(most, self._bound)

    def fill(self) -> None:
        """Put in all available units, in place of what there was; O(n log n)."""
        self._reset()
        for priority, key in self._units.places():
            heap = self._heaps.get(priority)
            if heap is None:
                heap = self._heaps[priority] = []
                heappush(self._order, -priority)
            heap.append(key)
            self._size += 1
        for heap in self._heaps.values():
            # In order it is a heap, too; and what comes from a store is nearly in order.
            heap.sort()
        self._bound = 2 * self._size + _SLACK

    def first(self) -> Unit | None:
        """Give the unit that runs next, or None; it stays."""
        while self._order:
            priority = -self._order[0]
            heap = self._heaps[priority]
            while heap:
                unit = self._units.waiting(heap[0], priority)
                if unit is not None:
                    return unit
                heappop(heap)
                self._size -= 1
            del self._heaps[priority]
            heappop(self._order)
        return None

    def set_aside(self, unit: Unit) -> None:
        """Take out the unit that is first, though it is available."""
        heap = self._heaps.get(unit.priority, [])
        while heap and heap[0] == unit.key:
            heappop(heap)
            self._size -= 1

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
        found: set[bytes] = set()
        for priority, key in self._before(unit):
            if self._units.waits(key, priority):
                found.add(key)
            if len(found) >= most:
                return most
        return len(found)

    def _before(self, unit: Unit) -> Iterator[tuple[float, bytes]]:
        for priority, heap in self._heaps.items():
            if priority > unit.priority:
                yield from ((priority, key) for key in heap)
        for key in entries_before(self._heaps.get(unit.priority, []), unit.key):
            yield unit.priority, key

    def holds_back(self) -> bool:
        """Whether units are available, though none can go now; here there never are."""
        return False

    def held_back(self) -> int:
        """Count available units that cannot go now; here there never are any."""
        return 0
