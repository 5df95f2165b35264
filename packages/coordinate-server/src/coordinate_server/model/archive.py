"""Forgetting units that ended long ago; their numbers stay in the counts."""

from heapq import nlargest

from coordinate_protocol.constants import FAILED, FINISHED
from coordinate_server.model.dependencies import Dependencies
from coordinate_server.model.instant import Instant
from coordinate_server.model.roster import Roster
from coordinate_server.model.settings import ModelSettings
from coordinate_server.model.unit import Unit

__all__ = ["archive"]


def archive(
    roster: Roster, at: Instant, settings: ModelSettings, dependencies: Dependencies
) -> None:
    """Forget the finished units of a spec, and its failed ones, beyond the limits.

    The spec's own limits go before the server's; of equally old units those with higher keys stay.
    """
    count, age = roster.spec.limit_completed_count, roster.spec.limit_completed_age
    count = settings.limit_completed_count if count is None else count
    age = settings.limit_completed_age if age is None else age
    forgotten = 0
    for status in (FINISHED, FAILED):
        units = _beyond(roster, at, status, count, age)
        for unit in units:
            dependencies.forget(unit, at)
            roster.remove(unit)
        if units:
            roster.archived[status] = roster.archived.get(status, 0) + len(units)
        forgotten += len(units)
    if forgotten:
        roster.write()


def _beyond(
    roster: Roster, at: Instant, status: int, count: int | None, age: float | None
) -> list[Unit]:
    ended = list(roster.in_states([status]))
    kept = [u for u in ended if age is None or at.wall - (u.ended or 0) <= age]
    if count is not None and count < len(kept):
        kept = nlargest(count, kept, key=lambda unit: (unit.ended or 0, unit.key))
    staying = set(kept)
    return [unit for unit in ended if unit not in staying]
