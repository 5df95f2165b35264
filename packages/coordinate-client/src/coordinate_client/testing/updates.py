"""What workers tell the server in memory of their units."""

from typing import Any

from attrs import frozen

from coordinate_client.testing.arguments import Options, array, encoded
from coordinate_client.testing.chaining import chain
from coordinate_client.testing.handouts import NEXT_OPTIONS, handed, lease
from coordinate_client.testing.memory import Memory, newest
from coordinate_client.testing.needs import culprit, resting
from coordinate_client.testing.records import ENDED, UnitRecord
from coordinate_client.testing.refusals import NotOwner, Refusal
from coordinate_protocol.constants import (
    AVAILABLE,
    BLOCKED,
    DEFAULT_LEASE,
    DELAYED,
    FAILED,
    FINISHED,
    MAX_LEASE,
    PENDING,
    STATUS_NAMES,
)
from coordinate_protocol.errors import shown
from coordinate_protocol.values import as_text, key_bytes

__all__ = ["UpdateOperations"]

_UPDATE = ("lease_time", "status", "data", "worker_id", "attempt", "delay")
_TRIPLE = 3
# By who has a unit, or had it last: what it may go to, and what is harmless to say twice.
_OWNED = {(PENDING, status) for status in (AVAILABLE, PENDING, FINISHED, FAILED)}
_TWICE = {(FINISHED, FINISHED), (FINISHED, FAILED), (FAILED, FAILED)}


@frozen
class _Update:
    lease_time: float | None
    status: int | None
    data: bytes | None
    worker_id: str | None
    attempt: int | None
    delay: float | None

    @classmethod
    def read(cls, given: object) -> "_Update":
        read = Options.read(given, _UPDATE)
        status, worker_id = read.get("status"), read.get("worker_id")
        if status is not None and status not in STATUS_NAMES:
            raise ValueError(f"status {shown(status)} is none of {sorted(STATUS_NAMES)}")
        return cls(
            read.clamped("lease_time", None, -float(MAX_LEASE), MAX_LEASE),
            status,
            encoded(read.get("data")) if read.get("data") is not None else None,
            None if worker_id is None else as_text(worker_id),
            read.number("attempt", None, 0),
            read.number("delay", None, 0),
        )

    @property
    def owned(self) -> bool:
        """Whether the caller says who it is."""
        return self.worker_id is not None or self.attempt is not None

    def asked(self, unit: UnitRecord) -> int:
        """The status that is asked for; a lease below zero gives the unit back."""
        asked = unit.status if self.status is None else self.status
        if asked == PENDING == unit.status and self.lease_time is not None and self.lease_time < 0:
            return AVAILABLE
        return asked


class UpdateOperations:
    """Renewing, ending, giving back and changing units."""

    memory: Memory

    def update_work_unit(
        self, work_spec_name: object, work_unit_key: object, options: object
    ) -> tuple[bool, str | None]:
        """Change one unit."""
        return True, self._do(work_spec_name, work_unit_key, _Update.read(options))

    def update_work_units(self, updates: object, options: object = None) -> tuple[Any, Any, None]:
        """Change many units, and lease the next ones."""
        read = Options.read(options, ("get_work",))
        planned = [_planned(item) for item in array(updates, "updates")]
        asked = read.get("get_work")
        following = Options.read(asked, (*NEXT_OPTIONS, "worker_id"))
        results = [self._done(*update) for update in planned]
        if asked is None:
            return results, None, None
        units = lease(self.memory, as_text(following.get("worker_id")), following)
        return results, [handed(unit, attempts=True) for unit in units], None

    def _done(self, name: Any, key: Any, update: _Update) -> dict[str, Any]:
        try:
            message = self._do(name, key, update)
        except Refusal as error:
            return {"done": False, "code": error.code, "message": str(error)}
        return {"done": True} if message is None else {"done": True, "message": message}

    def _do(self, name: Any, key: Any, update: _Update) -> str | None:
        unit = self.memory.unit(as_text(name), key_bytes(key))
        asked, before = update.asked(unit), unit.status
        _check(unit, update, asked)
        if _said_twice(unit, update, asked):
            return None
        unit.data = unit.data if update.data is None else update.data
        changes = asked != before or (asked == PENDING and update.lease_time is not None)
        if changes:
            self._apply(unit, update, asked)
        fault = chain(self.memory, unit) if changes and asked == FINISHED else None
        self.memory.needs.settle()
        return fault

    def _apply(self, unit: UnitRecord, update: _Update, asked: int) -> None:
        memory = self.memory
        not_before = None if update.delay is None else memory.clock.wall + update.delay
        if asked == AVAILABLE and unit.status == PENDING:
            by_force = not update.owned and update.status == AVAILABLE
            memory.give_back(unit, "replaced" if by_force else "released", not_before)
        elif asked == AVAILABLE and unit.status in ENDED:
            memory.begin_anew(unit, not_before)
        elif asked == AVAILABLE:
            memory.rest(unit, not_before)
        elif asked == FAILED and unit.status == PENDING:
            memory.fail(unit, not_before)
        elif asked == PENDING == unit.status:
            seconds = DEFAULT_LEASE if update.lease_time is None else update.lease_time
            unit.deadline = memory.clock.wall + max(seconds, 0)
        else:
            self._force(unit, update, asked)

    def _force(self, unit: UnitRecord, update: _Update, asked: int) -> None:
        memory = self.memory
        if unit.status in ENDED or asked == PENDING:
            memory.remember_end(unit)
            if asked not in ENDED:
                unit.forget_past()
            unit.reason = unit.culprit = None
        if asked in ENDED:
            memory.end(unit, asked)
        elif asked == PENDING:
            seconds = DEFAULT_LEASE if update.lease_time is None else update.lease_time
            memory.begin(unit, None, max(seconds, 0))
            memory.needs.changed(unit)
        else:
            unit.free()
            unit.status = asked
            memory.needs.changed(unit)


