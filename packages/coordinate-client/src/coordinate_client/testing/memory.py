"""The specs and units of the server in memory, and what becomes of units by themselves."""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any
from zlib import crc32

from coordinate_client.testing.clock import FakeClock
from coordinate_client.testing.needs import Needs, culprit, resting
from coordinate_client.testing.records import AttemptRecord, SpecRecord, UnitRecord
from coordinate_client.testing.refusals import NoSuchSpec, NoSuchUnit
from coordinate_protocol.codec import decode
from coordinate_protocol.constants import BLOCKED, DELAYED, FAILED, FINISHED, MAX_WAIT, PENDING
from coordinate_protocol.limits import ANSWER_LIMITS

__all__ = ["Memory", "content", "newest"]

_TRACEBACK_KEPT = 8192
_CHANCES = 1 << 32
_OUTCOMES = {PENDING: "pending", FINISHED: "finished", FAILED: "failed"}


class Memory:
    """One namespace.

    Attributes:
        specs: its work specs by name.
        clock: the time.
        needs: what units need of each other.
    """

    def __init__(self, clock: FakeClock) -> None:
        """Begin empty.

        Args:
            clock: the time.
        """
        self.specs: dict[str, SpecRecord] = {}
        self.clock = clock
        self.needs = Needs(self)
        # As of a real server that starts now: no token may be lower than one of an earlier server.
        self._numbers = count(int(clock.wall * 1_000_000) + 1)

    # ---- finding ----

    def spec(self, name: str) -> SpecRecord:
        """A spec by its name.

        Raises:
            NoSuchSpec: where there is none.
        """
        if name not in self.specs:
            raise NoSuchSpec(name)
        return self.specs[name]

    def unit(self, name: str, key: bytes) -> UnitRecord:
        """A unit by its spec and key.

        Raises:
            NoSuchSpec: where there is no such spec.
            NoSuchUnit: where it has no such unit.
        """
        units = self.spec(name).units
        if key not in units:
            raise NoSuchUnit(key)
        return units[key]

    def units(self) -> Iterator[UnitRecord]:
        """All units."""
        return (unit for spec in self.specs.values() for unit in spec.units.values())

    def next_number(self) -> int:
        """The number of a hand-out, or the token of a lock; higher than all before."""
        return next(self._numbers)

    # ---- what time does ----

    def next_due(self) -> float | None:
        """When a lease or a delay ends next; None for never."""
        ends = [moment for unit in self.units() for moment in (unit.deadline, unit.not_before)]
        return min((moment for moment in ends if moment is not None), default=None)

    def pass_time(self, until: float) -> None:
        """Let time go by until something happens, or a moment has come.

        Raises:
            ValueError: where nothing will happen for a day.
        """
        due = self.next_due()
        if due is None and until - self.clock.wall >= MAX_WAIT:
            raise ValueError("would wait for ever: nothing is leased or delayed")
        self.clock.advance(min(until, until if due is None else due) - self.clock.wall)
        self.run_due()

    def run_due(self) -> None:
        """Have the leases and delays end whose time has come."""
        now = self.clock.wall
        for unit in list(self.units()):
            if unit.deadline is not None and unit.deadline <= now:
                self.lose(unit)
            elif unit.not_before is not None and unit.not_before <= now:
                self._wake(unit)
        self.needs.settle()

    def _wake(self, unit: UnitRecord) -> None:
        unit.not_before = None
        if unit.status == DELAYED:
            self.rest(unit)

    def lose(self, unit: UnitRecord) -> None:
        """Have a lease end."""
        self.remember(unit, "lost")
        unit.lost += 1
        most = unit.spec.definition.get("max_lost_leases")
        if most is None or unit.lost < most:
            self.rest(unit)
        else:
            unit.reason = f"lost {unit.lost} leases, of max_lost_leases {most}"
            self.end(unit, FAILED)

    # ---- from one status to another ----

    def begin(self, unit: UnitRecord, worker_id: str | None, lease: float) -> None:
        """Have somebody lease a unit."""
        unit.free()
        unit.status, unit.worker_id = PENDING, worker_id
        unit.attempt, unit.began = self.next_number(), self.clock.wall
        unit.deadline = self.clock.wall + lease

    def end(self, unit: UnitRecord, status: int) -> None:
        """Have a unit end; whose it was is kept."""
        unit.status, unit.ended = status, self.clock.wall
        unit.deadline = unit.not_before = None
        self.needs.changed(unit)

    def fail(self, unit: UnitRecord, not_before: float | None) -> None:
        """Fail a leased unit, or have it tried again.

        Args:
            unit: which.
            not_before: when it may be tried again; None for when its spec says.
        """
        unit.failures += 1
        seconds = retry_delay(unit)
        if seconds is None:
            self.end(unit, FAILED)
        else:
            later = self.clock.wall + seconds if not_before is None else not_before
            self.give_back(unit, "failed", later)

    def give_back(self, unit: UnitRecord, outcome: str, not_before: float | None = None) -> None:
        """Have a leased unit be nobody's.

        Args:
            unit: which.
            outcome: how its hand-out ended.
            not_before: when it may run again; None for at once.
        """
        self.remember(unit, outcome)
        self.rest(unit, not_before)

    def begin_anew(self, unit: UnitRecord, not_before: float | None = None) -> None:
        """Have a unit run again as if it never had, whoever had it and however it ended."""
        self.remember_end(unit)
        unit.forget_past()
        self.rest(unit, not_before)

    def rest(self, unit: UnitRecord, not_before: float | None = None) -> None:
        """Put a unit where it waits or, where what it needs has failed, where it ends."""
        unit.free()
        if not_before is not None and not_before > self.clock.wall:
            unit.not_before = not_before
        unit.status = resting(unit)
        if unit.status == FAILED:
            self.blame(unit)
            unit.ended, unit.not_before = self.clock.wall, None
        self.needs.changed(unit)

    def admit(self, unit: UnitRecord) -> None:
        """Give a new unit the status that it begins with."""
        unit.status = resting(unit)
        if unit.status == FAILED:
            unit.status = BLOCKED

    def blame(self, unit: UnitRecord) -> None:
        """Say which of a unit's needs has failed it."""
        unit.culprit = culprit(unit)
        unit.reason = f"needs {unit.culprit}, which failed"

    # ---- what is remembered ----

    def remember(self, unit: UnitRecord, outcome: str, ended: float | None = None) -> None:
        """Keep a unit's last hand-out, if there was one that is not kept yet."""
        if unit.attempt > newest(unit):
            unit.past.append(_last(unit, outcome, self.clock.wall if ended is None else ended))

    def remember_end(self, unit: UnitRecord) -> None:
        """Keep the last hand-out of a unit that is about to begin anew, or to end otherwise."""
        outcome = {FINISHED: "finished", FAILED: "failed"}.get(unit.status, "replaced")
        self.remember(unit, outcome, unit.ended)

    def attempts(self, unit: UnitRecord) -> list[AttemptRecord]:
        """All hand-outs of a unit, oldest first."""
        if unit.attempt <= newest(unit):
            return list(unit.past)
        return [*unit.past, _last(unit, _OUTCOMES.get(unit.status, "replaced"), unit.ended)]


