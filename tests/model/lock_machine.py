"""The state machine test of the locks: the same calls to the model and to the oracle."""

import itertools
from typing import Any

from attrs import define, field
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
)

from coordinate_server.model import Instant, Model, ModelSettings
from coordinate_server.model.errors import Refused
from coordinate_server.model.locks import (
    EXCLUSIVE,
    SHARED,
    Attempt,
    Denied,
    Granted,
    LockRequest,
    LockWait,
    UnitName,
)
from coordinate_server.model.locks.paths import path_of, path_value
from tests.model.lock_oracle import Lock, Space, Waiter, Watch, conflict
from tests.model.snapshot import Rows

GRACE = 60
SETTINGS = ModelSettings(restart_grace=GRACE)
NUMBER = {"exclusive": EXCLUSIVE, "shared": SHARED}
WORD = {number: word for word, number in NUMBER.items()}

SPACES = st.sampled_from(["n", "n", "n", "other"])
LOCKERS = st.sampled_from(["l1", "l2", "l3", "l4"])
PARTS = st.sampled_from(["a", "b", 1])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(tuple)
SEVERAL = st.lists(PATHS, min_size=1, max_size=3)
MODES = st.sampled_from(["exclusive", "exclusive", "shared"])
SECONDS = st.sampled_from([5, 10, 30, 100])
WAITS = st.sampled_from([0, 5, 20, 20, 90])


def inner(path):
    """A path as the model has it."""
    return path_of(list(path), 8192)


def outer(path):
    """A path as the oracle has it."""
    return tuple(path_value(path))


def apart(paths):
    """Whether no path is another one, or under another."""
    return not any(one[: len(other)] == other for one, other in itertools.permutations(paths, 2))


@define(eq=False)
class Waiting:
    """A wait of the model's, and of the oracle's."""

    space: str
    wait: Any
    oracle: Any
    cancelled: bool = False


@define(eq=False)
class UnitWaiting(Waiting):
    """A unit's claim, and what the model told it."""

    attempt: int = 0
    told: int = 0
    locks: list = field(factory=list)
    gone: bool = False


