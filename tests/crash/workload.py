"""What a client asks for next: chosen by a seed, from what it knows to be there."""

import random
from collections.abc import Callable
from typing import Any, ClassVar

from coordinate_protocol.constants import AVAILABLE, BLOCKED, FAILED, FINISHED, PENDING
from tests.crash.oracle import LEASE, Oracle

CLIENTS = 3
SPECS = 2


class Client:
    """One connection with specs, units and locks of its own, and one call at a time.

    Arguments:
        number: of the connection.
        seed: for what it asks.
    """

    def __init__(self, number, seed):
        self.name = f"client{number}"
        self.oracle = Oracle()
        self._random = random.Random(f"{seed}/{number}")
        self._made = 0
        self.seq = 0
        # Whether it was told that the disk is full; it asks no more then.
        self.refused = False

    def next_request(self):
        """Give the next call: method and params, and the numbers of the session."""
        if self.oracle.session is None:
            return {"method": "hello", "params": [{"protocol": [1], "session": True}]}
        method, *params = self._chosen()
        self.seq += 1
        return {"method": method, "params": params, "seq": self.seq, "low": self.seq}

    def answered(self, request, result):
        """Take in what was answered."""
        self.oracle.apply(request, result)

    def _chosen(self):
        free = [f"{self.name}-{n}" for n in range(SPECS)]
        missing = [name for name in free if name not in self.oracle.weights]
        if missing:
            return self._set_spec(missing[0])
        kinds = list(self._kinds)
        weights = [weight for weight, _ in self._kinds.values()]
        while True:
            (kind,) = self._random.choices(kinds, weights)
            if (request := self._kinds[kind][1](self)) is not None:
                return request

    # ---- what there is to ask for; None for what makes no sense now ----

    def _set_spec(self, name):
        spec = {"name": name, "module": "m", "run_function": "f"}
        return "set_work_spec", spec | {"weight": self._random.randint(1, 50)}

    def _control(self):
        return "control_work_spec", self._spec(), {"weight": self._random.randint(1, 50)}

    def _drop_spec(self):
        return "del_work_spec", self._spec()

    def _add(self):
        name = self._spec()
        number = self._random.choice([1, 2, 5, 20])
        return "add_work_units", name, [self._new_unit(name) for _ in range(number)]

    def _new_unit(self, name):
        self._made += 1
        options: dict[str, Any] = {"priority": self._random.choice([0, 0, 0, 1, -3])}
        there = self._keys(name, AVAILABLE, PENDING)
        if there and self._random.random() < 0.2:
            options["depends_on"] = [self._random.choice(there)]
        return [f"unit{self._made:06}", self._data(), options]

    def _data(self):
        size = self._random.choice([0, 30, 30, 30, 300, 300, 6000])
        return {"number": self._made, "padding": chr(97 + self._made % 26) * size}

    def _get(self):
        options = {"max_jobs": self._random.choice([2, 3, 8]), "work_spec_names": [self._spec()]}
        options |= {"lease_time": LEASE, "attempts": True}
        return "get_work", self.name, options

    def _finish(self):
        name = self._spec()
        keys = self._some(name, 1, PENDING)
        if not keys:
            return None
        options = {"status": FINISHED, "worker_id": self.name}
        if self._random.random() < 0.5:
            options["data"] = self._data()
        return "update_work_unit", name, keys[0], options

    def _finish_many(self):
        name = self._spec()
        keys = self._some(name, 4, PENDING)
        if not keys:
            return None
        options = {"status": FINISHED, "worker_id": self.name}
        return "update_work_units", [[name, key, options] for key in keys], {}

    def _fail(self):
        name = self._spec()
        keys = [key for key in self._some(name, 3, PENDING) if not self._is_needed(name, key)]
        if not keys:
            return None
        return "update_work_unit", name, keys[0], {"status": FAILED, "worker_id": self.name}

    def _renew_lease(self):
        name = self._spec()
        keys = self._some(name, 1, PENDING)
        options = {"lease_time": LEASE + self._random.randint(1, 999), "worker_id": self.name}
        return ("update_work_unit", name, keys[0], options) if keys else None

    def _prioritize(self):
        name = self._spec()
        keys = self._some(name, 5, AVAILABLE, BLOCKED)
        options = {"work_unit_keys": keys, "priority": self._random.randint(-9, 9)}
        return ("prioritize_work_units", name, options) if keys else None

    def _delete(self):
        name = self._spec()
        keys = self._some(name, 5, AVAILABLE, FINISHED, FAILED)
        keys = [key for key in keys if not self._is_needed(name, key)]
        return ("del_work_units", name, {"work_unit_keys": keys}) if keys else None

    def _lock(self):
        self._made += 1
        path = [self.name, f"{self.name}-lock{self._made}"]
        return "lock", self.name, LEASE, [path], {"grant": True}

    def _renew_lock(self):
        path = self._locked()
        return path and ("renew", self.name, LEASE * 2, [path], {})

    def _unlock(self):
        path = self._locked()
        return path and ("unlock", self.name, [path])

    _kinds: ClassVar[dict[str, tuple[int, Callable]]] = {
        "add": (16, _add),
        "get": (16, _get),
        "finish": (14, _finish),
        "finish many": (8, _finish_many),
        "fail": (5, _fail),
        "renew a lease": (5, _renew_lease),
        "prioritize": (5, _prioritize),
        "delete": (6, _delete),
        "lock": (5, _lock),
        "renew a lock": (2, _renew_lock),
        "unlock": (3, _unlock),
        "control": (3, _control),
        "drop a spec": (1, _drop_spec),
    }

    # ---- what there is ----

    def _spec(self):
        return self._random.choice(sorted(self.oracle.weights))

    def _keys(self, name, *statuses):
        units = self.oracle.units.items()
        return sorted(
            key for (spec, key), unit in units if spec == name and unit.status in statuses
        )

    def _some(self, name, most, *statuses):
        keys = self._keys(name, *statuses)
        return self._random.sample(keys, min(len(keys), self._random.randint(1, most)))

    def _is_needed(self, name, key):
        units = self.oracle.units.items()
        return any(
            spec == name and unit.needs == key and unit.status == BLOCKED
            for (spec, _), unit in units
        )

    def _locked(self):
        names = sorted(self.oracle.locks)
        return [self.name, self._random.choice(names)] if names else None
