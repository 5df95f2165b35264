"""Updating one unit: who may, what the tables of statuses say, and what follows."""

from coordinate_protocol.constants import (
    AVAILABLE,
    DEFAULT_LEASE,
    FINISHED,
    MAX_LEASE,
    PENDING,
    STATUS_NAMES,
)
from coordinate_server.model.additions import check_data, check_number
from coordinate_server.model.calls import UnitUpdate
from coordinate_server.model.core import Core
from coordinate_server.model.errors import NotOwner, Refused
from coordinate_server.model.instant import Instant
from coordinate_server.model.roster import Roster
from coordinate_server.model.statuses import ANONYMOUS, ENDED, OWNED, Outcome
from coordinate_server.model.unit import Unit

__all__ = ["update"]


def update(core: Core, roster: Roster, at: Instant, unit: Unit, wanted: UnitUpdate) -> bool:
    """Do what a caller asks for a unit, or refuse it with nothing changed.

    Returns:
        Whether the unit has finished by this.

    Raises:
        NotOwner: the caller says who it is, and the unit is not its own any more.
        Refused: it asks for nothing, or for what cannot be.
    """
    _check(core, wanted)
    asked = _asked(unit, wanted)
    outcome = _outcome(unit, wanted, asked)
    if outcome is Outcome.IGNORE:
        return False
    if wanted.data is not None:
        roster.replace_data(unit, wanted.data)
    if outcome is Outcome.CHANGE and (asked != unit.status or wanted.lease_time is not None):
        _apply(core, roster, at, unit, wanted, asked)
    return outcome is Outcome.CHANGE and asked == FINISHED


def _check(core: Core, wanted: UnitUpdate) -> None:
    if wanted.lease_time is None and wanted.status is None and wanted.data is None:
        raise Refused("nothing to do")
    if wanted.status is not None and wanted.status not in STATUS_NAMES:
        raise Refused(f"status {wanted.status!r:.80} is none of {sorted(STATUS_NAMES)}")
    if wanted.lease_time is not None:
        check_number("lease_time", wanted.lease_time)
    if wanted.data is not None:
        check_data(wanted.data, core.settings)


def _asked(unit: Unit, wanted: UnitUpdate) -> int:
    """A lease below zero gives the unit back, whatever else is said of its being pending."""
    asked = unit.status if wanted.status is None else wanted.status
    if asked == PENDING == unit.status and wanted.lease_time is not None and wanted.lease_time < 0:
        return AVAILABLE
    return asked


def _outcome(unit: Unit, wanted: UnitUpdate, asked: int) -> Outcome:
    if wanted.worker_id is not None:
        return _owners_outcome(unit, wanted, wanted.worker_id, asked)
    if wanted.status is None and asked == unit.status:
        return Outcome.CHANGE if asked == PENDING else Outcome.KEEP
    outcome = ANONYMOUS.get((unit.status, asked))
    if outcome is None:
        raise _no_way(unit, asked)
    return outcome


def _owners_outcome(unit: Unit, wanted: UnitUpdate, worker_id: str, asked: int) -> Outcome:
    held = unit.status == PENDING
    if unit.worker_id != worker_id or not (held or (unit.status in ENDED and wanted.status)):
        raise NotOwner(unit.key, worker_id, unit.worker_id if held else None)
    outcome = OWNED.get((unit.status, asked))
    if outcome is not None:
        return outcome
    if held:
        raise _no_way(unit, asked)
    raise NotOwner(unit.key, worker_id, None)


def _no_way(unit: Unit, asked: int) -> Refused:
    old, new = STATUS_NAMES[unit.status], STATUS_NAMES[asked]
    return Refused(f"work unit {unit.key!r} cannot be made {new}, it is {old}")


def _apply(
    core: Core, roster: Roster, at: Instant, unit: Unit, wanted: UnitUpdate, asked: int
) -> None:
    def change(unit: Unit) -> None:
        was_pending = unit.status == PENDING
        unit.status = asked
        unit.not_before = None
        if asked == PENDING:
            _lease(core, at, unit, wanted, was_pending)
        elif asked in ENDED:
            unit.deadline, unit.ended = None, at.wall
        else:
            unit.free()

    roster.change(unit, change)


def _lease(core: Core, at: Instant, unit: Unit, wanted: UnitUpdate, was_pending: bool) -> None:
    seconds = DEFAULT_LEASE if wanted.lease_time is None else wanted.lease_time
    if not was_pending:
        unit.free()
        unit.attempt = core.next_attempt()
    unit.deadline = at.now + min(max(seconds, 0), MAX_LEASE)
