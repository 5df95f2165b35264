"""Deleting units: which go, what goes with them, and what keeps them."""

from collections.abc import Iterable

from coordinate_server.model.dependencies import Dependencies, named
from coordinate_server.model.errors import Refused
from coordinate_server.model.instant import Instant
from coordinate_server.model.roster import Roster
from coordinate_server.model.unit import Unit

__all__ = ["forget_all", "units_going"]

Going = dict[Unit, Roster]


def units_going(
    dependencies: Dependencies, units: Iterable[tuple[Unit, Roster]], *, cascade: bool
) -> Going:
    """Give the units that a deletion takes, with their specs; nothing has changed yet.

    Arguments:
        dependencies: who needs whom.
        units: those that are to go, with their specs.
        cascade: whether those that wait for them go too, and those that wait for these.

    Raises:
        Refused: others wait for them, and ``cascade`` is not set.
    """
    going: Going = dict(units)
    reached = [unit for unit in going if unit.links is not None]
    waiting: list[tuple[Unit, Unit]] = []
    for unit in reached:
        for later in dependencies.needing(unit):
            if later in going or later.links is None:
                continue
            if cascade:
                going[later] = later.links.owner
                reached.append(later)
            else:
                waiting.append((unit, later))
    if waiting:
        raise Refused(_needed(going, *waiting[0], len(waiting)))
    return going


def _needed(going: Going, unit: Unit, later: Unit, number: int) -> str:
    if later.links is None:
        raise AssertionError("what waits has an edge")
    whose = named(later.links.owner, later)
    return (
        f"work unit {named(going[unit], unit)} is needed by {whose} ({number} in all);"
        " cascade deletes them too"
    )


def forget_all(dependencies: Dependencies, roster: Roster, at: Instant) -> None:
    """Drop all edges of a spec's units, which are going at once."""
    for unit in list(roster.units.linked()):
        dependencies.forget(unit, at)
