"""The specification of the locks, for the search: what each call does to those that are held.

Time is uncertain. A lock's end is fixed by the server at some moment between a call and its
answer, so it is known to lie between two moments, ``low`` and ``high``: until ``low`` the lock is
there, from ``high`` on it is not, and between them each answer may have it as it likes, but no
two answers contradict each other.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.histories.events import Call
from tests.histories.linearizability import Operation, Step
from tests.histories.lock_calls import paths_of
from tests.histories.restarts import Restart

SLACK = 0.001
"""Seconds for what clocks are rounded to."""

SHARED = "shared"


class Held(NamedTuple):
    """One lock: a path, who has it, and between which moments it ends; or a unit's."""

    path: tuple
    locker: str
    token: int | None
    mode: str
    times: int
    low: float
    high: float
    unit: bool = False

    def alive(self, now):
        """Whether it may still be there."""
        return self.high + SLACK > now

    def may_end(self, latest):
        """Whether it may have ended by then."""
        return self.low - SLACK <= latest


class State(NamedTuple):
    """The locks that are held, and the earliest moment that it can be."""

    now: float
    held: tuple

    def at(self, now):
        return self._replace(now=max(self.now, now))

    def without(self, *gone):
        """Give the state in which some locks have ended by themselves."""
        now = max([self.now, *(lock.low for lock in gone)])
        return State(now, tuple(lock for lock in self.held if lock not in gone))

    def changed(self, gone, new):
        """Give the state after a call that took some locks away and made others."""
        kept = [lock for lock in self.held if lock not in gone]
        return State(self.now, tuple(sorted([*kept, *new], key=repr)))


NOTHING = State(0.0, ())


def conflict(path: tuple, mode: str, other: tuple, other_mode: str) -> bool:
    """Whether two locks exclude each other: one path is, or is under, the other."""
    related = path[: len(other)] == other[: len(path)]
    return related and not mode == other_mode == SHARED


def _in_the_way(state: State, path, args) -> list[Held]:
    mode, mine = args.get("mode", "exclusive"), args["locker"] if args.get("reentrant") else None
    return [
        lock
        for lock in state.held
        if lock.unit or lock.locker != mine
        if conflict(path, mode, lock.path, lock.mode)
    ]


def _own(state: State, path, args) -> list[Held]:
    """Give the lock of a path that a call names by its locker, and by a token if it has one."""
    token, unit = args.get("token"), "unit" in args
    return [
        lock
        for lock in state.held
        if (lock.path, lock.locker, lock.unit) == (path, args["locker"], unit)
        and (token is None or lock.token in {None, token})
    ]


# ---- what each kind of call does ----


def granted(call: Call, paths, token: int | None) -> Step:
    """The paths are locked, under a token; None where that is not known."""

    def step(state: State, latest: float, done: int) -> Iterator[State]:
        del done
        state = state.at(call.invoked)
        gone = {lock for path in paths for lock in _in_the_way(state, path, call.args)}
        if not all(lock.may_end(latest) for lock in gone):
            return
        state = state.without(*gone)
        again = _again(state, paths, call.args)
        same = [lock for lock in again if token in {None, lock.token} and lock.alive(state.now)]
        # A locker that shares with itself has several; it is one of them that counts once more.
        ended = [] if same else again
        if all(lock.may_end(latest) for lock in ended):
            state = state.without(*ended)
            # Who waits and is gone before it knows leaves no trace: its lock may end at once.
            firm = call.known or not call.args.get("wait")
            low = state.now + call.args["timeout"] if firm else state.now
            times = low, latest + call.args["timeout"]
            yield _taken(state, same, call.args, paths, token, times)

    return step


def _again(state, paths, args) -> list[Held]:
    if not args.get("reentrant"):
        return []
    return [lock for path in paths for lock in _own(state, path, args)]


def _taken(state, again, args, paths, token, times):
    """What is locked again counts once more, and ends at the later moment."""
    low, high = times
    more = [
        lock._replace(times=lock.times + 1, low=max(lock.low, low), high=max(lock.high, high))
        for lock in again
    ]
    there = {lock.path for lock in more}
    mode, unit = args.get("mode", "exclusive"), "unit" in args
    new = [
        Held(path, args["locker"], token, mode, 1, low, high, unit)
        for path in paths
        if path not in there
    ]
    return state.changed(again, [*more, *new])


