"""Locks as plainly as possible: lists that are gone through from the beginning, whatever it costs.

Paths are tuples of parts, modes are words. A grant is known by a number; which token stands for
it is for the test to find out.
"""

from typing import Any

from attrs import define, field


@define(eq=False)
class Lock:
    """One lock; ``grants`` has a number for each time that it was locked, the first one first."""

    path: tuple
    mode: str
    locker: str
    grants: list
    deadline: Any
    since: float
    unit: Any = None
    first: int = field(init=False)

    def __attrs_post_init__(self):
        self.first = self.grants[0]


@define(eq=False)
class Waiter:
    """Who waits; a unit has no locker, and is free before it has its locks."""

    locker: Any
    wanted: list
    reentrant: bool
    seconds: float
    end: Any
    since: float
    unit: Any = None
    free: bool = False
    outcome: Any = None

    @property
    def own(self):
        return self.locker if self.reentrant else None

    @property
    def node(self):
        return self if self.locker is None else self.locker


@define(eq=False)
class Watch:
    """Who waits for the loss of some locks."""

    locks: list
    end: float
    outcome: Any = None


def conflict(path, mode, other, other_mode):
    """Whether two locks exclude each other."""
    depth = min(len(path), len(other))
    return path[:depth] == other[:depth] and not mode == other_mode == "shared"


class Space:
    """The locks of one namespace."""

    def __init__(self, numbers):
        self.locks = []
        self.waiters = []
        self.watches = []
        self._numbers = numbers

    # ---- what is in the way ----

    def covered(self, own, path, mode):
        return own is not None and any(
            lock.locker == own
            and lock.unit is None
            and lock.path == path[: len(lock.path)]
            and lock.mode in {mode, "exclusive"}
            for lock in self.locks
        )

    def in_the_way(self, waiter, path, mode):
        """Give the nodes of those who are in the way of one path of a waiter."""
        return [node for node, _ in self.blockers(waiter, path, mode)]

    def blockers(self, waiter, path, mode):
        """Give the same with the paths that they have or wait for."""
        if self.covered(waiter.own, path, mode):
            return []
        found = [
            (lock.locker, lock.path)
            for lock in self.locks
            if conflict(path, mode, lock.path, lock.mode)
            and (lock.unit is not None or lock.locker != waiter.own)
        ]
        earlier = self.waiters
        if waiter in earlier:
            earlier = earlier[: earlier.index(waiter)]
        for other in earlier:
            if other.locker is None or other.locker != waiter.own:
                found += [
                    (other.node, theirs)
                    for theirs, their_mode in other.wanted
                    if conflict(path, mode, theirs, their_mode)
                ]
        return found

    def blocked(self, waiter):
        return any(self.in_the_way(waiter, path, mode) for path, mode in waiter.wanted)

    def edges(self, waiter):
        return {
            (path, node)
            for path, mode in waiter.wanted
            for node in self.in_the_way(waiter, path, mode)
        }

    def closes_a_circle(self, waiter):
        reached, waiting = set(), [node for _, node in self.edges(waiter)]
        while waiting:
            node = waiting.pop()
            if node == waiter.locker:
                return True
            if node not in reached:
                reached.add(node)
                claims = [other for other in self.waiters if other.node == node]
                waiting += [next_one for other in claims for _, next_one in self.edges(other)]
        return False

    # ---- calls ----

    def grant(self, now, locker, wanted, reentrant, seconds):
        """Lock what is free; gives the number of the grant, and when the first of it ends."""
        again = []
        for path, mode in wanted if reentrant else ():
            mine = [lock for lock in self.own(locker, path) if lock.mode in {mode, "exclusive"}]
            again += mine[-1:]
        if again and len(again) == len(wanted) and len({lock.first for lock in again}) == 1:
            number = again[0].first
        else:
            number = next(self._numbers)
        for lock in again:
            lock.grants.append(number)
            lock.deadline = max(lock.deadline, now + seconds)
        there = {lock.path for lock in again}
        new = [
            Lock(path, mode, locker, [number], now + seconds, now)
            for path, mode in wanted
            if path not in there
        ]
        self.locks += new
        return number, min(lock.deadline for lock in [*again, *new])

    def own(self, locker, path, number=None):
        """Give a locker's locks of a path, the newest last."""
        return [
            lock
            for lock in self.locks
            if (lock.locker, lock.path) == (locker, path)
            and lock.unit is None
            and (number is None or number in lock.grants)
        ]

    def less(self, lock, number):
        """Take one time off; whether nothing is left."""
        if number is None:
            others = [one for one in lock.grants if one != lock.first]
            number = others[-1] if others else lock.first
        lock.grants.remove(number)
        return not lock.grants

    def drop(self, lock):
        self.locks.remove(lock)
        for watch in list(self.watches):
            if lock in watch.locks:
                watch.outcome = "lost"
                self.watches.remove(watch)

    def settle(self, now):
        """Let those go on, in order, who can."""
        for waiter in list(self.waiters):
            if not waiter.free and not self.blocked(waiter):
                if waiter.unit is not None:
                    waiter.free = True
                    continue
                self.waiters.remove(waiter)
                waiter.outcome = self.grant(
                    now, waiter.locker, waiter.wanted, waiter.reentrant, waiter.seconds
                )

    # ---- time ----

    def ends(self):
        """Give the moments at which something ends, and whether it is a lock."""
        locks = [(lock.deadline, 0) for lock in self.locks if lock.deadline is not None]
        waits = [(waiter.end, 1) for waiter in self.waiters if waiter.end is not None]
        return locks + waits + [(watch.end, 1) for watch in self.watches]

    def end(self, moment, now, what):
        if what == 0:
            for lock in [lock for lock in self.locks if lock.deadline == moment]:
                self.drop(lock)
        else:
            for waiter in [waiter for waiter in self.waiters if waiter.end == moment]:
                self.waiters.remove(waiter)
                waiter.outcome = "timeout"
            for watch in [watch for watch in self.watches if watch.end == moment]:
                self.watches.remove(watch)
                watch.outcome = "kept"
        self.settle(now)
