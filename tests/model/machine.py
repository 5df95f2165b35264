"""The state machine test of the main operations, over anything that speaks the wire's operations.

A driver has ``call(method, params)`` with wire values in and out (text for keys and names, plain
Python values for data; a result in parentheses is a tuple), ``advance(seconds)``, ``restart()`` and
``close()``. It has said ``hello``, keeps ``KEEP`` ended units of each kind on ``archive``, gives
``GRACE`` seconds of grace, and its clocks start at ``NOW`` and ``WALL`` and
move only by ``advance``.
"""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.model.oracle import Oracle

NOW, WALL = 1000.0, 1_700_000_000.0
GRACE, KEEP = 60, 2

NAMES = st.sampled_from(["a", "b", "c"])
KEYS = st.sampled_from(["k1", "k2", "k3", "k4", "ü"])
WORKERS = st.sampled_from(["w1", "w2"])
PRIORITIES = st.sampled_from([-2, -1, 0, 1, 2.5])
STATUSES = st.sampled_from([1, 3, 4, 5])
DATA: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"n": st.integers(0, 9)}, optional={"output": st.dictionaries(KEYS, st.just({}), max_size=2)}
)
SPECS = st.fixed_dictionaries(
    {"name": NAMES, "min_gb": st.sampled_from([0, 1, 4])},
    optional={
        "priority": PRIORITIES,
        "weight": st.integers(1, 40),
        "max_running": st.integers(0, 5),
        "max_getwork": st.integers(1, 2),
        "then": NAMES,
        "then_preempts": st.booleans(),
        "disabled": st.booleans(),
        "unknown": st.text(max_size=3),
    },
)
UNITS = st.lists(
    st.tuples(
        KEYS,
        DATA,
        st.fixed_dictionaries(
            {}, optional={"priority": PRIORITIES, "delay": st.sampled_from([0, 5, 50])}
        ),
    ),
    min_size=1,
    max_size=4,
)


