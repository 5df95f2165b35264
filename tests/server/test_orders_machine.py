"""Whatever happens: who waits for orders follows the present ones, who may have work gets it."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from coordinate_server.service.order_waits import position_of
from tests.server.house import House

WORKERS = st.sampled_from(["p", "c1", "c2", "w"])
HOSTS = st.sampled_from(["h1", "h2"])
PARENTS = {"c1": "p", "c2": "p"}
MODES = st.sampled_from(["RUN", "RUN", "IDLE", "TERMINATE"])
KEYS = st.sampled_from(["a", "b", "c"])


class OrdersMachine(RuleBasedStateMachine):
    """Workers come and go, wait, and are told things."""

    def __init__(self):
        super().__init__()
        self.house = House()
        self.client = self.house.client(protocol=[1])
        self.client.call("set_work_spec", {"name": "s", "min_gb": 1, "max_retries": 1})
        # (worker, children, position, results) of each that waits for orders.
        self.waiting: list = []
        # (worker, results) of each that waits for work.
        self.asking: list = []

    @rule(worker=WORKERS, host=HOSTS, lifetime=st.sampled_from([5, 300]))
    def beat(self, worker, host, lifetime):
        said = ("RUN", lifetime, {"host": host}, PARENTS.get(worker))
        self.client.call("worker_heartbeat", worker, *said)

    @rule(worker=WORKERS, host=HOSTS, children=st.lists(WORKERS, max_size=2, unique=True))
    def wait_for_orders(self, worker, host, children):
        said = (worker, "RUN", 300, {"host": host}, PARENTS.get(worker))
        options = {"orders": True, "children": children}
        position = self.client.call("worker_heartbeat", *said, options)[2]["position"]
        options |= {"seen": position, "wait": 1000}
        _, results = self.house.client(protocol=[1]).later("worker_heartbeat", *said, options)
        self.waiting.append((worker, children, position, results))
        self.house.move(0)

    @rule(worker=WORKERS)
    def wait_for_work(self, worker):
        options = {"available_gb": 1, "attempts": True, "wait": 1000}
        answer = self.house.client(protocol=[1]).answer("get_work", worker, options)
        if not hasattr(answer, "result"):
            results: list = []
            answer.then(results.append)
            self.asking.append((worker, results))
        self.house.move(0)

    @rule(worker=WORKERS, release=st.booleans())
    def go(self, worker, release):
        self.client.call("worker_unregister", worker, {"release": release})

    @rule(mode=MODES, workers=st.lists(WORKERS, max_size=2), hosts=st.lists(HOSTS, max_size=1))
    def ask_some(self, mode, workers, hosts):
        if workers or hosts:
            self.client.call("set_mode", mode, {"worker_ids": workers, "hosts": hosts})

    @rule(mode=MODES)
    def ask_all(self, mode):
        self.client.call("set_mode", mode, {"all": True})

    @rule(worker=WORKERS)
    def want_packages(self, worker):
        self.client.call("request_packages", [worker])

    @rule(key=KEYS)
    def add(self, key):
        self.client.call("add_work_units", "s", [(key, {})])

    @rule(keys=st.lists(KEYS, max_size=2), now=st.booleans())
    def cancel(self, keys, now):
        self.client.call("cancel_work_units", "s", keys, {"now": now})

    @rule(key=KEYS, options=st.sampled_from([{"status": 4}, {"status": 5}, {"lease_time": -1}]))
    def update(self, key, options):
        self.client.call("update_work_unit", "s", key, options)

    @rule(seconds=st.sampled_from([0, 6, 301]))
    def move(self, seconds):
        self.house.move(seconds)

    @property
    def space(self):
        return self.house.model.namespace("default")

    @invariant()
    def who_waits_follows_the_present_orders(self):
        self.waiting = [waiter for waiter in self.waiting if not waiter[3]]
        for worker, children, position, _ in self.waiting:
            assert position_of(self.space.orders(worker, children)) == position, worker

    @invariant()
    def who_may_work_does_not_wait_for_units_that_are_there(self):
        self.asking = [asker for asker in self.asking if not asker[1]]
        there = self.client.call("count_work_units", "s")[0].get(1, 0)
        able = [worker for worker, _ in self.asking if self.space.workers.modes.of(worker) == "RUN"]
        assert not (there and able)


TestOrdersMachine = OrdersMachine.TestCase
TestOrdersMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
