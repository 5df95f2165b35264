"""The units of one spec that need locks: those that cannot have them are set aside.

Units that need the same locks are one *lane*. The lane stands in the queue of the locks as anybody
does, for all of its units: a thousand that need one lock are set aside once each, and looked at one
by one. When its turn comes the locks are reserved for the lane, and its best unit is ready again
(all of them, where the spec has an order of its own by what is in the data); whichever of them is
handed out takes the locks.

A reservation that no worker comes for is given up after some seconds, so that a spec that nobody
works on keeps nobody else from anything; what is ready stays so, and has to find its locks free.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final

from coordinate_server.model.instant import Instant
from coordinate_server.model.locks import Attempt, Denied, Locks, UnitClaim, UnitName
from coordinate_server.model.locks.outcomes import denied
from coordinate_server.model.queue import Place
from coordinate_server.model.unit import LockSet, Unit

if TYPE_CHECKING:
    from coordinate_server.model.core import Core

__all__ = ["RESERVED_SECONDS", "Lane", "LockLanes", "is_reserved"]

RESERVED_SECONDS: Final = 10.0
"""So long locks stay reserved for units that nobody takes."""

_SLACK: Final = 64


class Lane:
    """The units that need one set of locks, of which some cannot have them now.

    Unless it waits in the queue, one of its units at least is ready.

    Arguments:
        wanted: the locks.

    Attributes:
        claim: its place in the queue of the locks, or what is reserved for it; None for neither.
        until: when a reservation is given up, on ``now``.
        waiting: the units that are set aside, by key.
        ready: those that were set aside and are ready again.
    """

    __slots__ = ("_heap", "claim", "ready", "until", "waiting", "wanted")

    def __init__(self, wanted: LockSet) -> None:
        self.wanted = wanted
        self.claim: UnitClaim | None = None
        self.until: float | None = None
        self.waiting: dict[bytes, Unit] = {}
        self.ready: dict[Unit, None] = {}
        # Where those that wait are in the order; an entry may have become pointless.
        self._heap: list[Place] = []

    @property
    def reserved(self) -> bool:
        """Whether its locks are free for its units, and for nobody else."""
        return self.claim is not None and self.claim.free

    def add(self, unit: Unit) -> None:
        """Set a unit aside."""
        self.ready.pop(unit, None)
        self.waiting[unit.key] = unit
        heappush(self._heap, _place(unit))
        if len(self._heap) > 2 * len(self.waiting) + _SLACK:
            self._heap = [_place(unit) for unit in self.waiting.values()]
            heapify(self._heap)

    def best(self) -> Unit | None:
        """Give the unit set aside that goes first, or None; it stays."""
        while self._heap:
            priority, key = self._heap[0]
            unit = self.waiting.get(key)
            if unit is not None and -unit.priority == priority:
                return unit
            heappop(self._heap)
        return None


class LockLanes:
    """The lanes of one spec, and the locks that its pending units have.

    Arguments:
        core: what the model shares.
        locks: those of the namespace.
        spec: the spec's name.
        offer: puts a unit back among those that are ready.
        ordered: whether these have an order of their own, so that all of a lane are offered.

    Attributes:
        waiting: how many units are set aside.
    """

    def __init__(
        self,
        core: "Core",
        locks: Locks,
        spec: str,
        offer: Callable[[Unit], None],
        ordered: Callable[[], bool],
    ) -> None:
        self._core, self._locks, self._spec = core, locks, spec
        self._offer, self._ordered = offer, ordered
        self._lanes: dict[LockSet, Lane] = {}
        self._held: dict[Unit, UnitClaim] = {}
        self.waiting = 0

    def _lane(self, unit: Unit) -> Lane | None:
        return None if unit.locks is None else self._lanes.get(unit.locks)

    # ---- units that are ready ----

    def may_go(self, unit: Unit) -> bool:
        """Whether a unit that is ready can have its locks now."""
        if unit.locks is None:
            return True
        lane = self._lane(unit)
        if lane is not None and unit.key in lane.waiting:
            # An entry of before it was set aside.
            return False
        reserved = lane is not None and lane.reserved
        return reserved or self._locks.units.free_for(unit.locks)

    def set_aside(self, unit: Unit) -> None:
        """Have a unit wait that may not go; it has been taken out of those that are ready."""
        if unit.locks is None:
            raise AssertionError("what needs no locks may go")
        lane = self._lane(unit)
        if lane is None:
            lane = self._lanes[unit.locks] = Lane(unit.locks)
        if unit.key not in lane.waiting:
            lane.add(unit)
            self.waiting += 1
        if lane.claim is None:
            self._stand(lane)

    def left(self, unit: Unit) -> None:
        """Note that a unit is not available any more, or about to be in another place."""
        lane = self._lane(unit)
        if lane is None:
            return
        self._take_out(lane, unit)
        self._go_on(lane)

    def _take_out(self, lane: Lane, unit: Unit) -> None:
        if lane.waiting.pop(unit.key, None) is not None:
            self.waiting -= 1
        lane.ready.pop(unit, None)
        others = lane.waiting or {other.key: other for other in lane.ready}
        if lane.claim is not None and lane.claim.unit.key == unit.key and others:
            lane.claim.name(UnitName(self._spec, next(iter(others))))

    # ---- lanes in the queue ----

    def _stand(self, lane: Lane) -> None:
        """Have a lane come last in the queue of the locks."""
        name = UnitName(self._spec, next(iter(lane.waiting)))
        lane.claim = self._locks.units.stand(
            self._core.at, name, lane.wanted, lambda at: self._freed(lane, at)
        )
        if lane.claim.free:
            self._freed(lane, self._core.at)

    def _freed(self, lane: Lane, at: Instant) -> None:
        lane.until = at.now + RESERVED_SECONDS
        self._core.reservations.add(lane.until, (self, lane))
        self._go_on(lane)

    def _go_on(self, lane: Lane) -> None:
        """Have what a lane promises be so: a unit of it is ready, or it waits, or it is gone."""
        if not lane.waiting and not lane.ready:
            del self._lanes[lane.wanted]
            self.give_up(lane)
        elif not lane.ready and (lane.claim is None or lane.claim.free):
            self._offer_best(lane)

    def _offer_best(self, lane: Lane) -> None:
        while (unit := lane.best()) is not None:
            del lane.waiting[unit.key]
            self.waiting -= 1
            lane.ready[unit] = None
            self._offer(unit)
            if not self._ordered():
                break

    def give_up(self, lane: Lane) -> None:
        """Reserve nothing any more for a lane that nobody takes a unit of."""
        lane.until = None
        claim, lane.claim = lane.claim, None
        if claim is not None:
            self._locks.units.release(self._core.at, claim)

    # ---- what people ask ----

    def in_the_way(self, unit: Unit) -> Denied | None:
        """Say what keeps a unit from having its locks now, or None."""
        lane = self._lane(unit)
        if unit.locks is None or (lane is not None and lane.reserved):
            return None
        blocked = self._locks.units.in_the_way(unit.locks)
        return None if blocked is None else denied(*blocked)

    def first_in_the_way(self) -> Denied | None:
        """Say the same of the first unit that is set aside."""
        for lane in self._lanes.values():
            best = lane.best()
            if best is not None:
                return self.in_the_way(best)
        return None

    # ---- units that are pending ----

    def lock(self, unit: Unit) -> None:
        """Give a unit that has become pending its locks, which are free for it."""
        if unit.locks is None:
            return
        at, name, attempt = self._core.at, UnitName(self._spec, unit.key), _attempt(unit)
        lane, claim = self._lane(unit), None
        if lane is not None:
            self._take_out(lane, unit)
            if lane.reserved:
                claim, lane.claim, lane.until = lane.claim, None, None
        if claim is None:
            claim = self._locks.units.grant_to(at, name, unit.locks, attempt)
        else:
            claim.name(name)
            self._locks.units.take(at, claim, attempt)
        self._held[unit] = claim
        if lane is not None:
            if lane.claim is None and lane.waiting:
                self._stand(lane)
            self._go_on(lane)

    def restore(self, unit: Unit) -> None:
        """Give a pending unit what it had, by what is written down."""
        if unit.locks is None:
            return
        at, name = self._core.at, UnitName(self._spec, unit.key)
        had_for = max(0.0, at.wall - (at.wall if unit.began is None else unit.began))
        since = Instant(at.now - had_for, at.wall)
        self._held[unit] = self._locks.units.restore(since, name, unit.locks, _attempt(unit))

    def unlock(self, unit: Unit) -> None:
        """Free what a unit has that is not pending any more."""
        claim = self._held.pop(unit, None)
        if claim is not None:
            self._locks.units.release(self._core.at, claim)

    def clear(self) -> None:
        """Let all units go at once."""
        held, self._held = self._held, {}
        lanes, self._lanes = self._lanes, {}
        self.waiting = 0
        for lane in lanes.values():
            lane.waiting.clear()
            lane.ready.clear()
            self.give_up(lane)
        for claim in held.values():
            self._locks.units.release(self._core.at, claim)


def is_reserved(item: tuple[LockLanes, Lane], moment: float) -> bool:
    """Whether a reservation still ends at that moment."""
    return item[1].until == moment


def _attempt(unit: Unit) -> Attempt:
    return Attempt(unit.worker_id or "", unit.attempt)


def _place(unit: Unit) -> Place:
    return -unit.priority, unit.key
