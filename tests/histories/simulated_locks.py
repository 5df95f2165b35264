"""A lock server for the simulation, and what its clients ask for."""

import itertools
from collections.abc import Iterator

from attrs import define, field

from tests.histories.events import NEVER, Call
from tests.histories.simulation import GRACE, Simulation

BUGS = (
    "ancestors",
    "descendants",
    "shared",
    "ends early",
    "never ends",
    "anybody unlocks",
    "renew revives",
    "token reset",
    "forgets at restart",
    "no grace",
)

PATHS = (("a",), ("a", "b"), ("a", "b", "c"), ("a", "d"), ("e",), ("e", 1))


@define(eq=False)
class Lock:
    path: tuple
    locker: str
    mode: str
    token: int
    deadline: float


@define(eq=False)
class Waiter:
    call: Call
    settle: object
    until: float


@define(eq=False)
class LockServer:
    """The state, changed at the moments that it is told."""

    bug: str | None = None
    locks: list = field(factory=list)
    waiters: list = field(factory=list)
    tokens: Iterator[int] = field(factory=lambda: itertools.count(1))

    def do(self, at, call, settle):
        """Do a call at a moment; ``settle`` gets the answer then or later."""
        self.advance(at)
        getattr(self, call.kind)(at, call, settle)
        self.serve(at)

    def advance(self, at):
        """End what ends until a moment, each thing when it does."""
        while (due := self.due()) <= at:
            late = [waiter for waiter in self.waiters if waiter.until <= due]
            self.waiters = [waiter for waiter in self.waiters if waiter.until > due]
            for waiter in late:
                waiter.settle(due, {"refused": "timeout"})
            if self.bug != "never ends":
                self.locks = [lock for lock in self.locks if lock.deadline > due]
            self.serve(due)

    def due(self):
        """Give when something ends next."""
        ends = [lock.deadline for lock in self.locks if self.bug != "never ends"]
        return min([*ends, *(waiter.until for waiter in self.waiters)], default=NEVER)

    def serve(self, at):
        for waiter in list(self.waiters):
            rivals = self.waiters[: self.waiters.index(waiter)]
            if not self.blocked(waiter.call, rivals):
                self.waiters.remove(waiter)
                waiter.settle(at, self.grant(at, waiter.call))

    def blocked(self, call, rivals):
        others = [(lock.path, lock.mode) for lock in self.locks]
        others += [
            (path, rival.call.args["mode"]) for rival in rivals for path in _paths(rival.call)
        ]
        mode = call.args["mode"]
        return any(
            self.conflict(path, mode, other, other_mode)
            for path in _paths(call)
            for other, other_mode in others
        )

    def conflict(self, path, mode, other, other_mode):
        if mode == other_mode == "shared" or (
            self.bug == "shared" and "shared" in {mode, other_mode}
        ):
            return False
        if len(other) < len(path):
            return self.bug != "ancestors" and path[: len(other)] == other
        if len(other) > len(path):
            return self.bug != "descendants" and other[: len(path)] == path
        return path == other

    def grant(self, at, call):
        token = next(self.tokens)
        seconds = call.args["timeout"] * (0.5 if self.bug == "ends early" else 1)
        for path in _paths(call):
            lock = Lock(path, call.args["locker"], call.args["mode"], token, at + seconds)
            self.locks.append(lock)
        return {"token": token}

    # ---- the calls ----

    def lock(self, at, call, settle):
        if not self.blocked(call, self.waiters):
            settle(at, self.grant(at, call))
        elif call.args["wait"]:
            self.waiters.append(Waiter(call, settle, at + call.args["wait"]))
        else:
            settle(at, {"refused": "locked"})

    def own(self, call):
        anybody = self.bug == "anybody unlocks" and call.kind == "unlock"
        found = [
            next(
                (
                    lock
                    for lock in self.locks
                    if lock.path == path and (anybody or (lock.locker, lock.token) == _holder(call))
                ),
                None,
            )
            for path in _paths(call)
        ]
        return found if all(found) else None

    def renew(self, at, call, settle):
        own = self.own(call)
        if own is None and self.bug == "renew revives":
            own = []
            for path in _paths(call):
                locker, token = _holder(call)
                self.locks.append(Lock(path, locker, "exclusive", token, at + call.args["timeout"]))
        for lock in own or ():
            lock.deadline = at + call.args["timeout"]
        settle(at, {"done": own is not None})

    def unlock(self, at, call, settle):
        own = self.own(call)
        self.locks = [lock for lock in self.locks if lock not in (own or ())]
        settle(at, {"done": own is not None})

    def readlock(self, at, call, settle):
        owners = {lock.path: lock.locker for lock in self.locks}
        settle(at, {"owners": [owners.get(path) for path in _paths(call)]})

    def list_locks(self, at, call, settle):
        found = [
            {"path": list(lock.path), "locker": lock.locker, "token": lock.token}
            | {"waiters": self.waiting_for(lock.path)}
            for lock in self.locks
            if list(lock.path[: len(call.args["path"])]) == call.args["path"]
        ]
        settle(at, {"locks": found})

    def waiting_for(self, path):
        return [
            waiter.call.args["locker"] for waiter in self.waiters if path in _paths(waiter.call)
        ]

    def restart(self, killed, ready):
        """Be away for a while; who waited is told nothing, and asks again."""
        self.advance(killed)
        asking, self.waiters = self.waiters, []
        for lock in self.locks:
            grace = 0 if self.bug == "no grace" else GRACE
            lock.deadline = max(lock.deadline, ready + grace)
        if self.bug == "forgets at restart":
            self.locks = []
        if self.bug == "token reset":
            self.tokens = itertools.count(1)
        return [(waiter.call, waiter.settle) for waiter in asking]


def _paths(call):
    return [tuple(path) for path in call.args["paths"]]


def _holder(call):
    return call.args["locker"], call.args["token"]


class LockSimulation(Simulation):
    """Clients that lock, look, renew and unlock, also what they have lost."""

    def make_server(self, bug):
        return LockServer(bug)

    def wanted(self, name, held):
        chance = self.chance
        kind = chance.choice(["lock", "lock", "lock", "readlock", "list_locks"])
        if held and chance.random() < 0.6:
            paths, token = chance.choice(held)
            kind = chance.choice(["renew", "unlock", "unlock"])
            args = {"locker": name, "paths": paths, "token": token}
            return kind, args | ({"timeout": self._timeout()} if kind == "renew" else {})
        if kind == "list_locks":
            return kind, {"path": chance.choice([[], ["a"], ["a", "b"]])}
        paths = [list(chance.choice(PATHS))]
        if kind == "readlock":
            return kind, {"paths": paths}
        mode, wait = chance.choice(["exclusive", "exclusive", "shared"]), chance.choice([0, 0, 0.4])
        args = {"locker": name, "timeout": self._timeout(), "paths": paths, "mode": mode}
        return kind, args | {"wait": wait}

    def learnt(self, call, held):
        if "token" in call.result:
            held = [*held, (call.args["paths"], call.result["token"])]
        if call.kind == "unlock" or (call.kind == "renew" and not call.result["done"]):
            held = [one for one in held if one[1] != call.args["token"]]
        return held

    def _timeout(self):
        return self.chance.choice([0.1, 0.3, 1.0])
