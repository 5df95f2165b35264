"""One spec with its units: every change of a unit's status goes through here."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from coordinate_protocol.constants import (
    AVAILABLE,
    BLOCKED,
    DELAYED,
    FAILED,
    PENDING,
    RUNNABLE,
    STANDARD,
    STATUS_NAMES,
)
from coordinate_server.model.attempts import remember, remember_last
from coordinate_server.model.contents import with_traceback
from coordinate_server.model.endings import Bounds, Endings
from coordinate_server.model.feed import SPECS, units_of
from coordinate_server.model.instant import Instant
from coordinate_server.model.lanes import LaneQueue
from coordinate_server.model.limits import Limit, RateLog
from coordinate_server.model.lock_lanes import LockLanes
from coordinate_server.model.maker import Maker
from coordinate_server.model.queue import ReadyQueue
from coordinate_server.model.rows import id_bytes, spec_row
from coordinate_server.model.shelf import Shelf
from coordinate_server.model.spec import Spec
from coordinate_server.model.statuses import ENDED
from coordinate_server.model.unit import LockSet, Unit
from coordinate_server.model.units import Units

if TYPE_CHECKING:
    from coordinate_server.model.ground import Ground

__all__ = ["Roster"]

Rank = tuple[float, float]
"""The priority of a spec, and that of the unit which it would hand out."""


class Roster:
    """A spec and its units.

    Arguments:
        ground: what the specs of its namespace share.
        spec: the spec as it stands.
    """

    def __init__(self, ground: "Ground", spec: Spec) -> None:
        self._ground, self._core = ground, ground.core
        self.spec = spec
        self.archived: dict[int, int] = {}
        self.key = b""
        self.maker = Maker()
        self.limits: tuple[Limit, ...] = ()
        # What the scheduler found when it last asked: None if the spec cannot hand out anything.
        self.rank: Rank | None = None
        self.idle, self.gone = True, False
        # Whether units that are ready were not looked at yet.
        self.more_to_see = False
        self._empty()
        self._take_limits()
        self.rate_log = None if spec.rate is None else RateLog(spec.rate)

    def _empty(self) -> None:
        committed = self._core.shelving.committed
        self.units = Units(
            None if committed is None else lambda: Shelf(committed, self.key), self._came_back
        )
        self.pending: dict[Unit, None] = {}
        self._counts = dict.fromkeys(STATUS_NAMES, 0)
        self.ready = self._queue()
        ground = self._ground
        self.locks = LockLanes(
            ground.core, ground.locks, self.spec.name, self._offer, self._is_ordered
        )
        self._take_bounds()

    def _came_back(self, unit: Unit) -> None:
        """Take note of a unit that is in memory again."""
        self._core.shelving.note(self.key + unit.key)
        if self.endings is not None:
            self.endings.note_return(unit)

    def _is_ordered(self) -> bool:
        """Whether those that are ready have an order by what is in their data."""
        return isinstance(self.ready, LaneQueue)

    def _offer(self, unit: Unit) -> None:
        """Have a unit be ready that was set aside."""
        self.ready.push(unit)
        self._ground.touch(self)

    def _queue(self) -> ReadyQueue | LaneQueue:
        lanes = self.spec.lanes
        if lanes is None:
            return ReadyQueue(self.units, lambda: self._counts[AVAILABLE])
        return LaneQueue(self.units, lanes.fair_key, lanes.serial_key, lanes.serial_max)

    # ---- the spec itself ----

    def redefine(self, spec: Spec, wall: float) -> None:
        """Have another definition, or other control fields; the units stay."""
        old, self.spec = self.spec, spec
        if spec.lanes != old.lanes:
            if (spec.lanes and spec.lanes.serial_key) != (old.lanes and old.lanes.serial_key):
                self._forget_held()
            self.ready.let_go()
            self.ready = self._queue()
            self.ready.fill()
        if Bounds.of(spec, self._core.settings) != self.bounds:
            self._take_bounds()
        if spec.uses != old.uses:
            self._take_limits()
        if spec.rate != old.rate:
            self._take_rate(self.key)
        if spec.schedule != old.schedule:
            self.maker.plan_anew(spec, wall)
        self.plan(wall)
        self.write()

    def plan(self, wall: float) -> None:
        """Have what is to be made up be due when it is."""
        self.maker.plan(self.spec, wall)
        if self.maker.next is not None:
            self._core.makings.add(self.maker.next, self)
        if self.maker.owed is not None:
            self._core.owing[self] = None
        self._ground.touch(self)

    def _take_limits(self) -> None:
        for limit in self.limits:
            limit.used -= len(self.pending)
            self._ground.touch_limit(limit)
            del limit.users[self]
        self.limits = tuple(self._ground.limit(name) for name in sorted(self.spec.uses))
        for limit in self.limits:
            limit.used += len(self.pending)
            self._ground.touch_limit(limit)
            limit.users[self] = None

    def _take_bounds(self) -> None:
        """Keep the ended units in their order where not all of them stay."""
        self.bounds = Bounds.of(self.spec, self._core.settings)
        self.endings: Endings | None = None
        if self.bounds is None:
            self._core.retention.leave(self)
        else:
            self.endings = Endings(self.units)
            self._core.retention.watch(self)

    def _take_rate(self, old_key: bytes) -> None:
        """Begin a log by the rate as it is now with what is known, and write it down anew."""
        rate, ledger = self.spec.rate, self._core.ledger
        known = () if self.rate_log is None else self.rate_log.moments
        for slot in range(len(known)):
            ledger.rate(old_key, slot, None)
        self.rate_log = None if rate is None else RateLog(rate, known)
        for slot, moment in enumerate(() if self.rate_log is None else self.rate_log.moments):
            ledger.rate(self.key, slot, moment)
        self._await_rate()

    def load_rate(self, ring: Mapping[int, float]) -> None:
        """Take in the moments of hand-outs that are written down, by their slots."""
        if self.spec.rate is not None:
            self.rate_log = RateLog.read(self.spec.rate, ring)
            self._await_rate()

    def note_rate(self, now: float) -> None:
        """Count one hand-out for the rate, if there is one."""
        if self.rate_log is None:
            return
        self._core.ledger.rate(self.key, self.rate_log.note(now), now)
        self._await_rate()

    def _await_rate(self) -> None:
        """Have the scheduler ask again when a full rate has room."""
        frees = None if self.rate_log is None else self.rate_log.frees()
        if frees is not None:
            self._core.rates.add(frees, self)

    def retire(self) -> None:
        """Let all units go, and the spec with them."""
        self._ground.feed.note(SPECS, self.spec.name, None)
        self.drop_units()
        self.gone = True
        self._core.retention.leave(self)
        self._core.owing.pop(self, None)
        for slot in range(0 if self.rate_log is None else len(self.rate_log.moments)):
            self._core.ledger.rate(self.key, slot, None)
        for limit in self.limits:
            del limit.users[self]
        self._let_go()

    def _let_go(self) -> None:
        """Have nothing that leads back here: no collector looks for such circles."""
        ground = self._ground
        self.endings = None
        self.units = Units()
        self.ready.let_go()
        self.ready = ReadyQueue(self.units, lambda: 0)
        self.locks = LockLanes(ground.core, ground.locks, self.spec.name, _nowhere, lambda: False)

    def touch(self) -> None:
        """Have the scheduler ask again what it can hand out."""
        self._ground.touch(self)

    # ---- being written down ----

    def name_row(self, spec_id: int) -> None:
        """Take the id that its rows begin with."""
        old, self.key = self.key, id_bytes(spec_id)
        self._core.shelving.watch(self)
        if self.rate_log is not None and old:
            self._take_rate(old)

    def write(self) -> None:
        """Note that the spec itself changed."""
        self._core.ledger.spec(self.key, self._row)
        self._ground.feed.note(SPECS, self.spec.name, ())

    def _row(self) -> bytes:
        return spec_row(self._ground.name, self.spec, self.archived, self.maker)

    def write_unit(self, unit: Unit) -> None:
        """Note that a unit changed, apart from its data."""
        self._core.ledger.unit(self.key + unit.key, unit)
        if self._ground.feed.on:
            self._show(unit)

    def _show(self, unit: Unit) -> None:
        """Tell those who watch how a unit is."""
        if self._ground.feed.on:
            self._tell(unit, (unit.status, unit.attempt))

    def _tell(self, unit: Unit, state: tuple[int, int] | None) -> None:
        """Tell those who watch how a unit is; None for gone."""
        self._ground.feed.note(units_of(self.spec.name), unit.key, state)

    # ---- units coming and going ----

    def load(self, unit: Unit) -> None:
        """Take in a unit that is written down already; ``loaded`` comes after the last one."""
        self.units.add(unit)
        self._counts[unit.status] += 1
        if unit.status == PENDING:
            self._lease(unit)
            self.locks.restore(unit)
        elif unit.not_before is not None:
            self._core.delays.add(unit.not_before, (self, unit))

    def load_fresh(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        """Do as ``load`` for units that are as they were added, by key and data."""
        add = self.units.add_fresh
        for key, data in rows:
            add(key, data)
        self._counts[AVAILABLE] += len(rows)

    def load_ended(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        """Do as ``load`` for units that have ended, and stay where they are, by keys of rows."""
        for status, number in self.units.shelf().load(rows).items():
            self._counts[status] += number

    def loaded(self) -> None:
        """Take note that all units are here that are written down."""
        self._core.shelving.watch(self)
        self._take_bounds()
        self.ready.fill()
        self._ground.touch(self)

    def add(self, unit: Unit) -> None:
        """Take in a new unit; none of its key may be here."""
        self.units.add(unit)
        self._core.added.append((self, unit))
        self._enter(unit)
        self._ground.touch(self)
        self._core.ledger.data(self.key + unit.key, unit.data)
        # A unit with nothing to it but its data is that row alone.
        if unit.is_fresh():
            self._show(unit)
        else:
            self.write_unit(unit)

    def add_fresh(self, key: bytes, data: bytes) -> None:
        """Do as ``add`` for a unit of which there is nothing to know but its data."""
        if not isinstance(self.ready, ReadyQueue):
            self.add(Unit(key, data))
            return
        self.units.add_fresh(key, data)
        self._counts[AVAILABLE] += 1
        self.ready.put(key, STANDARD)
        self._ground.touch(self)
        self._core.ledger.data(self.key + key, data)
        if self._ground.feed.on:
            self._ground.feed.note(units_of(self.spec.name), key, (AVAILABLE, 0))

    def remove(self, unit: Unit) -> None:
        """Let a unit go, whatever needs it."""
        self._leave(unit)
        self._ground.touch(self)
        self.locks.left(unit)
        if unit.status == PENDING:
            self.ready.returned(unit)
            self.locks.unlock(unit)
        self.units.remove(unit)
        self._core.ledger.forget_unit(self.key, unit)
        self._tell(unit, None)

    def drop_units(self) -> None:
        """Let all units go at once: rows are dropped by the spec's id, so it must get another."""
        if self.units:
            self._ground.feed.forget()
        self.locks.clear()
        for unit in self.pending:
            self._ground.unhold(unit)
        for limit in self.limits:
            limit.used -= len(self.pending)
            self._ground.touch_limit(limit)
        self._core.ledger.drop_units(self.key)
        self._core.shelving.leave(self)
        self._core.ledger.spec(self.key, None)
        self.ready.let_go()
        self._empty()
        self.archived = {}
        self._ground.touch(self)

    def change(self, unit: Unit, change: Callable[[Unit], None]) -> None:
        """Have a unit's status, lease or priority changed by a function.

        Arguments:
            unit: one of its units.
            change: sets the attributes; must not fail.
        """
        before = self.take_out(unit)
        change(unit)
        self.put_back(unit, before)

    def take_out(self, unit: Unit) -> int:
        """Begin to change a unit's status, lease or priority: ``put_back`` must follow at once.

        Returns:
            Its status, for ``put_back``.
        """
        self._leave(unit)
        return unit.status

    def put_back(self, unit: Unit, before: int) -> None:
        """Take in what was changed in a unit since ``take_out``, which gave its status."""
        # What a unit took by its data it keeps while it is pending, renewed or not.
        if before == PENDING != unit.status:
            self.ready.returned(unit)
            self.locks.unlock(unit)
            unit.held = None
            if unit.history is not None:
                unit.history.cancel = None
        elif before != PENDING == unit.status:
            self.ready.took(unit)
            self.locks.lock(unit)
        elif before == AVAILABLE:
            self.locks.left(unit)
        self._enter(unit)
        self._ground.touch(self)
        self.write_unit(unit)
        if unit.links is not None and (before in ENDED or unit.status in ENDED):
            self._ground.dependencies.changed(unit)

    def replace_data(self, unit: Unit, data: bytes) -> None:
        """Give a unit other data."""
        if unit.data != data:
            unit.data = data
            self._core.ledger.data(self.key + unit.key, data)
            self._tell(unit, (unit.status, unit.attempt))
            if unit.status == AVAILABLE:
                self.ready.push(unit)
                self._ground.touch(self)
            elif unit.status == PENDING:
                self._hold(unit, self.ready.holds_other(unit))

    def _hold(self, unit: Unit, held: bytes | None) -> None:
        """Write down what a pending unit has taken where its data do not say it."""
        if unit.held != held:
            unit.held = held
            self.write_unit(unit)

    def _forget_held(self) -> None:
        """Have pending units hold what their data say, by another key."""
        for unit in self.pending:
            self._hold(unit, None)

    def set_locks(self, unit: Unit, locks: LockSet | None) -> None:
        """Have a unit need other locks, from when it is handed out next."""
        if unit.locks != locks:
            self.locks.left(unit)
            self.change(unit, lambda unit: setattr(unit, "locks", locks))

    def _enter(self, unit: Unit) -> None:
        status = unit.status
        self._counts[status] += 1
        if status == AVAILABLE:
            self.ready.push(unit)
        elif status == PENDING:
            self._lease(unit)
        elif status in ENDED:
            self._core.shelving.note(self.key + unit.key)
            if self.endings is not None:
                self.endings.note(unit)
        elif unit.not_before is not None:
            self._core.delays.add(unit.not_before, (self, unit))

    def _leave(self, unit: Unit) -> None:
        self._counts[unit.status] -= 1
        if unit.status == AVAILABLE:
            self.ready.left(unit)
        elif unit.status == PENDING:
            del self.pending[unit]
            self._ground.unhold(unit)
            for limit in self.limits:
                limit.used -= 1
                self._ground.touch_limit(limit)

    def _lease(self, unit: Unit) -> None:
        self.pending[unit] = None
        if unit.deadline is not None:
            self._core.leases.add(unit.deadline, (self, unit))
        self._ground.hold(unit, self)
        for limit in self.limits:
            limit.used += 1
            self._ground.touch_limit(limit)

    # ---- where a unit goes when nobody has it ----

    def rest(self, unit: Unit, at: Instant, not_before: float | None = None) -> None:
        """Put a unit where it waits or, if what it needs has failed, where it ends.

        Arguments:
            unit: one of its units.
            at: the moment.
            not_before: when it may run, on ``wall``; None for at once.
        """

        def change(unit: Unit) -> None:
            unit.free()
            unit.not_before = not_before if not_before and not_before > at.wall else None
            unit.status = self._resting(unit)
            if unit.status == FAILED:
                self._fail_by_need(unit, at)

        self.change(unit, change)

    def remember_end(self, unit: Unit, at: Instant, *, again: bool) -> None:
        """Keep how a unit's last hand-out ended, for what follows is said by force.

        Arguments:
            unit: one of its units.
            at: the moment.
            again: whether it begins anew, or only ends otherwise.
        """
        remember_last(self._core.ledger, self.key, unit, at.wall)
        if unit.history is not None and again:
            unit.history.begin_anew()
        elif unit.history is not None:
            unit.history.reason = unit.history.culprit = None

    def begin_anew(self, unit: Unit, at: Instant, not_before: float | None = None) -> None:
        """Have a unit run again as if it never had, whoever had it and however it ended."""
        self.remember_end(unit, at, again=True)
        self.rest(unit, at, not_before)

    def give_back(
        self, unit: Unit, at: Instant, outcome: str, not_before: float | None = None
    ) -> None:
        """Have a unit be nobody's, for its hand-out is over.

        Arguments:
            unit: one that is pending.
            at: the moment.
            outcome: how the hand-out ended.
            not_before: when the unit may run again, on ``wall``; None for at once.
        """
        cancel = None if unit.history is None else unit.history.cancel
        if cancel is not None and outcome != "replaced":
            self._end_cancelled(unit, at, cancel, outcome)
            return
        remember(self._core.ledger, self.key, unit, outcome, at.wall)
        self.rest(unit, at, not_before)

    # ---- what nobody is to work on any more ----

    def cancel(self, unit: Unit, at: Instant, reason: str, *, now: bool) -> str:
        """Fail a unit, or have whoever has it asked to end it.

        Arguments:
            unit: one of its units.
            at: the moment.
            reason: why, for people.
            now: whether whoever has it loses it at once.

        Returns:
            ``cancelled``, ``asked``, or ``ended`` for one that had ended before.
        """
        if unit.status in ENDED:
            return "ended"
        if unit.status != PENDING or unit.worker_id is None or now:
            self._end_cancelled(unit, at, reason, "cancelled")
            return "cancelled"
        unit.past().cancel = reason
        self._ground.ask_to_end(unit, self)
        self.write_unit(unit)
        return "asked"

    def _end_cancelled(self, unit: Unit, at: Instant, reason: str, outcome: str) -> None:
        """Fail a unit that nobody has from now on, and is not to be tried again."""
        if unit.status == PENDING:
            remember(self._core.ledger, self.key, unit, outcome, at.wall)

        def change(unit: Unit) -> None:
            unit.free()
            unit.status, unit.ended = FAILED, at.wall
            history = unit.past()
            history.reason, history.culprit = reason, None

        self.change(unit, change)
        most = self._core.settings.unit_data_bytes
        self.replace_data(unit, with_traceback(unit.data, reason, most))

    def _resting(self, unit: Unit) -> int:
        links = unit.links
        if links is not None and links.broken:
            return FAILED
        if links is not None and links.unmet:
            return BLOCKED
        return AVAILABLE if unit.not_before is None else DELAYED

    def _fail_by_need(self, unit: Unit, at: Instant) -> None:
        self._blame(unit)
        unit.ended, unit.not_before = at.wall, None

    def _blame(self, unit: Unit) -> None:
        history = unit.past()
        history.culprit = self._ground.dependencies.culprit(unit)
        history.reason = f"needs {history.culprit}, which failed"

    def need_changed(self, unit: Unit, at: Instant, *, mends: bool = False) -> None:
        """Move a unit where it belongs, after something that it needs has changed.

        Arguments:
            unit: one of its units.
            at: the moment.
            mends: whether one of its needs that had failed begins anew.
        """
        if mends and unit.status == FAILED and unit.history and unit.history.culprit:
            if unit.links is not None and unit.links.broken:
                # Others have failed still: the reason is one that is true.
                self._blame(unit)
                self.write_unit(unit)
                return
            unit.past().begin_anew()
            self.rest(unit, at)
        elif unit.status in (AVAILABLE, BLOCKED, DELAYED) and unit.status != self._resting(unit):
            self.rest(unit, at, unit.not_before)

    def wake(self, unit: Unit, at: Instant) -> None:
        """Let a unit's delay end."""
        if unit.status == DELAYED:
            self.rest(unit, at)
        else:
            unit.not_before = None
            self.write_unit(unit)

    def expire(self, unit: Unit, at: Instant) -> None:
        """Let a unit's lease end; one that lost too many ends with it."""
        remember(self._core.ledger, self.key, unit, "lost", at.wall)
        history, most = unit.past(), self.spec.retries.most_lost
        history.lost += 1
        if history.cancel is not None:
            self._end_cancelled(unit, at, history.cancel, "lost")
        elif most is None or history.lost < most:
            self.rest(unit, at)
        else:
            self.fail(unit, at, f"lost {history.lost} leases, of max_lost_leases {most}")

    def fail(self, unit: Unit, at: Instant, reason: str) -> None:
        """Fail a unit for the server's own reason."""

        def change(unit: Unit) -> None:
            unit.status, unit.deadline, unit.not_before = FAILED, None, None
            unit.ended = at.wall
            unit.past().reason = reason

        self.change(unit, change)

    # ---- units that are made up ----

    def made_unit(self) -> Unit | None:
        """Give the unit that was made up last, unless it has ended or is gone."""
        unit = None if self.maker.key is None else self.units.get(self.maker.key)
        return None if unit is None or unit.status in ENDED else unit

    def may_make(self) -> bool:
        """Whether a continuous spec may have a unit made up, if none that is there can go now."""
        if not self.spec.continuous or self.ready.holds_back() or self.locks.waiting:
            return False
        return self.made_unit() is None and self.maker.may_begin(self.spec)

    def make(self, key: bytes, priority: float) -> Unit:
        """Make a unit up; one of that key that is there gives way by a number after it."""
        free, number = key, 0
        while free in self.units:
            number += 1
            free = key + b"-%d" % number
        unit = Unit(free, _EMPTY_MAP, priority)
        self.maker.key = free
        self.add(unit)
        self.write()
        return unit

    # ---- what the scheduler and people ask ----

    def count(self, status: int) -> int:
        """Give how many units there are in a status, without archived ones."""
        return self._counts[status]

    def counts(self) -> dict[int, int]:
        """Give how many units there are in each status that has any, archived ones included."""
        total = {s: n + self.archived.get(s, 0) for s, n in self._counts.items()}
        return {status: number for status, number in total.items() if number}

    def next_unit(self) -> Unit | None:
        """Give the unit that would be handed out next; those whose locks are taken are set aside.

        After a thousand of them there is none for now, and the scheduler is to ask again.
        """
        for _ in range(_MOST_SET_ASIDE):
            unit = self.ready.first()
            if unit is None or self.locks.may_go(unit):
                self.more_to_see = False
                return unit
            self.ready.set_aside(unit)
            self.locks.set_aside(unit)
        self.more_to_see = True
        return None

    def best_priority(self) -> float | None:
        """Give the priority of what would be handed out next; None if there is nothing."""
        # Where a limit is full nothing is handed out anyway, and nothing is to be reserved for it.
        unit = self.next_unit() if self._has_room() else self.ready.first()
        self._ground.bind_to_locks(self, bound=unit is not None and unit.locks is not None)
        if unit is not None:
            return unit.priority
        return STANDARD if self.may_make() else None

    def _has_room(self) -> bool:
        return all(limit.room() for limit in self.limits)

    def room(self, now: float) -> int | None:
        """Give how many more units may be handed out now; None for any number."""
        rooms = [limit.room() for limit in self.limits]
        if self.spec.max_running is not None:
            rooms.append(max(0, self.spec.max_running - len(self.pending)))
        if self.rate_log is not None:
            rooms.append(self.rate_log.room(now))
        return min(rooms, default=None)

    def runs(self) -> bool:
        """Whether the spec is not paused."""
        return self.spec.status == RUNNABLE

    def in_states(self, states: Iterable[int]) -> Iterator[Unit]:
        """Give the units in any of the statuses; the data of those not in memory are missing."""
        wanted = frozenset(states)
        units = self.units.here()
        if self.units.number_shelved(wanted):
            units = chain(units, self.units.shelved_heads())
        return (unit for unit in units if unit.status in wanted)


def _nowhere(unit: Unit) -> None:
    """Offer a unit of a spec that is gone."""
    raise AssertionError(f"{unit.key!r} is of a spec that is gone")


_EMPTY_MAP = b"\xa0"
_MOST_SET_ASIDE = 1000
