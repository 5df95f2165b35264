"""What units need of each other, and what the end of one means for those that need it."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from coordinate_client.testing.records import UnitRecord
from coordinate_client.testing.refusals import NotAdded
from coordinate_protocol.constants import AVAILABLE, BLOCKED, DELAYED, FAILED
from coordinate_protocol.values import key_value

if TYPE_CHECKING:
    from coordinate_client.testing.memory import Memory

__all__ = ["Edge", "Needs", "culprit", "named", "resting"]

Edge = tuple[UnitRecord, UnitRecord, bool]
"""Who needs, who is needed, and whether that one has to finish."""

_WAITING = (AVAILABLE, BLOCKED, DELAYED)


def named(unit: UnitRecord) -> str:
    """Name a unit for people."""
    return f"{key_value(unit.key)!r} of {unit.spec.name!r}"


def resting(unit: UnitRecord) -> int:
    """The status of a unit that nobody has."""
    if _broken(unit):
        return FAILED
    if any(not earlier.told for earlier in unit.needs):
        return BLOCKED
    return AVAILABLE if unit.not_before is None else DELAYED


def culprit(unit: UnitRecord) -> str:
    """Name the unit whose own failure keeps a unit from ever running."""
    earlier = _broken(unit)[0]
    return earlier.culprit or named(earlier)


class Needs:
    """Tells units what became of those that they need."""

    def __init__(self, memory: "Memory") -> None:
        """Begin without any.

        Args:
            memory: moves units.
        """
        self._memory = memory
        self._changed: deque[UnitRecord] = deque()

    def link(self, edges: Iterable[Edge]) -> None:
        """Have units need others, all of the edges or none.

        Raises:
            NotAdded: where they would close a cycle.
        """
        added = list(edges)
        planned: dict[UnitRecord, dict[UnitRecord, bool]] = {}
        for later, earlier, hard in added:
            needs = planned.setdefault(later, dict(later.needs))
            if later is earlier or _reaches(earlier, later, planned):
                raise NotAdded(f"cycle of dependencies: {named(later)} needs {named(earlier)}")
            needs[earlier] = needs.get(earlier, False) or hard
        for later, needs in planned.items():
            later.needs = needs
            for earlier in needs:
                if not earlier.needed_by:
                    earlier.told = earlier.end
                earlier.needed_by[later] = None

    def forget(self, unit: UnitRecord) -> None:
        """Drop all edges of a unit that is going; those that wait for it wait no longer."""
        self._tell(unit)
        for earlier in unit.needs:
            del earlier.needed_by[unit]
        for later in unit.needed_by:
            del later.needs[unit]
            if later.status == BLOCKED:
                self.need_changed(later)
        unit.needs, unit.needed_by = {}, {}

    def changed(self, unit: UnitRecord) -> None:
        """Note that a unit may have ended, or begun anew."""
        self._changed.append(unit)

    def settle(self) -> None:
        """Tell of all that was noted: what begins anew first, as what needs it must not run."""
        while self._changed:
            unit = next((one for one in self._changed if not one.end), self._changed[0])
            self._changed.remove(unit)
            self._tell(unit)

    def _tell(self, unit: UnitRecord) -> None:
        before, unit.told = unit.told, unit.end
        if before == unit.told:
            return
        for later, mends in [(one, before == FAILED and one.needs[unit]) for one in unit.needed_by]:
            self.need_changed(later, mends=mends)

    def need_changed(self, unit: UnitRecord, *, mends: bool = False) -> None:
        """Move a unit where it belongs, after something that it needs has changed.

        Args:
            unit: which.
            mends: whether one of its needs that had failed begins anew.
        """
        if mends and unit.status == FAILED and unit.culprit:
            if _broken(unit):
                self._memory.blame(unit)
                return
            unit.forget_past()
            self._memory.rest(unit)
        elif unit.status in _WAITING and unit.status != resting(unit):
            self._memory.rest(unit, unit.not_before)


def _reaches(
    begin: UnitRecord, goal: UnitRecord, planned: Mapping[UnitRecord, Mapping[UnitRecord, bool]]
) -> bool:
    """Whether a unit needs another, by way of whatever others."""
    waiting, seen = [begin], {begin}
    while waiting:
        unit = waiting.pop()
        for earlier in planned.get(unit, unit.needs):
            if earlier is goal:
                return True
            if earlier not in seen:
                seen.add(earlier)
                waiting.append(earlier)
    return False


def _broken(unit: UnitRecord) -> list[UnitRecord]:
    return [earlier for earlier, hard in unit.needs.items() if hard and earlier.told == FAILED]
