"""Making up the units of a spec when their time has come."""

from typing import TYPE_CHECKING

from coordinate_protocol.constants import STANDARD
from coordinate_server.model.instant import Instant
from coordinate_server.model.timetable import run_key

if TYPE_CHECKING:
    from coordinate_server.model.roster import Roster

__all__ = ["make_due", "make_owed"]


def make_due(roster: "Roster", at: Instant) -> None:
    """Have the time come that something was planned for."""
    if roster.spec.schedule is not None:
        _make_run(roster, roster.maker.run(roster.spec, at.wall, free=_free(roster)))
        roster.plan(at.wall)
        roster.write()
    else:
        roster.maker.next = None
    roster.touch()


def make_owed(roster: "Roster", at: Instant) -> bool:
    """Make up for a run that was missed, if that can be now; whether one is owed still."""
    if roster.maker.owed is not None and _free(roster):
        _make_run(roster, roster.maker.settle(free=True))
        roster.plan(at.wall)
    return roster.maker.owed is not None


def _free(roster: "Roster") -> bool:
    return roster.runs() and roster.made_unit() is None


def _make_run(roster: "Roster", moment: float | None) -> None:
    if moment is not None and roster.spec.schedule is not None:
        roster.make(run_key(roster.spec.schedule.timezone, moment), STANDARD)
