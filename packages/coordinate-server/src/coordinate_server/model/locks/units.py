"""The locks of work units: in the same tree and queue, with an attempt as their holder.

A unit that needs locks can be asked about (``free_for``), be granted them at once (``grant_to``),
or stand in the queue as anybody does (``stand``). When its turn comes it is told, and is *free*: it
keeps its place and what it has reserved until it takes the locks (``take``), or steps back behind
all the others (``step_back``). Nothing but ``release`` frees what a unit has.

Units are not written down here: their own rows say which locks they have.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from coordinate_server.model.instant import Instant
from coordinate_server.model.locks.claims import Claim
from coordinate_server.model.locks.entries import Entry, UnitName
from coordinate_server.model.locks.paths import Path

if TYPE_CHECKING:
    from coordinate_server.model.locks.table import Locks

__all__ = ["Attempt", "UnitClaim", "UnitLocks", "Wanted"]

Wanted = Sequence[tuple[Path, int]]
"""Paths, each with its mode; they are apart."""


@frozen
class Attempt:
    """Who has a unit.

    Arguments:
        worker_id: the worker.
        number: the attempt, which is the token of its locks.
    """

    worker_id: str
    number: int


class UnitClaim(Claim):
    """The locks that one unit has, or waits for.

    Arguments:
        unit: the unit.
        wanted: what it needs.
        since: since when, on ``now``.
        on_free: called with the moment when nothing is in the way any more, at the end of
            whatever made it so; the locks may be called from there.

    Attributes:
        waiting: whether it stands in the queue.
        free: whether it stands there and can take its locks.
        held: whether it has them.
    """

    def __init__(
        self, unit: UnitName, wanted: Wanted, since: float, on_free: Callable[[Instant], None]
    ) -> None:
        super().__init__(None, None, since)
        self.unit = unit
        self.entries = [Entry(path, mode, None, unit) for path, mode in wanted]
        self.on_free = on_free
        self.held = False

    def name(self, unit: UnitName) -> None:
        """Have it be another unit's, which needs the same."""
        self.unit = unit
        for entry in self.entries:
            entry.unit = unit

    def proceed(self, locks: "Locks", at: Instant) -> None:
        """Tell the unit, once everybody else whose turn it is has been served."""
        del at
        locks.units.free_now(self)


class UnitLocks:
    """What units do with the locks of their namespace.

    Arguments:
        locks: the locks.
    """

    def __init__(self, locks: "Locks") -> None:
        self._locks = locks
        self._free: deque[UnitClaim] = deque()

    def in_the_way(self, wanted: Wanted) -> tuple[Path, Entry] | None:
        """Give a path that could not be granted now, and what is in its way; None for none."""
        blocked = self._locks.queue.first_blocked(wanted)
        return None if blocked is None else (wanted[blocked[0]][0], blocked[1])

    def free_for(self, wanted: Wanted) -> bool:
        """Whether all of it could be granted now, to one who comes after all who wait."""
        return self.in_the_way(wanted) is None

    def grant_to(self, at: Instant, unit: UnitName, wanted: Wanted, attempt: Attempt) -> UnitClaim:
        """Lock what is free for an attempt."""
        if not self.free_for(wanted):
            raise AssertionError(f"{unit} was to be granted what is not free")
        return self.restore(at, unit, wanted, attempt)

    def restore(self, at: Instant, unit: UnitName, wanted: Wanted, attempt: Attempt) -> UnitClaim:
        """Lock again what a unit has by what is written down."""
        claim = UnitClaim(unit, wanted, at.now, _nobody)
        self._hold(at, claim, claim.entries, attempt)
        return claim

    def stand(
        self, at: Instant, unit: UnitName, wanted: Wanted, on_free: Callable[[Instant], None]
    ) -> UnitClaim:
        """Let a unit come last in the queue; its claim may be free at once, which is not told."""
        claim = UnitClaim(unit, wanted, at.now, on_free)
        self._locks.queue.stand(claim)
        return claim

    def take(self, at: Instant, claim: UnitClaim, attempt: Attempt) -> None:
        """Give a claim that is free its locks."""
        if not claim.free:
            raise AssertionError(f"{claim.unit} was to take what is not free")
        self._hold(at, claim, self._locks.queue.take_out(claim), attempt)

    def step_back(self, at: Instant, claim: UnitClaim) -> None:
        """Let a claim in the queue come last; it may be free again at once, which is not told."""
        on_free, claim.on_free = claim.on_free, _nobody
        self._locks.queue.step_back(claim)
        self._locks.settle(at)
        claim.on_free = on_free

    def release(self, at: Instant, claim: UnitClaim) -> None:
        """Let a claim go, whether it waits, is free, or has its locks."""
        if claim.waiting:
            self._locks.queue.leave(claim)
        entries, claim.entries = claim.entries, []
        claim.held = False
        for entry in entries:
            entry.claim = None
            self._locks.lose(entry, "its unit ended")
        self._locks.settle(at)

    def _hold(self, at: Instant, claim: UnitClaim, entries: list[Entry], attempt: Attempt) -> None:
        claim.entries, claim.held = entries, True
        for entry in entries:
            entry.locker, entry.claim = attempt.worker_id, claim
            self._locks.holdings.hold(at, entry, attempt.number, None)

    # ---- what the queue calls ----

    def free_now(self, claim: UnitClaim) -> None:
        """Take note that it is a unit's turn."""
        self._free.append(claim)

    def tell(self, at: Instant) -> None:
        """Tell the units whose turn it has become."""
        while self._free:
            claim = self._free.popleft()
            if claim.free:
                claim.on_free(at)


def _nobody(at: Instant) -> None:
    """Tell nobody."""
    del at
