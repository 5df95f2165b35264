"""What a client's own units, specs and locks must be, from what was answered to it."""

import copy

from attrs import asdict, define, field

from coordinate_protocol.constants import AVAILABLE, BLOCKED, FAILED, FINISHED, PENDING

LEASE = 3600
"""Seconds that a hand-out is asked for; longer than any run."""


@define
class Unit:
    """A unit as it should be."""

    data: dict
    priority: float = 0
    status: int = AVAILABLE
    attempt: int | None = None
    worker_id: str | None = None
    lease: float | None = None
    needs: str | None = None


@define
class Oracle:
    """What one client knows. Nobody else touches what it has.

    Attributes:
        units: by the names of their specs, and their keys.
        weights: of the specs that there are.
        locks: the token of each path's last part.
        top: the greatest token that it was given, of a lock or of an attempt.
        session: its session's name, 32 hexadecimal digits.
    """

    units: dict[tuple[str, str], Unit] = field(factory=dict)
    weights: dict[str, float] = field(factory=dict)
    locks: dict[str, int] = field(factory=dict)
    top: int = 0
    session: str | None = None

    def copy(self):
        """Give another one that can go its own way."""
        return copy.deepcopy(self)

    def apply(self, request, result):
        """Take in what was answered to a request."""
        getattr(self, f"_{request['method']}")(*request["params"], result)

    def view(self):
        """Give all of it as it can be compared with what a server holds."""
        shown = {f"unit {spec}/{key}": _shown(unit) for (spec, key), unit in self.units.items()}
        shown |= {f"spec {name}": {"weight": weight} for name, weight in self.weights.items()}
        return shown | {f"lock {name}": {"token": token} for name, token in self.locks.items()}

    # ---- one for each operation ----

    def _hello(self, options, result):
        del options
        self.session = result["session"]

    def _set_work_spec(self, spec, result):
        del result
        self.weights[spec["name"]] = spec["weight"]

    def _control_work_spec(self, name, options, result):
        del result
        self.weights[name] = options["weight"]

    def _del_work_spec(self, name, result):
        del result
        del self.weights[name]
        self.units = {place: unit for place, unit in self.units.items() if place[0] != name}

    def _add_work_units(self, name, items, result):
        del result
        for key, data, options in items:
            needs = (options.get("depends_on") or [None])[0]
            status = AVAILABLE
            if needs is not None and self.units[name, needs].status != FINISHED:
                status = BLOCKED
            self.units[name, key] = Unit(data, options["priority"], status, needs=needs)

    def _get_work(self, worker_id, options, result):
        units, _ = result
        for name, key, data, more in units:
            unit = self.units[name, key]
            assert unit.status == AVAILABLE, f"{name}/{key} was handed out and is {unit.status}"
            assert unit.data == data, f"{name}/{key} came with other data"
            unit.status, unit.worker_id, unit.lease = PENDING, worker_id, options["lease_time"]
            unit.attempt = more["attempt"]
            self._token(more["attempt"])

    def _update_work_unit(self, name, key, options, result):
        del result
        unit = self.units[name, key]
        if "data" in options:
            unit.data = options["data"]
        if "status" in options:
            unit.status, unit.lease = options["status"], None
            self._unblock(name, key)
        else:
            unit.lease = options["lease_time"]

    def _unblock(self, name, key):
        if self.units[name, key].status == FAILED:
            return
        for (spec, _), unit in self.units.items():
            if spec == name and unit.needs == key and unit.status == BLOCKED:
                unit.status = AVAILABLE

    def _update_work_units(self, updates, options, result):
        del options
        for name, key, update in updates:
            self._update_work_unit(name, key, update, result)

    def _prioritize_work_units(self, name, options, result):
        del result
        for key in options["work_unit_keys"]:
            self.units[name, key].priority = options["priority"]

    def _del_work_units(self, name, options, result):
        del result
        for key in options["work_unit_keys"]:
            del self.units[name, key]
            for unit in self.units.values():
                if unit.needs == key:
                    unit.needs = None

    def _lock(self, locker, timeout, paths, options, result):
        del locker, timeout, options
        self.locks[paths[0][1]] = result["token"]
        self._token(result["token"])

    def _renew(self, locker, timeout, paths, options, result):
        """How long a lock lasts is not looked at."""

    def _unlock(self, locker, paths, result):
        del locker, result
        del self.locks[paths[0][1]]

    def _token(self, token):
        assert token > self.top, f"token {token} is not beyond {self.top}"
        self.top = token


def _shown(unit):
    shown = asdict(unit)
    del shown["needs"]
    return shown