class JobMachine(RuleBasedStateMachine):
    """Does the same to a driver and to the oracle, and compares all there is to see."""

    def __init__(self):
        super().__init__()
        self.driver = self.make_driver()
        self.oracle = self.make_oracle()

    def make_oracle(self):
        """Give an oracle of an empty server."""
        return Oracle(NOW, WALL, GRACE, KEEP)

    def make_driver(self):
        """Give a driver of an empty server."""
        raise NotImplementedError

    def call(self, method, *params):
        """Call one operation."""
        return self.driver.call(method, list(params))

    @initialize(definitions=st.tuples(SPECS, SPECS, SPECS), units=st.tuples(UNITS, UNITS, UNITS))
    def begin_with_work(self, definitions, units):
        """Most steps on an empty server show nothing, so it begins with three specs and units."""
        for name, definition, added in zip("abc", definitions, units, strict=True):
            self.set_spec({**definition, "name": name})
            self.add_units(name, added)

    @rule(definition=SPECS)
    def set_spec(self, definition):
        self.oracle.set_spec(definition)
        assert self.call("set_work_spec", definition) == (True, None)

    @rule(name=NAMES, paused=st.booleans())
    def pause(self, name, paused):
        self.oracle.pause(name, paused)
        done, _ = self.call("control_work_spec", name, {"status": 2 if paused else 1})
        assert done == (name in self.oracle.specs)

    @rule(name=NAMES, units=UNITS)
    def add_units(self, name, units):
        self.oracle.add(name, list({unit[0]: unit for unit in units}.values()))
        done, _ = self.call("add_work_units", name, units)
        assert done == (name in self.oracle.specs)

    @rule(
        worker=WORKERS,
        names=st.none() | st.lists(NAMES, max_size=2),
        gigabytes=st.sampled_from([None, 0, 2, 8]),
        most=st.integers(1, 3),
        lease=st.sampled_from([1, 10, 300]),
    )
    def get_work(self, worker, names, gigabytes, most, lease):
        choices = self.oracle.choices(names, gigabytes)
        options = {"max_jobs": most, "lease_time": lease}
        options |= {"work_spec_names": names, "available_gb": gigabytes}
        found, _ = self.call("get_work", worker, options)
        if most == 1:
            found = [] if found == (None, None, None) else [found]
        if not choices:
            assert found == []
            return
        assert found, f"there was work in {choices}"
        assert found[0][0] in choices
        assert found == self.oracle.take(worker, found[0][0], most, lease)

    def update(self, name, key, **wanted):
        options = {k: v for k, v in wanted.items() if v is not None}
        expected = self.oracle.update(
            name,
            key,
            options.get("status"),
            options.get("lease_time"),
            options.get("data"),
            options.get("worker_id"),
        )
        done, message = self.call("update_work_unit", name, key, options)
        assert done == expected, message

    @rule(name=NAMES, key=KEYS, worker=st.none() | WORKERS, data=st.none() | DATA)
    def finish(self, name, key, worker, data):
        self.update(name, key, status=4, worker_id=worker, data=data)

    @rule(name=NAMES, key=KEYS, worker=st.none() | WORKERS, data=st.none() | DATA)
    def fail(self, name, key, worker, data):
        self.update(name, key, status=5, worker_id=worker, data=data)

    @rule(name=NAMES, key=KEYS)
    def retry(self, name, key):
        self.update(name, key, status=1, lease_time=0)

    @rule(name=NAMES, keys=st.lists(KEYS, max_size=2, unique=True), now=st.booleans())
    def cancel(self, name, keys, now):
        expected = self.oracle.cancel(name, keys, now=now)
        results, _ = self.call("cancel_work_units", name, keys, {"now": now})
        assert results == expected

    @rule(worker=WORKERS)
    def ask_for_orders(self, worker):
        options = {"orders": True}
        *_, orders = self.call("worker_heartbeat", worker, "RUN", 300, None, None, options)
        found = {(name, key) for name, key, _, _ in orders["cancel"]}
        assert found == self.oracle.to_end(worker)

    @rule(name=NAMES, key=KEYS, worker=WORKERS)
    def give_back(self, name, key, worker):
        self.update(name, key, lease_time=-1, worker_id=worker)

    @rule(name=NAMES, key=KEYS, worker=st.none() | WORKERS, lease=st.sampled_from([2, 20]))
    def renew(self, name, key, worker, lease):
        self.update(name, key, lease_time=lease, worker_id=worker)

    @rule(name=NAMES, key=KEYS, status=st.none() | STATUSES, data=st.none() | DATA)
    def update_as_anybody(self, name, key, status, data):
        self.update(name, key, status=status, data=data)

    @rule(name=NAMES, keys=st.lists(KEYS, max_size=3), state=st.none() | STATUSES)
    def delete_keys(self, name, keys, state):
        count, _ = self.call("del_work_units", name, {"work_unit_keys": keys, "state": state})
        assert count == self.oracle.delete(name, keys=keys, state=state)

    @rule(name=NAMES, state=STATUSES)
    def delete_state(self, name, state):
        count, _ = self.call("del_work_units", name, {"state": state})
        assert count == self.oracle.delete(name, state=state)

    @rule(name=NAMES)
    def delete_all(self, name):
        count, _ = self.call("del_work_units", name, {"all": True})
        assert count == self.oracle.delete(name, everything=True)

    @rule(
        name=NAMES,
        keys=st.lists(KEYS, max_size=3, unique=True),
        priority=st.none() | PRIORITIES,
        adjustment=st.none() | st.sampled_from([-1, 1]),
    )
    def prioritize(self, name, keys, priority, adjustment):
        options = {"work_unit_keys": keys, "priority": priority, "adjustment": adjustment}
        done, _ = self.call("prioritize_work_units", name, options)
        assert done == (name in self.oracle.specs)
        self.oracle.prioritize(name, keys, priority, adjustment)

    @rule()
    def archive(self):
        self.oracle.archive()
        self.call("archive", {})

    @precondition(lambda self: len(self.oracle.specs) > 1)
    @rule(name=NAMES)
    def delete_spec(self, name):
        done, _ = self.call("del_work_spec", name)
        assert done == (self.oracle.specs.pop(name, None) is not None)

    @rule(seconds=st.sampled_from([0.5, 1, 5, 60, 400]))
    def expire(self, seconds):
        self.oracle.advance(seconds)
        self.driver.advance(seconds)

    @rule()
    def restart(self):
        self.oracle.restart()
        self.driver.restart()

    @invariant()
    def all_that_can_be_seen_is_as_the_oracle_says(self):
        specs, _ = self.call("list_work_specs", {})
        assert [spec["name"] for spec in specs] == sorted(self.oracle.specs)
        for spec in specs:
            self.compare(spec["name"], spec)

    def compare(self, name, spec):
        expected = self.oracle.specs[name]
        assert spec == expected["definition"]
        assert self.call("get_work_spec_meta", name)[0]["status"] == 1 + expected["paused"]
        counts, _ = self.call("count_work_units", name)
        assert counts == self.oracle.counts(name), name
        keys = sorted(expected["units"], key=str.encode)
        found, _ = self.call("get_work_units", name, {})
        assert found == [(key, expected["units"][key]["data"]) for key in keys]
        ready, _ = self.call("get_work_units", name, {"state": 1})
        assert [key for key, _ in ready] == self.oracle.ready(name)
        statuses, _ = self.call("get_work_unit_status", name, keys)
        for key, status in zip(keys, statuses, strict=True):
            number, worker, expiration = self.oracle.statuses(name)[key]
            assert (status["status"], status.get("worker_id")) == (number, worker), key
            assert status["expiration"] == pytest.approx(expiration, abs=0.001)

    def teardown(self):
        self.driver.close()
