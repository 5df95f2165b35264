"""What the client processes of a history do, until they are told to stop or are killed."""

import json
import random
import signal
import sys
from pathlib import Path

from tests.histories.callers import LockCaller, WorkCaller
from tests.histories.events import Recorder
from tests.histories.resource import Resource
from tests.histories.wire import OutcomeUnknown, pause

TREES = 2
SHAPE = ((), ("a",), ("a", 1), ("b",))
LEAVES = (("a", 1), ("b",))
"""Behind each of these there is a resource: who has it, or what it is under, may write."""

CUTS = 0.04
"""How likely it is that a call loses its connection on the way."""


class Program:
    """One process: its chance, its history, and the resources.

    Arguments:
        name: of the process, unlike any other's.
        seed: of what it does.
        home: has the server's address, the histories and the resources.
    """

    def __init__(self, name, seed, home):
        self.name, self.chance, self.home = name, random.Random(seed), Path(home)
        self.recorder = Recorder(self.home / f"{name}.history", name)
        self.stopping = False

    def run(self):
        """Do one thing after another."""
        signal.signal(signal.SIGTERM, self._stop)
        while not self.stopping:
            try:
                self.step()
            except OutcomeUnknown:
                self.begin_anew()

    def step(self):
        raise NotImplementedError

    def begin_anew(self):
        """Be somebody else: what was asked last may have been done."""
        raise NotImplementedError

    def write(self, resource, token):
        """Write to a resource, without knowing whether that is allowed any more."""
        number = self.recorder.begin("write", {"resource": resource, "token": token})
        self.recorder.end(number, Resource(self.home / f"{resource}.resource").write(token))

    def write_behind(self, paths, token):
        """Write to the resources behind some paths."""
        leaves = [(path[0], *leaf) for path in paths for leaf in LEAVES]
        for leaf in leaves:
            if any(leaf[: len(path)] == path for path in paths):
                self.write("lock-" + "-".join(map(str, leaf)), token)

    def cut(self):
        """Give how the next call loses its connection."""
        if self.chance.random() >= CUTS:
            return None
        return self.chance.choice(("half", "sent", "answered", "answered"))

    def linger(self):
        """Do what a holder does meanwhile."""
        pause(self.chance.choice([0, 0.005, 0.02, 0.06]))

    def _stop(self, number, frame):
        self.stopping = True


class Locker(Program):
    """Locks, writes, renews and unlocks; now and then it forgets to."""

    seconds = 1.0

    def __init__(self, name, seed, home):
        super().__init__(name, seed, home)
        self.caller = LockCaller(self.home / "address", self.recorder, self.cut)
        self.caller.locker, self._lives = name, 1

    def begin_anew(self):
        self._lives += 1
        self.caller.locker = f"{self.name}.{self._lives}"

    def step(self):
        if self.chance.random() < 0.15:
            self._look()
        else:
            self._lock()
        pause(self.chance.choice([0, 0.005, 0.02]))

    def _path(self):
        return (f"t{self.chance.randrange(TREES)}", *self.chance.choice(SHAPE))

    def _look(self):
        if self.chance.random() < 0.5:
            self.caller.readlock([self._path()])
        else:
            self.caller.list_locks(self._path()[:1])

    def _lock(self, depth=0):
        mode = self.chance.choice(["exclusive", "exclusive", "shared"])
        paths = self._paths()
        wait = self.chance.choice([0, 0, 0.3, 1.5])
        result = self.caller.lock(self.seconds, paths, mode=mode, wait=wait)
        if "token" in result:
            self._hold(paths, result["token"], mode, depth)

    def _paths(self):
        if self.chance.random() < 0.8:
            return [self._path()]
        tree = f"t{self.chance.randrange(TREES)}"
        return [(tree, "a", 1), (tree, "b")]

    def _hold(self, paths, token, mode, depth):
        again = False
        for _ in range(self.chance.choice([0, 1, 1, 2, 3])):
            if mode == "exclusive":
                self.write_behind(paths, token)
            self.linger()
            what = self.chance.random()
            if what < 0.4 and not self.caller.renew(self.seconds, paths, token)["done"]:
                return
            if 0.4 < what < 0.5 and not again:
                again = self._again(paths[:1], mode, token)
            if 0.5 < what < 0.6 and not depth:
                self._lock(depth + 1)
        if self.chance.random() < 0.95:
            self.caller.unlock(paths, token)

    def _again(self, paths, mode, token):
        """Lock once more what it has, and unlock that."""
        result = self.caller.lock(self.seconds, paths, mode=mode, reentrant=True)
        if "token" in result:
            self.linger()
            self.caller.unlock(paths[:1], result["token"])
        return True


class Worker(Program):
    """Gets work, does it, and says what became of it; now and then too late, or twice."""

    seconds = 1.0

    def __init__(self, name, seed, home):
        super().__init__(name, seed, home)
        self.caller = WorkCaller(self.home / "address", self.recorder, self.cut)
        self.caller.worker, self._old, self._next = name, [], []

    def begin_anew(self):
        self._next = []

    def step(self):
        units = self._next or self.caller.get_work(self.seconds, wait=0.4)["units"]
        self._next = []
        for unit in units:
            self._work(unit)

    def _work(self, unit):
        for _ in range(self.chance.choice([0, 1, 1, 2])):
            self._write(unit)
            self.linger()
            if self.chance.random() < 0.5:
                self.caller.update((unit, "renew", self.seconds))
        what = self.chance.choice(["finish"] * 6 + ["release", "fail", "nothing"])
        if what != "nothing":
            self._end(unit, what)
        self._old.append(unit)
        if self.chance.random() < 0.1:
            # An old word once more: it changes nothing.
            old = self.chance.choice(self._old)
            self.caller.update((old, *self._word(old, "finish")))

    def _write(self, unit):
        """Write to what belongs to the unit, and to what is behind its locks."""
        self.write(f"unit-{unit['spec']}-{unit['key']}", unit["attempt"])
        paths = [tuple(path) for path, mode in unit.get("locks", ()) if mode == "exclusive"]
        self.write_behind(paths, unit["attempt"])

    def _end(self, unit, what):
        following = self.seconds if self.chance.random() < 0.5 else None
        said = self.caller.update((unit, *self._word(unit, what)), following=following)
        self._next = said.get("units") or []

    @staticmethod
    def _word(unit, what):
        if what != "finish":
            return (what,)
        data = {"key": unit["key"], "by": unit["attempt"]}
        data["output"] = {f"of-{unit['key']}": {"from": unit["attempt"]}}
        return what, data


PROGRAMS = {"locker": Locker, "worker": Worker}


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    PROGRAMS[told["role"]](told["name"], told["seed"], told["home"]).run()
