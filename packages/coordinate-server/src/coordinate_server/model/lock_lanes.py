"""The units of one spec that need locks: those that cannot have them are set aside.

Units that need the same locks are one *lane*. The lane stands in the queue of the locks as anybody
does; when its turn comes, its best unit is ready again, and what the lane has reserved is that
unit's. So a thousand units that need one lock are set aside once each, and looked at one by one.

A reservation that no worker comes for is given up after some seconds, so that a spec that nobody
works on keeps nobody else from anything; its best unit stays ready, and has to find its locks free.
"""

from collections.abc import Callable
from heapq import heappop, heappush
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
"""So long locks stay reserved for a unit that nobody takes."""


class Lane:
    """The units that need one set of locks, of which some cannot have them now.

    Arguments:
        wanted: the locks.

    Attributes:
        claim: its place in the queue of the locks; None while nothing is reserved.
        chosen: its unit that is ready; None while its locks are not free.
        until: when the reservation of the chosen one is given up, on ``now``.
    """

    __slots__ = ("chosen", "claim", "heap", "until", "waiting", "wanted")

    def __init__(self, wanted: LockSet) -> None:
        self.wanted = wanted
        self.claim: UnitClaim | None = None
        self.chosen: Unit | None = None
        self.until: float | None = None
        # Those set aside, and where they are in the order; an entry may have become pointless.
        self.waiting: dict[bytes, Unit] = {}
        self.heap: list[Place] = []

    def add(self, unit: Unit) -> None:
        """Set a unit aside."""
        self.waiting[unit.key] = unit
        heappush(self.heap, _place(unit))

    def best(self) -> Unit | None:
        """Give the unit set aside that goes first, or None; it stays."""
        while self.heap:
            priority, key = self.heap[0]
            unit = self.waiting.get(key)
            if unit is not None and -unit.priority == priority:
                return unit
            heappop(self.heap)
        return None


class LockLanes:
    """The lanes of one spec, and the locks that its pending units have.

    Arguments:
        core: what the model shares.
        locks: those of the namespace.
        spec: the spec's name.
        offer: puts a unit back among those that are ready.
    """

    def __init__(
        self, core: "Core", locks: Locks, spec: str, offer: Callable[[Unit], None]
    ) -> None:
        self._core, self._locks, self._spec, self._offer = core, locks, spec, offer
        self._lanes: dict[LockSet, Lane] = {}
        self._held: dict[Unit, UnitClaim] = {}

    # ---- units that are ready ----

    def may_go(self, unit: Unit) -> bool:
        """Whether the unit that would be next can have its locks; else it is set aside."""
        if unit.locks is None:
            return True
        lane = self._lanes.get(unit.locks)
        if lane is None:
            if self._locks.units.free_for(unit.locks):
                return True
            lane = self._lanes[unit.locks] = Lane(unit.locks)
        if unit.key in lane.waiting:
            return False
        if unit is not lane.chosen and not self._goes_first(lane, unit):
            lane.add(unit)
            self._stand(lane)
            return False
        if lane.claim is not None or self._locks.units.free_for(lane.wanted):
            return True
        lane.chosen = None
        lane.add(unit)
        self._stand(lane)
        return False

    def _goes_first(self, lane: Lane, unit: Unit) -> bool:
        """Let a better unit have what is reserved for its lane."""
        if lane.chosen is None or _place(unit) > _place(lane.chosen):
            return False
        lane.add(lane.chosen)
        lane.chosen = unit
        return True

    def left(self, unit: Unit) -> None:
        """Note that a unit is not available any more, or about to be in another place."""
        lane = None if unit.locks is None else self._lanes.get(unit.locks)
        if lane is None:
            return
        if lane.chosen is unit:
            lane.chosen = None
            self._choose(lane)
        elif lane.waiting.pop(unit.key, None) is not None and not lane.waiting:
            self._drop_if_empty(lane)

    # ---- lanes in the queue ----

    def _stand(self, lane: Lane) -> None:
        """Have a lane stand in the queue, unless it does."""
        if lane.claim is None:
            unit = UnitName(self._spec, next(iter(lane.waiting)))
            lane.claim = self._locks.units.stand(
                self._core.at, unit, lane.wanted, lambda at: self._freed(lane, at)
            )
            if lane.claim.free:
                self._freed(lane, self._core.at)

    def _freed(self, lane: Lane, at: Instant) -> None:
        lane.until = at.now + RESERVED_SECONDS
        self._core.reservations.add(lane.until, (self, lane))
        self._choose(lane)

    def _choose(self, lane: Lane) -> None:
        """Have the best unit of a lane whose turn it is be ready."""
        best = lane.best()
        if best is None:
            self._drop_if_empty(lane)
            return
        if lane.claim is not None and not lane.claim.free:
            return
        del lane.waiting[best.key]
        lane.chosen = best
        self._offer(best)

    def give_up(self, lane: Lane) -> None:
        """Reserve nothing any more for a lane that nobody takes a unit of."""
        lane.until = None
        claim, lane.claim = lane.claim, None
        if claim is not None:
            self._locks.units.release(self._core.at, claim)

    def _drop_if_empty(self, lane: Lane) -> None:
        if lane.waiting or lane.chosen is not None:
            return
        del self._lanes[lane.wanted]
        self.give_up(lane)

    # ---- what people ask ----

    def in_the_way(self, unit: Unit) -> Denied | None:
        """Say what keeps a unit from having its locks now, or None."""
        if unit.locks is None:
            return None
        lane = self._lanes.get(unit.locks)
        if lane is not None and lane.chosen is unit and lane.claim is not None:
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
        lane = self._lanes.get(unit.locks)
        claim = None
        if lane is not None and lane.chosen is unit:
            claim, lane.claim, lane.chosen, lane.until = lane.claim, None, None, None
        if claim is None:
            claim = self._locks.units.grant_to(at, name, unit.locks, attempt)
        else:
            claim.name(name)
            self._locks.units.take(at, claim, attempt)
        self._held[unit] = claim
        if lane is not None and lane.chosen is None:
            self._go_on(lane)

    def _go_on(self, lane: Lane) -> None:
        if lane.waiting:
            self._stand(lane)
        else:
            self._drop_if_empty(lane)

    def restore(self, unit: Unit) -> None:
        """Give a pending unit what it had, by what is written down."""
        if unit.locks is not None:
            name = UnitName(self._spec, unit.key)
            self._held[unit] = self._locks.units.restore(
                self._core.at, name, unit.locks, _attempt(unit)
            )

    def unlock(self, unit: Unit) -> None:
        """Free what a unit has that is not pending any more."""
        claim = self._held.pop(unit, None)
        if claim is not None:
            self._locks.units.release(self._core.at, claim)

    def clear(self) -> None:
        """Let all units go at once."""
        for claim in self._held.values():
            self._locks.units.release(self._core.at, claim)
        self._held.clear()
        for lane in list(self._lanes.values()):
            lane.waiting.clear()
            lane.chosen = None
            self._drop_if_empty(lane)

    @property
    def waiting(self) -> int:
        """How many units are set aside."""
        return sum(len(lane.waiting) for lane in self._lanes.values())


def is_reserved(item: tuple[LockLanes, Lane], moment: float) -> bool:
    """Whether a reservation still ends at that moment."""
    return item[1].until == moment


def _attempt(unit: Unit) -> Attempt:
    return Attempt(unit.worker_id or "", unit.attempt)


def _place(unit: Unit) -> Place:
    return -unit.priority, unit.key
