"""Adding units to a spec: the checks, and what becomes of a unit that is there already."""

from collections.abc import Iterable, Mapping

from coordinate_protocol.constants import BLOCKED, DELAYED, STANDARD, STATUS_NAMES
from coordinate_server.model.calls import EdgeEnd, Need, NewEdge, NewUnit
from coordinate_server.model.dependencies import Dependencies, Edge, named
from coordinate_server.model.errors import NoSuchSpec, NotAdded, Refused
from coordinate_server.model.instant import Instant
from coordinate_server.model.keys import key_text
from coordinate_server.model.numbers import check_number
from coordinate_server.model.roster import Roster
from coordinate_server.model.settings import ModelSettings
from coordinate_server.model.statuses import ENDED
from coordinate_server.model.unit import Unit

__all__ = ["Additions", "check_data", "check_unit", "resolve"]


def check_data(data: bytes, settings: ModelSettings) -> None:
    """Refuse data that are too large.

    Raises:
        Refused: naming the setting.
    """
    if len(data) > settings.unit_data_bytes:
        raise Refused(
            f"unit data of {len(data)} bytes is over the limit of {settings.unit_data_bytes}"
            " (setting: server.limits.unit_data_bytes)"
        )


def check_unit(new: NewUnit, settings: ModelSettings) -> None:
    """Refuse a unit that cannot be added.

    Raises:
        Refused: naming what is wrong with it.
    """
    if len(new.key) > settings.key_bytes:
        raise Refused(
            f"key of {len(new.key)} bytes is over the limit of {settings.key_bytes}"
            " (setting: server.limits.key_bytes)"
        )
    check_data(new.data, settings)
    if new.priority is not None:
        check_number("priority", new.priority)
    if new.delay is not None:
        check_number("delay", new.delay, 0)


def resolve(
    at: Instant,
    units: Iterable[tuple[Roster, NewUnit]],
    edges: Iterable[NewEdge],
    rosters: Mapping[str, Roster],
) -> "Additions":
    """Find all that is to be added, with nothing changed yet.

    Arguments:
        at: the moment.
        units: new units with their specs; of equal ones the last wins.
        edges: dependencies, besides what the units say they need.
        rosters: the specs by name.

    Raises:
        Refused: something that a unit needs is nowhere, or a unit that is to wait has ended.
    """
    additions = Additions(at, rosters)
    for roster, new in units:
        additions.plan_unit(roster, new)
    additions.plan_needs()
    for edge in edges:
        additions.plan_edge(edge)
    return additions


class Additions:
    """Units and edges that are to be added together.

    Arguments:
        at: the moment.
        rosters: the specs by name.
    """

    def __init__(self, at: Instant, rosters: Mapping[str, Roster]) -> None:
        self._at, self._rosters = at, rosters
        # What is said of each unit, and the unit: the one that is there, or one that is needed.
        self._planned: dict[tuple[Roster, bytes], tuple[NewUnit, Unit | None, bool]] = {}
        self._edges: list[Edge] = []

    def plan_unit(self, roster: Roster, new: NewUnit) -> None:
        """Plan to add a unit that was checked."""
        place = roster, new.key
        known = self._planned.get(place)
        if known is None:
            unit = roster.units.get(new.key)
            self._planned[place] = new, unit, unit is not None
        else:
            self._planned[place] = new, known[1], known[2]

    def _planned_unit(self, roster: Roster, key: bytes) -> Unit | None:
        """Give a unit that is planned; it is made when it is first asked for."""
        planned = self._planned.get((roster, key))
        if planned is None:
            return None
        new, unit, is_there = planned
        if unit is None:
            unit = Unit(key, new.data)
            self._planned[roster, key] = new, unit, is_there
        return unit

    def plan_needs(self) -> None:
        """Plan the edges that the units say."""
        for (roster, key), (new, _, _) in self._planned.items():
            for need in new.needs:
                self._edges.append(self._need(roster, key, need))

    def _need(self, roster: Roster, key: bytes, need: Need) -> Edge:
        unit = self._find(roster, key)
        earlier_roster = roster if need.spec is None else self._rosters.get(need.spec)
        earlier = self._find(earlier_roster, need.key)
        if unit is None or earlier is None or earlier_roster is None:
            spec = roster.spec.name if need.spec is None else need.spec
            missing = f"{key_text(need.key)} of {spec!r}"
            whose = f"{key_text(key)} of {roster.spec.name!r}"
            raise NotAdded(f"work unit {whose} needs {missing}, which does not exist")
        return unit, roster, earlier, earlier_roster, need.hard

    def plan_edge(self, edge: NewEdge) -> None:
        """Plan an edge between units that are there or planned."""
        later_roster, later = self._end(edge.later)
        earlier_roster, earlier = self._end(edge.earlier)
        if later.status in ENDED and (later_roster, later.key) not in self._planned:
            how = STATUS_NAMES[later.status]
            whose = named(later_roster, later)
            raise NotAdded(f"work unit {whose} cannot wait for another, it has {how}")
        self._edges.append((later, later_roster, earlier, earlier_roster, edge.hard))

    def _end(self, end: EdgeEnd) -> tuple[Roster, Unit]:
        roster = self._rosters.get(end.spec)
        if roster is None:
            raise NoSuchSpec(end.spec)
        unit = self._find(roster, end.key)
        if unit is None:
            raise NotAdded(
                f"work unit {key_text(end.key)} of {end.spec!r} does not exist and is given no data"
            )
        return roster, unit

    def _find(self, roster: Roster | None, key: bytes) -> Unit | None:
        if roster is None:
            return None
        return self._planned_unit(roster, key) or roster.units.get(key)

    def apply(self, dependencies: Dependencies) -> None:
        """Add all of it; a cycle is refused with nothing changed.

        A unit that is there already gets the new data and may run again, whoever had it; its
        priority stays unless another is given, as in 0.1.5.

        Raises:
            Refused: the edges would close a cycle.
        """
        dependencies.link(self._edges)
        for (roster, key), (new, unit, is_there) in self._planned.items():
            if unit is None and new.is_plain:
                roster.add_fresh(key, new.data)
            elif unit is not None and is_there:
                _renew(roster, self._at, unit, new)
            else:
                _admit(roster, self._at, unit or Unit(key, new.data), new)
        # What begins anew is told of first: nothing is to fail for what had failed before.
        dependencies.settle(self._at)
        for later, roster, *_ in self._edges:
            roster.need_changed(later, self._at)
        dependencies.settle(self._at)


def _admit(roster: Roster, at: Instant, unit: Unit, new: NewUnit) -> None:
    unit.data, unit.locks = new.data, new.locks or None
    not_before = _not_before(at, new)
    unit.priority = STANDARD if new.priority is None else new.priority
    if not_before is not None:
        unit.status, unit.not_before = DELAYED, not_before
    if unit.links is not None and (unit.links.unmet or unit.links.broken):
        unit.status = BLOCKED
    roster.add(unit)


def _renew(roster: Roster, at: Instant, unit: Unit, new: NewUnit) -> None:
    if new.priority is not None and new.priority != unit.priority:
        priority = new.priority
        roster.change(unit, lambda unit: setattr(unit, "priority", priority))
    roster.begin_anew(unit, at, _not_before(at, new))
    if new.locks is not None:
        roster.set_locks(unit, new.locks or None)
    roster.replace_data(unit, new.data)


def _not_before(at: Instant, new: NewUnit) -> float | None:
    return at.wall + new.delay if new.delay else None