def newest(unit: UnitRecord) -> int:
    """The number of the latest hand-out that is kept."""
    return unit.past[-1].attempt if unit.past else 0


def content(data: bytes, name: str) -> Any:
    """What a unit's data have under a name; None where they have nothing, or are no map."""
    value = decode(data, ANSWER_LIMITS, integer_keys=True)
    return value.get(name, value.get(name.encode())) if isinstance(value, Mapping) else None


def retry_delay(unit: UnitRecord) -> float | None:
    """Seconds until a unit that failed is tried again; None for never."""
    spec, number = unit.spec, unit.failures
    most = spec.definition.get("max_retries")
    if most is None or number > most:
        return None
    grown = spec.said("retry_delay", 0.0) * float(spec.said("retry_backoff", 2)) ** (number - 1)
    share = crc32(b"%b/%d" % (unit.key, number)) / _CHANCES
    delay = min(grown, spec.said("retry_delay_max", 3600.0))
    return float(delay * (1 - spec.said("retry_jitter", 0.25) * share))


def _last(unit: UnitRecord, outcome: str, ended: float | None) -> AttemptRecord:
    failed = outcome == "failed"
    traceback = content(unit.data, "traceback") if failed else None
    return AttemptRecord(
        unit.attempt,
        unit.worker_id,
        unit.began,
        ended,
        outcome,
        unit.reason if failed else None,
        traceback[-_TRACEBACK_KEPT:] if isinstance(traceback, str) else None,
    )