class LockMachine(RuleBasedStateMachine):
    """Does the same to the model and to the oracle, and compares all there is to see."""

    waits = Bundle("waits")
    units = Bundle("units")

    def __init__(self):
        super().__init__()
        self.at = Instant(1000.0, 1_700_000_000.0)
        self.model = Model.load([], self.at, SETTINGS)
        self.rows = Rows()
        numbers = itertools.count(1)
        self.oracle = {name: Space(numbers) for name in ("n", "other")}
        self.tokens = {}
        self.highest = 0
        self.restarted = False
        self.waiting = []
        self.unit_waiting = []
        self.names = itertools.count(1)

    def locks(self, space):
        return self.model.namespace(space).locks

    def same_grant(self, number, token):
        """A number of the oracle's and a token mean the same grant; new tokens only grow.

        What one moment grants in two namespaces has no order between them.
        """
        if number not in self.tokens:
            assert token > self.highest
            assert token not in self.tokens.values()
            self.tokens[number] = token
        assert self.tokens[number] == token

    def number(self, token):
        return next(number for number, known in self.tokens.items() if known == token)

    def request(self, locker, seconds, paths, mode, reentrant, wait=0):
        return LockRequest(locker, seconds, tuple(map(inner, paths)), NUMBER[mode], reentrant, wait)

    # ---- calls ----

    @rule(
        target=waits,
        space=SPACES,
        locker=LOCKERS,
        seconds=SECONDS,
        paths=SEVERAL,
        mode=MODES,
        reentrant=st.booleans(),
        wait=WAITS,
    )
    def lock(self, space, locker, seconds, paths, mode, reentrant, wait):
        oracle, now = self.oracle[space], self.at.now
        request = self.request(locker, seconds, paths, mode, reentrant, wait)
        try:
            outcome = self.locks(space).lock(self.at, request)
        except Refused:
            assert not apart(paths)
            return None
        assert apart(paths)
        wanted = [(path, mode) for path in paths]
        waiter = Waiter(locker, wanted, reentrant, seconds, now + wait, now)
        if not oracle.blocked(waiter):
            number, deadline = oracle.grant(now, locker, wanted, reentrant, seconds)
            assert isinstance(outcome, Granted)
            self.same_grant(number, outcome.token)
            assert outcome.deadline == deadline
            return None
        if not wait:
            self.check_denied(outcome, "locked", oracle, waiter)
            return None
        if oracle.closes_a_circle(waiter):
            self.check_denied(outcome, "deadlock", oracle, waiter)
            self.check_cycle(outcome.cycle, oracle, waiter)
            return None
        assert isinstance(outcome, LockWait)
        oracle.waiters.append(waiter)
        waiting = Waiting(space, outcome, waiter)
        self.waiting.append(waiting)
        return waiting

    def check_denied(self, outcome, code, oracle, waiter):
        assert isinstance(outcome, Denied)
        assert outcome.code == code
        there = {
            (None if isinstance(node, Waiter) else node, there)
            for path, mode in waiter.wanted
            for node, there in oracle.blockers(waiter, path, mode)
        }
        if code == "locked":
            assert (outcome.holder, outer(outcome.path)) in there
        else:
            assert outcome.path == outcome.cycle[0].waits_for

    def check_cycle(self, cycle, oracle, waiter):
        """Each link is somebody who waits for a path that the next one has or asked for."""
        assert cycle[0].locker == cycle[-1].held_by == waiter.locker
        for link, following in itertools.pairwise([*cycle, cycle[0]]):
            assert link.held_by == following.locker
            named = {w.locker or f"work unit {w.unit!r} of 's'": w.node for w in oracle.waiters}
            edges = {
                (path, node)
                for one in [*oracle.waiters, waiter]
                if one.node == named.get(link.locker, link.locker)
                for path, node in oracle.edges(one)
            }
            assert (outer(link.waits_for), named.get(link.held_by, link.held_by)) in edges

    @rule(
        space=SPACES,
        locker=LOCKERS,
        seconds=SECONDS,
        paths=SEVERAL,
        mode=MODES,
        reentrant=st.booleans(),
    )
    def lock_some(self, space, locker, seconds, paths, mode, reentrant):
        oracle, now = self.oracle[space], self.at.now
        request = self.request(locker, seconds, paths, mode, reentrant)
        outcome = self.locks(space).lock_some(self.at, request)
        free: list[tuple] = []
        locked = []
        for path in paths:
            one = Waiter(locker, [(path, mode)], reentrant, seconds, None, now)
            locked.append(not oracle.blocked(one) and apart([*free, path]))
            free += [path] if locked[-1] else []
        assert list(outcome.locked) == locked
        if free:
            wanted = [(path, mode) for path in free]
            number, deadline = oracle.grant(now, locker, wanted, reentrant, seconds)
            self.same_grant(number, outcome.token)
            assert outcome.deadline == deadline
        else:
            assert outcome.token is None

    def token_of(self, oracle, locker, paths, which):
        """Give the number of some grant, or None: often one that fits."""
        numbers = [n for path in paths for lock in oracle.own(locker, path) for n in lock.grants]
        numbers += [n for n in self.tokens if which > 5]
        return numbers[which % len(numbers)] if numbers and which else None

    @rule(
        target=waits,
        space=SPACES,
        locker=LOCKERS,
        seconds=SECONDS,
        paths=SEVERAL,
        which=st.integers(0, 9),
        wait=WAITS,
    )
    def renew(self, space, locker, seconds, paths, which, wait):
        oracle = self.oracle[space]
        number = self.token_of(oracle, locker, paths, which)
        own = self.own_all(oracle, locker, paths, number)
        inside = [inner(path) for path in paths]
        locks = self.locks(space)
        try:
            entries = locks.renew(self.at, locker, seconds, inside, self.tokens.get(number))
        except Refused:
            assert own is None
            return None
        assert own is not None
        for lock in own:
            later = self.at.now + seconds
            lock.deadline = later if len(lock.grants) == 1 else max(lock.deadline, later)
        if not wait:
            return None
        watch = Watch(own, self.at.now + wait)
        oracle.watches.append(watch)
        waiting = Waiting(space, locks.watch(self.at, entries, wait), watch)
        self.waiting.append(waiting)
        return waiting

    def own_all(self, oracle, locker, paths, number):
        if len(set(paths)) < len(paths):
            return None
        own = [oracle.own(locker, path, number) for path in paths]
        return [locks[-1] for locks in own] if all(own) else None

    @rule(space=SPACES, locker=LOCKERS, paths=SEVERAL, which=st.integers(0, 9))
    def unlock(self, space, locker, paths, which):
        oracle = self.oracle[space]
        number = self.token_of(oracle, locker, paths, which)
        own = self.own_all(oracle, locker, paths, number)
        try:
            inside = [inner(path) for path in paths]
            self.locks(space).unlock(self.at, locker, inside, self.tokens.get(number))
        except Refused:
            assert own is None
            return
        assert own is not None
        for lock in own:
            if oracle.less(lock, number):
                oracle.drop(lock)
        oracle.settle(self.at.now)

    @precondition(lambda self: any(space.locks for space in self.oracle.values()))
    @rule(data=st.data())
    def unlock_one_that_is_held(self, data):
        held = [
            (name, lock)
            for name, space in self.oracle.items()
            for lock in space.locks
            if lock.unit is None
        ]
        if held:
            name, lock = data.draw(st.sampled_from(held))
            self.unlock(name, lock.locker, [lock.path], data.draw(st.sampled_from([0, 1])))

    @rule(space=SPACES, paths=SEVERAL, which=st.integers(0, 9))
    def force(self, space, paths, which):
        oracle = self.oracle[space]
        numbers = [n for lock in oracle.locks for n in lock.grants if n in self.tokens]
        number = numbers[which % len(numbers)] if numbers and which > 4 else None
        done = self.locks(space).force(self.at, map(inner, paths), self.tokens.get(number))
        gone = [
            lock
            for lock in oracle.locks
            if lock.path in paths and lock.unit is None and number in {None, *lock.grants}
        ]
        self.drop_all(oracle, gone, done)

    @rule(space=SPACES, part=PARTS)
    def delete_namespace(self, space, part):
        oracle = self.oracle[space]
        done = self.locks(space).drop_below(self.at, inner((part,)))
        gone = [lock for lock in oracle.locks if lock.path[0] == part and lock.unit is None]
        self.drop_all(oracle, gone, done)

    def drop_all(self, oracle, gone, done):
        assert done == len(gone)
        for lock in gone:
            oracle.drop(lock)
        oracle.settle(self.at.now)

    @rule(waiting=consumes(waits))
    def cancel(self, waiting):
        if waiting is None or waiting.cancelled:
            return
        oracle, theirs = self.oracle[waiting.space], waiting.oracle
        waiting.cancelled = True
        if isinstance(theirs, Watch):
            waiting.wait.stop()
            if theirs in oracle.watches:
                oracle.watches.remove(theirs)
            return
        self.locks(waiting.space).cancel(self.at, waiting.wait)
        if theirs in oracle.waiters:
            oracle.waiters.remove(theirs)
        elif isinstance(theirs.outcome, tuple):
            for path, _ in theirs.wanted:
                mine = oracle.own(theirs.locker, path, theirs.outcome[0])
                if mine and oracle.less(mine[-1], theirs.outcome[0]):
                    oracle.drop(mine[-1])
        oracle.settle(self.at.now)

    # ---- units ----

    def wanted(self, pairs):
        return [(inner(path), NUMBER[mode]) for path, mode in pairs]

    @rule(
        target=units,
        space=SPACES,
        pairs=st.lists(st.tuples(PATHS, MODES), min_size=1, max_size=2),
        at_once=st.booleans(),
    )
    def unit(self, space, pairs, at_once):
        """A unit is granted what is free, or stands in the queue."""
        if not apart([path for path, _ in pairs]):
            return None
        oracle, units = self.oracle[space], self.locks(space).units
        key = f"k{next(self.names)}"
        waiter = Waiter(None, pairs, False, 0, None, self.at.now, key)
        free = not oracle.blocked(waiter)
        assert units.free_for(self.wanted(pairs)) is free
        name = UnitName("s", key.encode())
        made = UnitWaiting(space, None, waiter)
        self.unit_waiting.append(made)
        if free and at_once:
            made.attempt = self.next_attempt()
            attempt = Attempt("l1", made.attempt)
            made.wait = units.grant_to(self.at, name, self.wanted(pairs), attempt)
            self.hold(oracle, made)
            return made

        def told(at):
            assert at == self.at
            made.told += 1

        made.wait = units.stand(self.at, name, self.wanted(pairs), told)
        assert made.wait.free is free
        waiter.free = free
        made.told += free
        oracle.waiters.append(waiter)
        return made

    def next_attempt(self):
        return self.model._core.next_attempt()

    def hold(self, oracle, made):
        made.locks = [
            Lock(path, mode, "l1", [-made.attempt], None, self.at.now, made.oracle.unit)
            for path, mode in made.oracle.wanted
        ]
        oracle.locks += made.locks

    @rule(made=units)
    def take(self, made):
        if made is None or made.gone or not made.oracle.free:
            return
        oracle = self.oracle[made.space]
        made.attempt = self.next_attempt()
        self.locks(made.space).units.take(self.at, made.wait, Attempt("l1", made.attempt))
        oracle.waiters.remove(made.oracle)
        made.oracle.free = False
        self.hold(oracle, made)

    @rule(made=units)
    def step_back(self, made):
        if made is None or made.gone or made.locks:
            return
        oracle, waiter = self.oracle[made.space], made.oracle
        self.locks(made.space).units.step_back(self.at, made.wait)
        oracle.waiters.remove(waiter)
        oracle.waiters.append(waiter)
        waiter.free = False
        oracle.settle(self.at.now)
        made.told = waiter.free

    @rule(made=consumes(units))
    def release(self, made):
        if made is None or made.gone:
            return
        made.gone = True
        oracle = self.oracle[made.space]
        self.locks(made.space).units.release(self.at, made.wait)
        if made.oracle in oracle.waiters:
            oracle.waiters.remove(made.oracle)
        for lock in made.locks:
            oracle.drop(lock)
        oracle.settle(self.at.now)

    # ---- time ----

    @rule(seconds=st.sampled_from([0, 1, 5, 5, 10, 30, 200]))
    def advance(self, seconds):
        self.at = Instant(self.at.now + seconds, self.at.wall + seconds)
        self.model.run_due(self.at)
        while ends := sorted(
            end for space in self.oracle.values() for end in space.ends() if end[0] <= self.at.now
        ):
            moment, what = ends[0]
            for space in self.oracle.values():
                space.end(moment, self.at.now, what)

    @rule(seconds=st.sampled_from([-3600, 3600]))
    def set_the_wall_clock(self, seconds):
        """Nothing ends by that, and nothing lasts longer."""
        self.at = Instant(self.at.now, self.at.wall + seconds)
        self.model.run_due(self.at)

    @rule()
    def restart(self):
        """Locks are there still, with the grace period at least; who waited is gone."""
        self.commit()
        self.model = self.rows.load(self.at, SETTINGS)
        self.restarted = True
        assert self.model._core.attempt >= self.highest
        for name, oracle in self.oracle.items():
            oracle.waiters.clear()
            oracle.watches.clear()
            for lock in oracle.locks:
                if lock.deadline is not None:
                    lock.deadline = max(lock.deadline, self.model.clock + GRACE)
            # An order that is no secret: that of the tokens.
            plain = [lock for lock in oracle.locks if lock.unit is None]
            oracle.locks = sorted(plain, key=lambda lock: lock.first)
            self.restore(name)
        for waiting in self.waiting:
            waiting.cancelled = True

    def restore(self, space):
        """Units have their locks again, by their own rows; those that waited begin anew."""
        for made in self.unit_waiting:
            if made.space != space or made.gone:
                continue
            made.gone = not made.locks
            if made.locks:
                name = UnitName("s", made.oracle.unit.encode())
                wanted, attempt = self.wanted(made.oracle.wanted), Attempt("l1", made.attempt)
                made.wait = self.locks(space).units.restore(self.at, name, wanted, attempt)
                self.hold(self.oracle[space], made)

    def commit(self):
        self.rows.apply(self.model.take_changes(self.at))

    # ---- what there is to see ----

    @invariant()
    def all_is_the_same(self):
        # First, because tokens are learnt from it.
        self.waits_have_the_same_outcome()
        self.units_are_told_once_when_it_is_their_turn()
        self.lists_are_the_same()
        self.tokens_grow_within_a_namespace()
        self.rows_alone_give_the_same_locks()
        self.nothing_is_left_in_the_tree()

    def waits_have_the_same_outcome(self):
        settled = self.model.take_settled()
        for waiting in self.waiting:
            if waiting.cancelled:
                continue
            theirs, ours = waiting.oracle.outcome, waiting.wait
            if isinstance(waiting.oracle, Watch):
                assert ours.done is (theirs is not None)
                assert (ours.lost is not None) is (theirs == "lost")
            elif isinstance(theirs, tuple):
                assert isinstance(ours.outcome, Granted)
                self.same_grant(theirs[0], ours.outcome.token)
                assert ours.outcome.deadline == theirs[1]
            elif theirs is not None:
                assert isinstance(ours.outcome, Denied)
                assert ours.outcome.code == theirs
            else:
                assert ours.outcome is None
            if theirs is not None:
                assert settled.count(ours) == 1
                waiting.cancelled = True
        done = {waiting.wait for waiting in self.waiting if waiting.cancelled}
        assert done.issuperset(settled)

    def units_are_told_once_when_it_is_their_turn(self):
        for made in self.unit_waiting:
            if not made.gone and made.wait is not None:
                assert made.wait.free is made.oracle.free
                assert made.wait.held is bool(made.locks)
                assert made.told == bool(made.oracle.free or (made.locks and made.told))

    def lists_are_the_same(self):
        for name, oracle in self.oracle.items():
            found, following = self.locks(name).list(self.at)
            assert following is None
            assert [view.path for view in found] == sorted(view.path for view in found)
            assert sorted(map(self.seen, found)) == sorted(
                self.shown(oracle, lock) for lock in oracle.locks
            )

    def tokens_grow_within_a_namespace(self):
        self.highest = max(self.tokens.values(), default=0)
        for oracle in self.oracle.values():
            numbers = sorted(n for lock in oracle.locks for n in lock.grants if n in self.tokens)
            tokens = [self.tokens[number] for number in numbers]
            assert tokens == sorted(tokens)

    def seen(self, view):
        waiters = tuple((w.locker or "", WORD[w.mode], w.since) for w in view.waiters)
        assert len(waiters) == view.waiters_count
        number = -view.token if view.unit else self.number(view.token)
        mode, deadline = WORD[view.mode], view.deadline or 0
        state = number, view.granted_at, deadline, view.count, view.unit is not None
        return view.path, mode, view.locker, state, waiters

    def shown(self, oracle, lock):
        waiters = tuple(
            (waiter.locker or "", mode, waiter.since)
            for waiter in oracle.waiters
            for mode in [self.waits_for(waiter, lock)]
            if mode
        )
        deadline = lock.deadline or 0
        state = lock.first, lock.since, deadline, len(lock.grants), lock.unit is not None
        return inner(lock.path), lock.mode, lock.locker, state, waiters

    def waits_for(self, waiter, lock):
        modes = {mode for path, mode in waiter.wanted if conflict(path, mode, lock.path, lock.mode)}
        return min(modes) if modes else None

    def rows_alone_give_the_same_locks(self):
        self.commit()
        grace = 1000 if self.restarted else 0
        loaded = self.rows.load(self.at, ModelSettings(restart_grace=grace))
        for name in self.oracle:
            ours = [view for view in self.locks(name).list(self.at)[0] if view.unit is None]
            # Nothing of a lock whose time is over is seen again.
            theirs = loaded.namespace(name).locks.list(self.at)[0]
            assert list(map(self.durable, theirs)) == list(map(self.durable, ours))

    def durable(self, view):
        """What is written down; the grace after a restart is not."""
        deadline = None if self.restarted else view.deadline
        state = view.token, view.granted_at, deadline, view.count
        return view.path, view.mode, view.locker, *state

    def nothing_is_left_in_the_tree(self):
        """What nobody has or waits for costs nothing."""
        for name, oracle in self.oracle.items():
            if not oracle.locks and not oracle.waiters:
                locks = self.locks(name)
                assert locks.tree.root.children == {}
                assert locks.queue.by_locker == {}
