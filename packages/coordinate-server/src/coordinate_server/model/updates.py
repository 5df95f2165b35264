"""Updating one unit: who may, what the tables of statuses say, and what follows."""

from coordinate_protocol.constants import (
    AVAILABLE,
    DEFAULT_LEASE,
    FAILED,
    FINISHED,
    MAX_LEASE,
    PENDING,
    STATUS_NAMES,
)
from coordinate_server.model.additions import check_data
from coordinate_server.model.calls import UnitUpdate
from coordinate_server.model.core import Core
from coordinate_server.model.errors import NotOwner, Refused
from coordinate_server.model.graph import Links
from coordinate_server.model.instant import Instant
from coordinate_server.model.numbers import check_number
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
    if core.settings.require_token:
        _check_token(unit, wanted, asked)
    outcome = _outcome(unit, wanted, asked)
    if outcome is Outcome.IGNORE:
        return False
    if unit.links is not None:
        _check_needs(core, unit, unit.links, asked)
    if unit.locks is not None:
        _check_locks(roster, unit, asked)
    if wanted.delay is not None and asked not in (AVAILABLE, FAILED):
        raise Refused("delay means nothing unless the unit is given back, retried or failed")
    if wanted.data is not None:
        roster.replace_data(unit, wanted.data)
    if outcome is Outcome.CHANGE and (asked != unit.status or wanted.lease_time is not None):
        _apply(core, roster, at, unit, wanted, asked)
    return outcome is Outcome.CHANGE and asked == FINISHED


def _check_needs(core: Core, unit: Unit, links: Links, asked: int) -> None:
    """A unit that needs others cannot be made to run before them."""
    if unit.status in (PENDING, asked):
        return
    if links.broken and asked in (AVAILABLE, PENDING):
        culprit = core.dependencies.culprit(unit)
        raise Refused(f"work unit {unit.key!r} needs {culprit}, which failed; retry that first")
    if asked == PENDING and links.unmet:
        raise Refused(f"work unit {unit.key!r} waits for {links.unmet} others")


def _check_locks(roster: Roster, unit: Unit, asked: int) -> None:
    """A unit that needs locks cannot be made to run without them."""
    if asked != PENDING or unit.status == PENDING:
        return
    taken = roster.locks.in_the_way(unit)
    if taken is not None:
        raise Refused(f"work unit {unit.key!r} needs locks: {taken.text}")


def _check(core: Core, wanted: UnitUpdate) -> None:
    if wanted.lease_time is None and wanted.status is None and wanted.data is None:
        raise Refused("nothing to do")
    if wanted.status is not None and wanted.status not in STATUS_NAMES:
        raise Refused(f"status {wanted.status!r:.80} is none of {sorted(STATUS_NAMES)}")
    if wanted.lease_time is not None:
        check_number("lease_time", wanted.lease_time)
    if wanted.delay is not None:
        check_number("delay", wanted.delay, 0)
    if wanted.data is not None:
        check_data(wanted.data, core.settings)


def _check_token(unit: Unit, wanted: UnitUpdate, asked: int) -> None:
    """What only the owner of a unit may do needs its attempt, where the server is told so."""
    if wanted.attempt is not None:
        return
    if PENDING in (unit.status, asked) or wanted.status in ENDED:
        raise Refused(
            f"work unit {unit.key!r} is changed only by who names its attempt"
            " (setting: job_queue.require_token)"
        )


def _asked(unit: Unit, wanted: UnitUpdate) -> int:
    """A lease below zero gives the unit back, whatever else is said of its being pending."""
    asked = unit.status if wanted.status is None else wanted.status
    if asked == PENDING == unit.status and wanted.lease_time is not None and wanted.lease_time < 0:
        return AVAILABLE
    return asked


def _outcome(unit: Unit, wanted: UnitUpdate, asked: int) -> Outcome:
    if wanted.owned:
        return _owners_outcome(unit, wanted, asked)
    if wanted.status is None and asked == unit.status:
        return Outcome.CHANGE if asked == PENDING else Outcome.KEEP
    outcome = ANONYMOUS.get((unit.status, asked))
    if outcome is None:
        raise _no_way(unit, asked)
    return outcome