def _planned(item: object) -> tuple[Any, Any, _Update]:
    if not isinstance(item, list | tuple) or len(item) != _TRIPLE:
        raise ValueError(f"an update should be (spec, key, options), not {shown(item)}")
    return item[0], item[1], _Update.read(item[2])


# ---- who may ---


def _check(unit: UnitRecord, update: _Update, asked: int) -> None:
    if update.lease_time is None and update.status is None and update.data is None:
        raise Refusal("nothing to do")
    if update.owned:
        _check_owner(unit, update, asked)
    elif asked == DELAYED != unit.status or (asked == DELAYED and update.status is not None):
        raise _no_way(unit, asked)
    if _said_twice(unit, update, asked):
        return
    _check_needs(unit, asked)
    if update.delay is not None and asked not in (AVAILABLE, FAILED):
        raise Refusal("delay means nothing unless the unit is given back, retried or failed")


def _said_twice(unit: UnitRecord, update: _Update, asked: int) -> bool:
    """Whether a call is answered as if it had worked, and changes nothing."""
    if not update.owned:
        return (unit.status, asked) == (FINISHED, FAILED)
    if update.status == FAILED and unit.status != PENDING and _failed_by(unit, update):
        return True
    return (unit.status, asked) in _TWICE


def _check_owner(unit: UnitRecord, update: _Update, asked: int) -> None:
    held = unit.status == PENDING
    if update.status == FAILED and not held and _failed_by(unit, update):
        return
    owner = unit.worker_id if held else None
    if not _owns(unit, update) or not (held or (unit.status in ENDED and update.status)):
        raise NotOwner(unit.key, owner)
    if (unit.status, asked) in _OWNED | _TWICE:
        return
    raise _no_way(unit, asked) if held else NotOwner(unit.key, None)


def _owns(unit: UnitRecord, update: _Update) -> bool:
    """Whether the last hand-out of a unit is the caller's."""
    if update.worker_id is not None and update.worker_id != unit.worker_id:
        return False
    return update.attempt is None or (update.attempt == unit.attempt and unit.worker_id is not None)


def _failed_by(unit: UnitRecord, update: _Update) -> bool:
    """Whether the caller failed the unit, which is tried again, and nobody had it since."""
    last = unit.past[-1] if unit.past else None
    if last is None or unit.worker_id is not None or update.attempt not in (None, last.attempt):
        return False
    if update.worker_id not in (None, last.worker_id):
        return False
    return last.outcome == "failed" and newest(unit) == unit.attempt


def _check_needs(unit: UnitRecord, asked: int) -> None:
    """A unit that needs others cannot be made to run before them."""
    if not unit.needs or unit.status in (PENDING, asked) or asked not in (AVAILABLE, PENDING):
        return
    rests = resting(unit)
    if rests == FAILED:
        raise Refusal(
            f"work unit {unit.key!r} needs {culprit(unit)}, which failed; retry that first"
        )
    if asked == PENDING and rests == BLOCKED:
        raise Refusal(f"work unit {unit.key!r} waits for {unit.blocked_by} others")


def _no_way(unit: UnitRecord, asked: int) -> Refusal:
    old, new = STATUS_NAMES[unit.status], STATUS_NAMES[asked]
    return Refusal(f"work unit {unit.key!r} cannot be made {new}, it is {old}")
