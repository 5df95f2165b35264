"""The locks of one namespace with short calls: paths are written as ``a/b/3``."""

from typing import Any

from coordinate_server.model import Instant, Model, ModelSettings
from coordinate_server.model.locks import EXCLUSIVE, SHARED, Attempt, LockRequest, UnitName
from coordinate_server.model.locks.paths import path_of, path_value
from tests.model.snapshot import Rows

MODES = {"exclusive": EXCLUSIVE, "shared": SHARED}
GRACE = 60


def path(text):
    """Read a path; parts of digits are numbers."""
    parts = [int(part) if part.isdigit() else part for part in text.split("/") if part]
    return path_of(parts, 8192, empty=True)


def text(of):
    """Write a path so."""
    return "/".join(str(part) for part in path_value(of))


class LockHouse:
    """One model, a moment that moves by hand, and the rows that its changes make."""

    def __init__(self):
        self.settings = ModelSettings(restart_grace=GRACE)
        self.at = Instant(1000.0, 1_700_000_000.0)
        self.model = Model.load([], self.at, self.settings)
        self.rows = Rows()

    @property
    def locks(self):
        return self.model.namespace("n").locks

    @property
    def queue(self):
        return self.locks.queue

    def advance(self, seconds, wall=None):
        wall = seconds if wall is None else wall
        self.at = Instant(self.at.now + seconds, self.at.wall + wall)
        self.model.run_due(self.at)

    def commit(self):
        changes = self.model.take_changes(self.at)
        self.rows.apply(changes)
        return changes

    def restart(self):
        self.commit()
        self.model = self.rows.load(self.at, self.settings)

    def request(self, locker, paths, seconds=60, mode="exclusive", reentrant=False, wait=0):
        found = tuple(map(path, paths))
        return LockRequest(locker, seconds, found, MODES[mode], reentrant, wait)

    def lock(self, locker, *paths, **options):
        return self.locks.lock(self.at, self.request(locker, paths, **options))

    def some(self, locker, *paths, **options):
        return self.locks.lock_some(self.at, self.request(locker, paths, **options))

    def wait(self, locker, *paths, wait=100, **options) -> Any:
        """Lock what cannot be locked now, and give the wait."""
        waiting = self.lock(locker, *paths, wait=wait, **options)
        assert waiting.outcome is None
        return waiting

    def renew(self, locker, *paths, seconds=60, token=None):
        return self.locks.renew(self.at, locker, seconds, list(map(path, paths)), token)

    def unlock(self, locker, *paths, token=None):
        self.locks.unlock(self.at, locker, list(map(path, paths)), token)

    def force(self, *paths, token=None):
        return self.locks.force(self.at, map(path, paths), token)

    def cancel(self, wait):
        self.locks.cancel(self.at, wait)

    def owners(self, *paths):
        return self.locks.read(self.at, map(path, paths))

    def views(self, under="", limit=1000, start=None):
        begin = None if start is None else path(start)
        return self.locks.list(self.at, path(under), limit, begin)

    def held(self, under=""):
        """Give who has what."""
        return [(text(view.path), view.locker) for view in self.views(under)[0]]

    def ends(self):
        """Give when the locks end, by path."""
        return {text(view.path): view.deadline for view in self.views()[0]}

    # ---- units ----

    def stand(self, key, *wanted, told=None):
        """Let a unit stand in the queue; what it is told goes to a list."""
        note = (lambda at: None) if told is None else (lambda at: told.append(key))
        name = UnitName("s", key.encode())
        return self.locks.units.stand(self.at, name, _wanted(wanted), note)

    def free_for(self, *wanted):
        return self.locks.units.free_for(_wanted(wanted))

    def grant_to(self, key, *wanted, worker="w"):
        name, attempt = UnitName("s", key.encode()), self.attempt(worker)
        return self.locks.units.grant_to(self.at, name, _wanted(wanted), attempt)

    def attempt(self, worker="w"):
        return Attempt(worker, self.model._core.next_attempt())

    def take(self, claim, worker="w"):
        self.locks.units.take(self.at, claim, self.attempt(worker))

    def step_back(self, claim):
        self.locks.units.step_back(self.at, claim)

    def release(self, claim):
        self.locks.units.release(self.at, claim)


def _wanted(said):
    """``a/b`` is exclusive, ``a/b*`` is shared."""
    return [(path(one.rstrip("*")), SHARED if one.endswith("*") else EXCLUSIVE) for one in said]
