"""Forgetting units that ended long ago; their numbers stay in the counts."""

from typing import TYPE_CHECKING

from coordinate_protocol.constants import FAILED, FINISHED
from coordinate_server.model.dependencies import Dependencies
from coordinate_server.model.instant import Instant

if TYPE_CHECKING:
    from coordinate_server.model.roster import Roster

__all__ = ["archive"]

# So many units are looked at in the time in which one is forgotten.
_READ_AT_ONCE = 4


def archive(roster: "Roster", at: Instant, dependencies: Dependencies, most: int) -> int:
    """Forget the finished units of a spec, and its failed ones, beyond its limits, oldest first.

    What needs one of them has heard of its end, and needs it no more.

    Arguments:
        roster: the spec.
        at: the moment.
        dependencies: who needs whom.
        most: how many entries to look at, at most: each costs the same, however many units ended.

    Returns:
        How many were looked at; ``most`` means that there may be more.
    """
    if roster.endings is None or roster.bounds is None:
        return 0
    # Where this takes all of `most`, the oldest may not be read yet, and nothing is forgotten.
    looks = -(-roster.endings.read(_READ_AT_ONCE * most) // _READ_AT_ONCE)
    before = dict(roster.archived)
    for status in (FINISHED, FAILED):
        while looks < most and _forget_first(roster, at, dependencies, status):
            looks += 1
    if roster.archived != before:
        roster.write()
    return looks


def _forget_first(roster: "Roster", at: Instant, dependencies: Dependencies, status: int) -> bool:
    """Forget what is at the front if it has to go; what is no ended unit any more has to.

    Returns:
        Whether it had to.
    """
    endings = roster.endings
    first = None if endings is None else endings.first(status)
    if endings is None or first is None:
        return False
    moment, unit = first
    if unit is not None and not _is_beyond(roster, at, status, moment):
        return False
    endings.drop_first(status)
    if unit is not None:
        dependencies.forget(unit, at)
        roster.remove(unit)
        roster.archived[status] = roster.archived.get(status, 0) + 1
    return True


def _is_beyond(roster: "Roster", at: Instant, status: int, moment: float) -> bool:
    bounds = roster.bounds
    if bounds is None:
        return False
    if bounds.count is not None and roster.count(status) > bounds.count:
        return True
    return bounds.age is not None and at.wall - moment > bounds.age
