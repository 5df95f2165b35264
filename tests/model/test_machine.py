"""The machine over the model, through the service, with what a store would hold after each step."""

import os
from typing import Any

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from coordinate_protocol.codec import decode, encode
from coordinate_server.model import Instant, ModelSettings
from coordinate_server.service.call import Call
from coordinate_server.service.job_queue import JobQueue
from coordinate_server.service.order_waits import OrderWaits
from coordinate_server.service.waiting import Handed
from coordinate_server.service.waiting_line import WaitingLines
from tests.model.machine import GRACE, KEEP, NOW, WALL, JobMachine
from tests.model.snapshot import Rows, snapshot
from tests.model.wide_machine import LIMITS, WideMachine

SETTINGS = ModelSettings(restart_grace=GRACE, limit_completed_count=KEEP, ended_kept=1)


class ModelDriver:
    """The service over a model, without a network, and with a store that is a dict."""

    def __init__(self, limits=None):
        self.settings = evolve(SETTINGS, limits=limits or {})
        self.at = Instant(NOW, WALL)
        self.rows = Rows()
        self.model = self.rows.load(self.at, self.settings, self.rows)
        # Whether what has ended leaves memory with each commit.
        self.forgetful = False
        nobody: Any = None
        lines = WaitingLines(self, nobody, nobody)  # type: ignore[arg-type] # it is a clock
        self.queue = JobQueue(lines, nobody, OrderWaits(nobody, nobody))

    def instant(self):
        """Be the service's clock."""
        return self.at

    def call(self, method, params):
        """Call the service as the network would, and see the answer as a client does."""
        sent = decode(encode(params))
        call = Call(self.model.namespace("n"), "n", self.at, greeted=True)
        answer = getattr(self.queue, method)(call, *sent)
        answer = answer.value if isinstance(answer, Handed) else answer
        self.commit()
        return decode(encode(answer), integer_keys=True)

    def commit(self):
        """Put the changes where a store would have them."""
        self.rows.apply(self.model.take_changes(self.at))
        if self.forgetful:
            self.model.shelve(1000)

    def advance(self, seconds):
        """Let time go by, and what is due then happen."""
        self.at = Instant(self.at.now + seconds, self.at.wall + seconds)
        self.model.run_due(self.at)
        self.commit()

    def restart(self):
        """Go on from the rows alone."""
        before = self.model._core.attempt
        self.model = self.rows.load(self.at, self.settings, self.rows)
        assert self.model._core.attempt >= before

    def close(self):
        """Nothing to close."""


class RowChecks:
    """For a machine over the model: looks at the rows too."""

    restarted = False
    driver: Any

    @initialize(forgetful=st.booleans())
    def begin_with_little_memory(self, forgetful):
        """Where units leave memory at once, all that is asked of one that has ended is read."""
        self.driver.forgetful = forgetful

    @rule(most=st.integers(1, 4))
    def units_leave_memory(self, most):
        """Nothing that can be seen changes by it."""
        self.driver.model.shelve(most)

    @rule()
    def restart(self):
        """A restart gives more time than is written down, until the lease is renewed."""
        super().restart()  # type: ignore[misc]  # of the machine that it is mixed into
        self.restarted = True

    @invariant()
    def rows_alone_give_the_same_state(self):
        """What a load finds is what there is; only the grace is not written down."""
        driver, rows, at = self.driver, self.driver.rows, self.driver.at
        if not self.restarted:
            assert rows.loaded_snapshot(at.now, at.wall) == snapshot(driver.model)
        loaded = rows.load(at, driver.settings)
        assert _without_leases(loaded) == _without_leases(driver.model)


class ModelMachine(RowChecks, JobMachine):
    """The machine over the model."""

    def make_driver(self):
        """Give the model's driver."""
        return ModelDriver()


class WideModelMachine(RowChecks, WideMachine):
    """The wide machine over the model."""

    def make_driver(self):
        """Give the model's driver."""
        return ModelDriver(LIMITS)


class LongWideModelMachine(WideModelMachine):
    """The same, for longer."""


def _without_leases(model):
    found = snapshot(model)
    return {
        name: {
            spec: ({key: evolve(u, deadline=None) for key, u in units.items()}, state)
            for spec, (units, state) in specs.items()
        }
        for name, (specs, *_) in found.items()
    }


# A short form by itself; thousands on demand.
LONG = int(os.environ.get("COORDINATE_TEST_EXAMPLES", "150"))

TestModelMachine = ModelMachine.TestCase
TestModelMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

TestWideModelMachine = WideModelMachine.TestCase
TestWideModelMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

TestLongWideModelMachine = pytest.mark.slow(LongWideModelMachine.TestCase)
TestLongWideModelMachine.settings = settings(
    max_examples=LONG, stateful_step_count=50, deadline=None
)
