"""Where scenarios are played: a real server, and callers whose calls are recorded."""

import contextlib
import itertools

from tests.histories.callers import LockCaller, WorkCaller
from tests.histories.events import Recorder, read_calls
from tests.histories.servers import Servers
from tests.histories.verdicts import check
from tests.histories.wire import OutcomeUnknown


class Stage:
    """A server and everybody who plays with it.

    Arguments:
        home: a directory of its own.
        stack: closes everything.
        grace: the server's ``restart_grace``, seconds.
        package: a copy of the server's package to run; None for ours.
    """

    def __init__(self, home, stack, *, grace, package=None):
        self.home, self._stack = home, stack
        self._names = itertools.count(1)
        recorder = self._recorder("server")
        self.server = Servers(home, recorder, grace=grace, package=package)
        self._stack.callback(self.server.close)

    def worker(self, cut=lambda: None):
        """Give a new worker."""
        return self._caller(WorkCaller, "worker", cut)

    def locker(self, cut=lambda: None):
        """Give a new locker."""
        return self._caller(LockCaller, "locker", cut)

    def work(self, *keys, spec="s", **definition):
        """Make a spec with units."""
        adder = self.worker()
        adder.define(spec, **definition)
        if keys:
            adder.add(spec, keys)
        return adder

    def calls(self):
        """Give what was recorded up to now."""
        return read_calls(self.home.glob("*.history"))

    def _caller(self, kind, role, cut):
        name = f"{role}{next(self._names)}"
        caller = kind(self.home / "address", self._recorder(name), cut)
        setattr(caller, role, name)
        self._stack.callback(caller.close)
        return caller

    def _recorder(self, name):
        recorder = Recorder(self.home / f"{name}.history", name)
        self._stack.callback(recorder.close)
        return recorder


def play(scenario, home, package=None, counts=None):
    """Play a scenario, and check what was recorded.

    Raises:
        AssertionError: something was not as it has to be.
    """
    with contextlib.ExitStack() as stack:
        stage = Stage(home, stack, grace=scenario.grace, package=package)
        try:
            scenario.play(stage)
        except OutcomeUnknown as error:
            raise AssertionError(f"the server forgot a call: {error}") from error
        finally:
            # What the calls themselves show says more than what they should have shown.
            check(stage.calls(), counts)


def losing(*ways):
    """Give what makes the next calls lose their connection in some ways, and then no more."""
    left = iter(ways)
    return lambda: next(left, None)


def one(result):
    """Give the unit of who has to get exactly one."""
    assert len(result["units"]) == 1, f"not one unit: {result}"
    return result["units"][0]