def _owners_outcome(unit: Unit, wanted: UnitUpdate, asked: int) -> Outcome:
    held = unit.status == PENDING
    if wanted.status == FAILED and not held and _failed_by(unit, wanted):
        return Outcome.IGNORE
    if not _owns(unit, wanted) or not (held or (unit.status in ENDED and wanted.status)):
        raise NotOwner(unit.key, wanted.worker_id, wanted.attempt, unit.worker_id if held else None)
    outcome = OWNED.get((unit.status, asked))
    if outcome is not None:
        return outcome
    if held:
        raise _no_way(unit, asked)
    raise NotOwner(unit.key, wanted.worker_id, wanted.attempt, None)


def _owns(unit: Unit, wanted: UnitUpdate) -> bool:
    """Whether the last hand-out of a unit is the caller's; a worker id alone says less of it."""
    if wanted.worker_id is not None and wanted.worker_id != unit.worker_id:
        return False
    # Who is ended or failed by force, and not by whom it is of, has no owner any more.
    return wanted.attempt is None or (wanted.attempt == unit.attempt and unit.worker_id is not None)


def _no_way(unit: Unit, asked: int) -> Refused:
    old, new = STATUS_NAMES[unit.status], STATUS_NAMES[asked]
    return Refused(f"work unit {unit.key!r} cannot be made {new}, it is {old}")


def _failed_by(unit: Unit, wanted: UnitUpdate) -> bool:
    """Whether the caller failed the unit, which is to be tried again, and nobody had it since.

    0.1.5's runner fails a unit, and then its worker does.
    """
    last = unit.history.attempts[-1] if unit.history and unit.history.attempts else None
    if last is None or unit.worker_id is not None or wanted.attempt not in (None, last.attempt):
        return False
    if wanted.worker_id not in (None, last.worker_id):
        return False
    return (last.outcome, last.attempt) == ("failed", unit.attempt)


def _apply(
    core: Core, roster: Roster, at: Instant, unit: Unit, wanted: UnitUpdate, asked: int
) -> None:
    not_before = None if wanted.delay is None else at.wall + wanted.delay
    if asked == AVAILABLE and unit.status == PENDING:
        by_force = not wanted.owned and wanted.status == AVAILABLE
        roster.give_back(unit, at, "replaced" if by_force else "released", not_before)
    elif asked == AVAILABLE and unit.status in ENDED:
        roster.begin_anew(unit, at, not_before)
    elif asked == AVAILABLE:
        roster.rest(unit, at, not_before)
    elif asked == FAILED and unit.status == PENDING:
        _fail(roster, at, unit, not_before)
    else:
        if unit.status in ENDED or asked == PENDING != unit.status:
            roster.remember_end(unit, at, again=asked not in ENDED)
        before = roster.take_out(unit)
        _force(core, at, unit, wanted, asked)
        roster.put_back(unit, before)


def _fail(roster: Roster, at: Instant, unit: Unit, not_before: float | None) -> None:
    """Fail a unit, or have it tried again."""
    history = unit.past()
    history.failures += 1
    if history.cancel is not None:
        history.reason = history.cancel
        _fail_for_good(roster, at, unit)
        return
    seconds = roster.spec.retries.again(unit.key, history.failures)
    if seconds is None:
        _fail_for_good(roster, at, unit)
    else:
        later = at.wall + seconds if not_before is None else not_before
        roster.give_back(unit, at, "failed", later)


def _fail_for_good(roster: Roster, at: Instant, unit: Unit) -> None:
    before = roster.take_out(unit)
    _end(at, unit, FAILED)
    roster.put_back(unit, before)


def _end(at: Instant, unit: Unit, status: int) -> None:
    unit.status, unit.ended = status, at.wall
    unit.deadline = unit.not_before = None


def _force(core: Core, at: Instant, unit: Unit, wanted: UnitUpdate, asked: int) -> None:
    was_pending = unit.status == PENDING
    if asked in ENDED:
        _end(at, unit, asked)
    elif asked == PENDING:
        unit.status, unit.not_before = PENDING, None
        _lease(core, at, unit, wanted, was_pending)
    else:
        unit.free()
        unit.status = asked


def _lease(core: Core, at: Instant, unit: Unit, wanted: UnitUpdate, was_pending: bool) -> None:
    seconds = DEFAULT_LEASE if wanted.lease_time is None else wanted.lease_time
    if not was_pending:
        unit.free()
        unit.attempt, unit.began = core.next_attempt(), at.wall
    unit.deadline = at.now + min(max(seconds, 0), MAX_LEASE)
