"""The units of one spec that may run, in order: highest priority first, then lowest key."""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from coordinate_protocol.constants import AVAILABLE
from coordinate_server.model.unit import Unit

__all__ = ["ReadyQueue"]


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
        self._heap: list[tuple[float, bytes]] = []
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