def refused(call: Call, since: float, waiting: Iterable[Operation]) -> Step:
    """Something is in the way of one path at least: a lock, or who waits for one and asked before.

    Arguments:
        call: the call.
        since: the earliest moment at which it was refused.
        waiting: what may have waited for something that is in the way.
    """
    waiting, paths = list(waiting), paths_of(call)

    def step(state: State, latest: float, done: int) -> Iterator[State]:
        del latest
        state = state.at(since)
        held = any(
            lock.alive(state.now) for path in paths for lock in _in_the_way(state, path, call.args)
        )
        if held or any(not done & operation.bit for operation in waiting):
            yield state

    return step


def renewed(call: Call) -> Step:
    """All of the locks are the caller's, and end later."""
    paths = paths_of(call)

    def step(state: State, latest: float, done: int) -> Iterator[State]:
        del done
        state = state.at(call.invoked)
        found = [_living(state, path, call.args) for path in paths]
        if all(found):
            low, high = state.now + call.args["timeout"], latest + call.args["timeout"]
            new = [lock._replace(low=low, high=max(lock.high, high)) for lock in found]
            yield state.changed(found, new)

    return step


def unlocked(call: Call) -> Step:
    """All of the locks were the caller's, and each is held once less."""
    paths = paths_of(call)

    def step(state: State, latest: float, done: int) -> Iterator[State]:
        del latest, done
        state = state.at(call.invoked)
        found = [_living(state, path, call.args) for path in paths]
        if all(found):
            less = [lock._replace(times=lock.times - 1) for lock in found if lock.times > 1]
            yield state.changed(found, less)

    return step


def _living(state, path, args):
    return next((lock for lock in _own(state, path, args) if lock.alive(state.now)), None)


def lost(call: Call) -> Step:
    """One of the locks at least is not the caller's (any more)."""
    paths = paths_of(call)

    def step(state: State, latest: float, done: int) -> Iterator[State]:
        del done
        state = state.at(call.invoked)
        for path in paths:
            own = _own(state, path, call.args)
            if all(lock.may_end(latest) for lock in own):
                yield state.without(*own)

    return step


def read(call: Call, told) -> Step:
    """Each path has, or has not, the owner that was told; ``told`` is (path, owner or None)s."""

    def step(state: State, latest: float, done: int) -> Iterator[State]:
        del done
        state = state.at(call.invoked)
        free = {path for path, owner in told if owner is None}
        gone = [lock for lock in state.held if lock.path in free]
        if all(lock.may_end(latest) for lock in gone):
            state = state.without(*gone)
            if all(owner is None or _is_there(state, path, owner) for path, owner in told):
                yield state

    return step


def listed(call: Call, under: tuple, told) -> Step:
    """What is held under a path is exactly what was told: (path, owner, token)s."""

    def step(state: State, latest: float, done: int) -> Iterator[State]:
        del done
        state = state.at(call.invoked)
        there = [lock for lock in state.held if lock.path[: len(under)] == under]
        gone = [lock for lock in there if not any(_is(lock, *one) for one in told)]
        if all(lock.may_end(latest) for lock in gone):
            state = state.without(*gone)
            if all(_is_there(state, *one) for one in told):
                yield state

    return step


def _is_there(state, path, owner, token=None):
    return any(_is(lock, path, owner, token) and lock.alive(state.now) for lock in state.held)


def _is(lock: Held, path, owner, token=None):
    same = (lock.path, lock.locker) == (path, owner)
    return same and (None in {token, lock.token} or lock.token == token)


def restarted(restart: Restart) -> Step:
    """What surely was there has the grace period at least, and everything may last longer.

    The server's clock goes on from its last commit, so what had ended may be there again if
    nobody had been told.
    """
    sure = restart.spawned + restart.grace

    def step(state: State, latest: float, done: int) -> Iterator[State]:
        del latest, done
        held = tuple(
            lock._replace(
                low=max(lock.low, sure) if lock.low > restart.spawned else lock.low,
                high=max(lock.high + restart.away, restart.ready + restart.grace),
            )
            for lock in state.held
        )
        yield State(max(state.now, restart.killed), held)

    return step


def forced(call: Call) -> Step:
    """The locks of these paths are gone, whoever had them, but not those of units."""
    paths = paths_of(call)

    def step(state: State, latest: float, done: int) -> Iterator[State]:
        del done
        state = state.at(call.invoked)
        gone = [lock for lock in state.held if lock.path in paths and not lock.unit]
        surely = sum(not lock.may_end(latest) for lock in gone)
        most = sum(lock.alive(state.now) for lock in gone)
        if not call.known or surely <= call.result["number"] <= most:
            yield state.changed(gone, [])

    return step
