"""What keeps a whole spec from handing out, in order: the scheduler asks, and explanations tell.

What depends on who asks, and on other specs, comes after these (``view``).
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from attrs import frozen

from coordinate_protocol.constants import AVAILABLE, BLOCKED, DELAYED, PENDING, RUNNABLE
from coordinate_server.model.instant import Instant
from coordinate_server.model.limits import Limit
from coordinate_server.model.reasons import Reason, are, units

if TYPE_CHECKING:
    from coordinate_server.model.roster import Roster

__all__ = ["GATES", "IDLE", "LOCKED", "Gate", "closed_gate", "limit_reasons"]

_HOLDERS = 10


@frozen
class Gate:
    """One thing that can keep a spec from handing out.

    Arguments:
        code: its name.
        closed: whether it does.
        tell: why, to be asked only if it does.
    """

    code: str
    closed: "Callable[[Roster, Instant], bool]"
    tell: "Callable[[Roster, Instant], Reason]"


def closed_gate(roster: "Roster", at: Instant) -> Gate | None:
    """Give the first gate that is closed, or None."""
    for gate in GATES:
        if gate.closed(roster, at):
            return gate
    return None


def limit_reasons(roster: "Roster") -> list[Reason]:
    """Tell which of the limits that a spec shares are full."""
    return [_limit(limit) for limit in roster.limits if not limit.room()]


def _no_work(roster: "Roster", at: Instant) -> bool:
    del at
    return not roster.count(AVAILABLE) and not roster.may_make()


def _tell_no_work(roster: "Roster", at: Instant) -> Reason:
    if roster.spec.schedule is not None and roster.maker.next is not None:
        moment = roster.maker.next
        text = f"no unit is available; the schedule makes one in {moment - at.wall:.0f} s"
        return Reason("not_due", text, {"at": moment})
    if roster.spec.continuous and roster.made_unit() is not None:
        return Reason("not_due", "the unit that was made up last has not ended")
    if roster.spec.continuous and roster.maker.next is not None:
        moment = roster.maker.next
        text = f"no unit is available; one may be made up in {moment - at.wall:.0f} s (interval)"
        return Reason("not_due", text, {"at": moment})
    waiting = {PENDING: "pending", BLOCKED: "blocked", DELAYED: "delayed"}
    numbers = [(roster.count(status), name) for status, name in waiting.items()]
    said = ", ".join(f"{number:,} {name}" for number, name in numbers if number)
    return Reason("no_work", f"no unit is available ({said})" if said else "no unit is available")


def _paused(roster: "Roster", at: Instant) -> bool:
    del at
    return roster.spec.status != RUNNABLE


def _tell_paused(roster: "Roster", at: Instant) -> Reason:
    del at
    disabled = " (its definition says disabled)" if roster.spec.definition.get("disabled") else ""
    return Reason("paused", f"the work spec is paused{disabled}")


def _full(roster: "Roster", at: Instant) -> bool:
    del at
    return roster.spec.max_running is not None and len(roster.pending) >= roster.spec.max_running


def _tell_full(roster: "Roster", at: Instant) -> Reason:
    del at
    most, number = roster.spec.max_running, len(roster.pending)
    details = {"max_running": most, "pending": number, "holders": _holders([roster])}
    text = f"{units(number)} {are(number)} pending, of max_running {most}"
    return Reason("max_running", text, details)


def _rated(roster: "Roster", at: Instant) -> bool:
    return roster.rate_log is not None and roster.rate_log.full_until(at.now) is not None


def _tell_rated(roster: "Roster", at: Instant) -> Reason:
    until = None if roster.rate_log is None else roster.rate_log.full_until(at.now)
    rate = roster.spec.rate
    if until is None or rate is None:
        raise AssertionError("asked about a rate that is not full")
    seconds = until - at.now
    was = "was" if rate.units == 1 else "were"
    text = (
        f"{units(rate.units)} {was} handed out in {rate.seconds:g} s; the next in {seconds:.1f} s"
    )
    details = {"units": rate.units, "seconds": rate.seconds, "at": at.wall + seconds}
    return Reason("rate", text, details)


def _crowded(roster: "Roster", at: Instant) -> bool:
    del at
    return roster.ready.holds_back()


def _tell_crowded(roster: "Roster", at: Instant) -> Reason:
    del at
    lanes = roster.spec.lanes
    if lanes is None:
        raise AssertionError("asked about lanes of a spec that has none")
    number = roster.count(AVAILABLE) - roster.locks.waiting
    text = (
        f"all {number} available units have a value of {lanes.serial_key!r} of which"
        f" {lanes.serial_max} are pending"
    )
    return Reason("serial", text, {"key": lanes.serial_key, "serial_max": lanes.serial_max})


def _limit(limit: Limit) -> Reason:
    name, most = limit.name, limit.most
    if most is None:
        text = f"limit {name!r} is not defined by the server (setting: job_queue.limits)"
        return Reason("limit", text, {"limit": name})
    text = f"limit {name!r} is full: {units(limit.used)} {are(limit.used)} pending, of {most}"
    details = {"limit": name, "most": most, "pending": limit.used}
    return Reason("limit", text, {**details, "holders": _holders(limit.users)})


def _holders(rosters: "Iterable[Roster]") -> list[dict[str, object]]:
    """Name some of the units that are pending, and who has them."""
    holders: list[dict[str, object]] = []
    for roster in rosters:
        for unit in roster.pending:
            name = {"work_spec_name": roster.spec.name, "work_unit_key": unit.key}
            holders.append({**name, "worker_id": unit.worker_id})
            if len(holders) == _HOLDERS:
                return holders
    return holders


def _locked(roster: "Roster", at: Instant) -> bool:
    del at
    return roster.locks.waiting > 0 and roster.best_priority() is None


def _tell_locked(roster: "Roster", at: Instant) -> Reason:
    del at
    denied = roster.locks.first_in_the_way()
    text = f"{units(roster.locks.waiting)} {are(roster.locks.waiting)} waiting for locks"
    if denied is None:
        return Reason("lock", text)
    return Reason("lock", f"{text}: {denied.text}", {"locker_id": denied.holder})


GATES = (
    Gate("no_work", _no_work, _tell_no_work),
    Gate("paused", _paused, _tell_paused),
    Gate("max_running", _full, _tell_full),
    Gate("rate", _rated, _tell_rated),
    Gate("serial", _crowded, _tell_crowded),
)
"""In the order in which they are asked."""

LOCKED = Gate("lock", _locked, _tell_locked)
"""What is asked last: to look for a unit whose locks are free sets aside those whose are not."""

IDLE = GATES[0]
"""The gate that is closed for want of work."""
