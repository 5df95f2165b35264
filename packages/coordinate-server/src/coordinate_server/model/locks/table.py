"""The calls: what can be asked of the locks of one namespace."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from coordinate_server.model.feed import Feed
from coordinate_server.model.instant import Instant
from coordinate_server.model.locks.deadlocks import Deadlocks
from coordinate_server.model.locks.entries import HELD, Entry
from coordinate_server.model.locks.grants import Grants
from coordinate_server.model.locks.holdings import Holdings
from coordinate_server.model.locks.listing import list_locks
from coordinate_server.model.locks.outcomes import (
    Denied,
    Granted,
    LockView,
    NotHeld,
    SomeGranted,
    deadlocked,
    denied,
)
from coordinate_server.model.locks.paths import ApartPaths, Path, require_apart, require_distinct
from coordinate_server.model.locks.queue import Queue
from coordinate_server.model.locks.tree import Tree
from coordinate_server.model.locks.units import UnitLocks
from coordinate_server.model.locks.waits import LockRequest, LockWait, LockWatch
from coordinate_server.model.numbers import check_number

if TYPE_CHECKING:
    from coordinate_server.model.core import Core

__all__ = ["Locks"]


class Locks:
    """The locks of a namespace: a tree of paths, who has them, and who waits for them.

    Every call first lets end what is due by its moment, and whoever can be granted something by
    what a call frees is granted it within that call.

    Arguments:
        core: what the model shares.
        namespace: the namespace's name.
        feed: where those who watch see changes.

    Attributes:
        queue: who waits.
        holdings: who has what.
        grants: locks what is free.
        deadlocks: finds circles of waiters.
        units: the locks of work units, in the same tree and queue.
        settled: waits that are over, for ``Model.take_settled``.
    """

    def __init__(self, core: "Core", namespace: str, feed: Feed) -> None:
        self._core = core
        self.tree = Tree()
        self.holdings = Holdings(core.ledger, namespace, self.tree, feed, self._end_later)
        self.queue = Queue(self.tree, self.holdings)
        self.grants = Grants(core, self.holdings, self.queue)
        self.deadlocks = Deadlocks(self.tree, self.queue, self.holdings)
        self.units = UnitLocks(self)
        self.settled = core.settled

    def _end_later(self, deadline: float, entry: Entry) -> None:
        self._core.lock_times.expiries.add(deadline, (self, entry))

    # ---- locking ----

    def lock(self, at: Instant, request: LockRequest) -> Granted | Denied | LockWait:
        """Lock all of the paths, or none.

        Returns:
            What came of it; or, where the request would wait, what will know some time.

        Raises:
            Refused: a number is none, or paths are not apart.
        """
        _check(request)
        require_apart(request.paths)
        self._core.run_due(at)
        wanted = [(path, request.mode) for path in request.paths]
        blocked = self.queue.first_blocked(wanted, request.own)
        if blocked is None:
            return self.grants.make(at, request, _entries(request, request.paths))
        if not request.wait:
            index, blocker = blocked
            return denied(request.paths[index], blocker)
        return self._wait(at, request)

    def _wait(self, at: Instant, request: LockRequest) -> Denied | LockWait:
        wait = LockWait(request, at)
        cycle = self.deadlocks.closed_by(wait)
        if cycle is not None:
            return deadlocked(cycle)
        self.queue.stand(wait)
        if wait.deadline is not None:
            self._core.lock_times.ends.add(wait.deadline, (self, wait))
        return wait

    def lock_some(self, at: Instant, request: LockRequest) -> SomeGranted:
        """Lock as many of the paths as are free, each by itself, in their order.

        Raises:
            Refused: a number is none.
        """
        _check(request)
        self._core.run_due(at)
        chosen = ApartPaths()
        locked = [
            self.queue.in_the_way(path, request.mode, request.own) is None and chosen.add(path)
            for path in request.paths
        ]
        granted = self.grants.make(at, request, _entries(request, chosen.paths))
        return SomeGranted(tuple(locked), granted.token, granted.deadline)

    def cancel(self, at: Instant, wait: LockWait) -> None:
        """Take a wait back: nobody is there any more to be told what came of it."""
        self._core.run_due(at)
        if wait.outcome is None:
            self.queue.leave(wait)
            wait.deadline = None
        elif isinstance(wait.outcome, Granted):
            self.give_back(at, wait.request, wait.outcome)
        self.settle(at)

    def give_up(self, at: Instant, wait: LockWait) -> None:
        """Let a wait end as if its time were over."""
        self._core.run_due(at)
        wait.end(self)
        self.settle(at)

    def give_back(self, at: Instant, request: LockRequest, granted: Granted) -> None:
        """Undo what a grant did, as far as it is there still."""
        self._core.run_due(at)
        for path in request.paths:
            entry = self.holdings.own(request.locker, path, granted.token)
            if entry is not None and self.holdings.once_less(entry, granted.token):
                self.lose(entry, "it was given back")
        self.settle(at)

    # ---- keeping and releasing ----

    def renew(
        self,
        at: Instant,
        locker: str,
        seconds: float,
        paths: Sequence[Path],
        token: int | None = None,
    ) -> list[Entry]:
        """Keep all of the locks for longer, or none; gives them.

        Arguments:
            at: the moment.
            locker: who has them.
            seconds: how long from now.
            paths: which.
            token: of which grant; None for any.

        Raises:
            NotHeld: one is not the locker's, or not of that grant.
            Refused: the time is no number, or a path comes twice.
        """
        check_number("timeout", seconds, 0)
        entries = self._own_all(at, locker, paths, token)
        for entry in entries:
            self.holdings.renew(entry, at.now + seconds)
        return entries

    def watch(self, at: Instant, entries: list[Entry], wait: float) -> LockWatch:
        """Wait for the end of a time, or for the loss of one of some locks.

        Raises:
            Refused: the time is no number.
        """
        check_number("wait", wait, 0)
        watch = LockWatch(entries, at.now + wait)
        self._core.lock_times.ends.add(at.now + wait, (self, watch))
        return watch

    def unlock(
        self, at: Instant, locker: str, paths: Sequence[Path], token: int | None = None
    ) -> None:
        """Release all of the locks, or none; what was locked twice is still locked then.

        Raises:
            NotHeld: one is not the locker's, or not of that grant.
            Refused: a path comes twice.
        """
        for entry in self._own_all(at, locker, paths, token):
            if self.holdings.once_less(entry, token):
                self.lose(entry, "it was released")
        self.settle(at)

    def _own_all(
        self, at: Instant, locker: str, paths: Sequence[Path], token: int | None
    ) -> list[Entry]:
        require_distinct(paths)
        self._core.run_due(at)
        entries = []
        for path in paths:
            entry = self.holdings.own(locker, path, token)
            if entry is None:
                raise NotHeld(path, locker, token, self.tree.owner(path))
            entries.append(entry)
        return entries

    def force(self, at: Instant, paths: Iterable[Path], token: int | None = None) -> int:
        """Release the locks of exactly these paths, whosever they are; gives how many there were.

        Arguments:
            at: the moment.
            paths: which.
            token: only those of this grant; None for all.
        """
        self._core.run_due(at)
        entries = [entry for path in dict.fromkeys(paths) for entry in self._at(path)]
        return self._force(at, [entry for entry in entries if entry.is_of(token)])

    def drop_below(self, at: Instant, path: Path) -> int:
        """Release every lock of a path and of all that it begins; gives how many there were."""
        self._core.run_due(at)
        node = self.tree.node(path)
        return 0 if node is None else self._force(at, node.within(HELD))

    def _at(self, path: Path) -> list[Entry]:
        node = self.tree.node(path)
        return [] if node is None else node.here(HELD)

    def _force(self, at: Instant, entries: Iterable[Entry]) -> int:
        going = [entry for entry in entries if entry.unit is None]
        for entry in going:
            self.lose(entry, "it was forced")
        self.settle(at)
        return len(going)

    # ---- reading ----

    def read(self, at: Instant, paths: Iterable[Path]) -> list[str | None]:
        """Give who has each path, the first of several; None for nobody."""
        self._core.run_due(at)
        owners = (self.tree.owner(path) for path in paths)
        return [None if owner is None else owner.locker for owner in owners]

    def list(
        self, at: Instant, under: Path = (), limit: int = 1000, start: Path | None = None
    ) -> tuple[list[LockView], Path | None]:
        """Give locks in the order of their paths, and the next path or None; see ``listing``."""
        self._core.run_due(at)
        return list_locks(self.tree, under, limit, start)

    # ---- what follows ----

    def lose(self, entry: Entry, why: str) -> None:
        """Drop a lock, and tell who wants to know; ``settle`` has to follow."""
        self.holdings.drop(entry)
        self.queue.wake(entry)
        for watch in list(entry.watches or ()):
            watch.lose(self, entry, why)

    def settle(self, at: Instant) -> None:
        """Let go on who can by now."""
        while freed := self.queue.freed():
            for claim in freed:
                claim.proceed(self, at)
        self.units.tell(at)


def _check(request: LockRequest) -> None:
    check_number("timeout", request.seconds, 0)
    check_number("wait", request.wait, 0)


def _entries(request: LockRequest, paths: Iterable[Path]) -> list[Entry]:
    return [Entry(path, request.mode, request.locker) for path in paths]
