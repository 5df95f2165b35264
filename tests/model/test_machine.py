"""The machine over the model, through the service, with what a store would hold after each step."""

from hypothesis import settings
from hypothesis.stateful import invariant, rule

from coordinate_protocol.codec import decode, encode
from coordinate_server.model import Instant, Model, ModelSettings
from coordinate_server.service.call import Call
from coordinate_server.service.job_queue import JobQueue
from tests.model.machine import GRACE, KEEP, NOW, WALL, JobMachine
from tests.model.snapshot import Rows, snapshot

SETTINGS = ModelSettings(restart_grace=GRACE, limit_completed_count=KEEP)


class ModelDriver:
    """The service over a model, without a network and without a store."""

    def __init__(self):
        self.at = Instant(NOW, WALL)
        self.model = Model.load([], self.at, SETTINGS)
        self.queue = JobQueue()
        self.rows = Rows()

    def call(self, method, params):
        """Call the service as the network would, and see the answer as a client does."""
        sent = decode(encode(params))
        call = Call(self.model.namespace("n"), "n", self.at, greeted=True)
        answer = getattr(self.queue, method)(call, *sent)
        self.commit()
        return decode(encode(answer), integer_keys=True)

    def commit(self):
        """Put the changes where a store would have them."""
        self.rows.apply(self.model.take_changes(self.at))

    def advance(self, seconds):
        """Let time go by, and what is due then happen."""
        self.at = Instant(self.at.now + seconds, self.at.wall + seconds)
        self.model.run_due(self.at)
        self.commit()

    def restart(self):
        """Go on from the rows alone."""
        before = self.model._core.attempt
        self.model = self.rows.load(self.at, SETTINGS)
        assert self.model._core.attempt >= before

    def close(self):
        """Nothing to close."""


class ModelMachine(JobMachine):
    """The machine over the model."""

    def make_driver(self):
        """Give the model's driver."""
        self.restarted = False
        return ModelDriver()

    @rule()
    def restart(self):
        """A restart gives more time than is written down, until the lease is renewed."""
        super().restart()
        self.restarted = True

    @invariant()
    def rows_alone_give_the_same_state(self):
        """What a load finds is what there is; only the grace is not written down."""
        rows, model, at = self.driver.rows, self.driver.model, self.driver.at
        if not self.restarted:
            assert rows.loaded_snapshot(at.now, at.wall) == snapshot(model)
        assert _without_leases(rows.load(at, SETTINGS)) == _without_leases(model)


def _without_leases(model):
    found = snapshot(model)
    return {
        name: {
            spec: [(u.key, u.status, u.priority, u.worker_id, u.attempt) for u in state[4].values()]
            for spec, state in specs.items()
        }
        for name, (specs, _, _) in found.items()
    }


TestModelMachine = ModelMachine.TestCase
TestModelMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
