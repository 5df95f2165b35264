"""The ended units of a spec in the order of their ending, where there are limits for them."""

from collections import Counter
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Self

from attrs import frozen

from coordinate_protocol.constants import FAILED, FINISHED
from coordinate_server.model.settings import ModelSettings
from coordinate_server.model.spec import Spec
from coordinate_server.model.unit import Unit
from coordinate_server.model.units import Units

__all__ = ["Bounds", "Endings"]


@frozen
class Bounds:
    """Which ended units of a spec stay: those within both.

    Arguments:
        count: how many finished, and how many failed ones; None for any number.
        age: seconds since their end; None for any time.
    """

    count: int | None
    age: float | None

    @classmethod
    def of(cls, spec: Spec, settings: ModelSettings) -> Self | None:
        """Give those of a spec, which go before the server's; None where all units stay."""
        count, age = spec.limit_completed_count, spec.limit_completed_age
        count = settings.limit_completed_count if count is None else count
        age = settings.limit_completed_age if age is None else age
        return None if count is None and age is None else cls(count, age)


class Endings:
    """Moments of ending, and keys: of equally old units those with lower keys come first.

    An entry is never looked for to take it out: one whose unit is gone, or has begun anew, is
    dropped when it comes to the front, or when there are more such entries than others. Those of
    units that are not in memory are here too, and cost what their keys do.

    What had ended before is read a slice at a time: of millions, all would stop the server for
    seconds. Until all of it is read, what is at the front need not be the oldest.

    Arguments:
        units: all units of the spec; it is the spec's own, and changes.
    """

    __slots__ = ("_bounds", "_heaps", "_units", "_unread")

    def __init__(self, units: Units) -> None:
        self._units = units
        self._heaps: dict[int, list[tuple[float, bytes]]] = {FINISHED: [], FAILED: []}
        self._bounds = {status: _bound(heap) for status, heap in self._heaps.items()}
        self._unread: Iterator[Unit | None] | None = units.ended() if units else None

    def read(self, most: int) -> int:
        """Take in units that had ended before.

        Arguments:
            most: how many units to look at, at most.

        Returns:
            How many were looked at; fewer than ``most`` if all of them are.
        """
        if self._unread is None:
            return 0
        number = 0
        for unit in islice(self._unread, most):
            number += 1
            if unit is not None:
                self._take_in(unit)
        if number < most:
            self._unread = None
        return number

    def _take_in(self, unit: Unit) -> None:
        heap = self._heaps[unit.status]
        heappush(heap, _entry(unit))
        self._bounds[unit.status] = _bound(heap)

    def note_return(self, unit: Unit) -> None:
        """Take note of an ended unit that is in memory again: it may have been passed by there."""
        if self._unread is not None:
            self._take_in(unit)

    def note(self, unit: Unit) -> None:
        """Take in a unit that has ended."""
        heap = self._heaps[unit.status]
        heappush(heap, _entry(unit))
        if len(heap) > self._bounds[unit.status]:
            self._sweep(unit.status)

    def first(self, status: int) -> tuple[float, Unit | None] | None:
        """Give the moment at the front, and its unit, or None for one that is not that any more.

        Nothing at all means that there are no more. The unit's data may be missing.
        """
        heap = self._heaps[status]
        return (heap[0][0], self._unit(status, heap[0])) if heap else None

    def drop_first(self, status: int) -> None:
        """Take out what is at the front."""
        heappop(self._heaps[status])

    def _unit(self, status: int, entry: tuple[float, bytes]) -> Unit | None:
        unit = self._units.head(entry[1])
        return unit if unit and unit.status == status and _entry(unit) == entry else None

    def _sweep(self, status: int) -> None:
        entries = set(self._heaps[status])
        several = Counter(key for _, key in entries)
        heap = [entry for entry in entries if self._stays(status, entry, several[entry[1]])]
        self._heaps[status] = heap
        heapify(heap)
        self._bounds[status] = _bound(heap)

    def _stays(self, status: int, entry: tuple[float, bytes], several: int) -> bool:
        """Whether an entry counts; the row of its unit is read only if others have the same key."""
        if several == 1 and self._units.is_away(entry[1]):
            return True
        return self._unit(status, entry) is not None


def _entry(unit: Unit) -> tuple[float, bytes]:
    return unit.ended or 0.0, unit.key


def _bound(heap: list[tuple[float, bytes]]) -> int:
    return 2 * len(heap) + 1024
