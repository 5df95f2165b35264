"""A TaskMaster and a LockClient without a server, and a way to run the command line on them."""

import logging
from typing import Any

from click.testing import CliRunner

from coordinate_client.changes import Changes
from coordinate_client.cli.application import coordinate
from coordinate_client.cli.session import Session
from coordinate_client.exceptions import NoSuchWorkSpecError, Unsupported

COUNTS = {
    "num_available": 3,
    "num_pending": 1,
    "num_blocked": 0,
    "num_finished": 5,
    "num_failed": 2,
    "num_tasks": 11,
}


def say(message):
    """Log what a server would say besides its answer, as the client does."""
    logger = logging.getLogger("coordinate_client")
    logger.debug("method: %s", message, extra={"server_message": message})


class FakeWatch:
    """A feed of changes: what happens while somebody waits for one.

    `script` has a function for each wait; after the last one comes Ctrl-C. An exception in it is
    raised; `position` is that of the next answer.
    """

    def __init__(self):
        self.script = []
        self.watched = []
        self.position = 7
        self.unsupported = None

    def watch(self, topics, after=None, wait=None, limit=None):
        if self.unsupported is not None:
            raise self.unsupported
        if after is not None:
            self.watched.append((topics, after, wait, limit))
            if not self.script:
                raise KeyboardInterrupt
            happens = self.script.pop(0)
            if isinstance(happens, Exception):
                raise happens
            happens()
            self.position += 1
        return Changes(self.position, reset=False, changes=())


class FakeLocks(FakeWatch):
    """Locks in a list, as a server tells them."""

    def __init__(self, *locks):
        super().__init__()
        self.there = list(locks)
        self.forced = []
        self.asked = []
        self.locker = None
        self.held: Any = None
        self.closed = False

    def close(self):
        self.closed = True

    def list_locks(self, path=(), limit=None):
        self.asked.append(path)
        return iter([one for one in self.there if one["path"][: len(path)] == path])

    def force_unlock(self, path, token=None):
        self.forced.append((path, token))
        gone = [one for one in self.there if (one["path"], one["token"]) == (path, token)]
        self.there = [one for one in self.there if one not in gone]
        return len(gone)

    def hold(self, *arguments, **options):
        self.asked.append(arguments)
        return self.held(*arguments, **options)


def lock_of(path, locker="l1", **told):
    """A lock as `list_locks` tells it."""
    lock = {"path": path, "mode": "exclusive", "locker_id": locker, "token": 19, "age": 2.5}
    return lock | {"expires": 1028.0, "count": 1, "waiters": [], "waiters_count": 0} | told


class FakeTaskMaster(FakeWatch):
    """Answers from memory and notes what it was asked to change."""

    def __init__(self, block=None):
        super().__init__()
        self.block = block
        self.specs = {
            "beta": {"name": "beta", "min_gb": 1, "then": "alpha"},
            "alpha": {"name": "alpha", "min_gb": 2, "desc": "the first"},
        }
        self.units = {"u1": {"n": 1}, "u2": {"traceback": "Boom"}, "u3": {}}
        self.failed = ["u2", "u3"]
        self.batches = []
        self.noted = []
        self.closed = False
        self.broken = None
        self.statuses = {
            "u1": {"status": 3, "expiration": 0.0, "worker_id": "w1"},
            "u2": {"status": 5, "expiration": 0.0, "traceback": "Boom"},
        }
        self.refusal = None
        self.refused = {}
        self.explained = {}
        self.attempts = []
        self.fleet = None
        self.requested: list[str] = []
        # So often a heartbeat does not have the packages yet.
        self.silent = 0
        self.cancelled = {"u1": "asked", "u2": "ended", "u3": "cancelled"}
        self.asked: dict[str, Any] = {"all": None, "hosts": {}, "workers": {}}

    def close(self):
        self.closed = True

    def _rpc(self, method, params):
        self.noted.append((method, params))
        return {"num_workers": 2, "num_children": 0, "num_expirable": 1}

    def iter_work_specs(self):
        return iter(self.specs.values())

    def get_work_spec(self, name):
        return self.specs.get(name)

    def set_work_spec(self, spec):
        self.specs[spec["name"]] = spec

    def add_flow(self, flows, config=None):
        self.noted.append(("add_flow", flows, config))

    def status(self, name):
        if name not in self.specs:
            raise NoSuchWorkSpecError(f"no such work spec {name!r}")
        return dict(COUNTS)

    def pause_work_spec(self, name, paused=True):
        self.noted.append(("pause", name, paused))
        return name in self.specs

    def add_work_units(self, name, units):
        if self.broken is not None and self.batches:
            raise self.broken
        self.batches.append((name, list(units)))

    def prioritize_work_units(self, name, keys):
        self.noted.append(("prioritize", name, keys))
        return name in self.specs

    def get_work_units(self, name, work_unit_keys=None, state=None, limit=None, start=None):
        if state is not None:
            return [(key, self.units[key]) for key in self.failed][:limit]
        keys = sorted(key for key in self.units if start is None or key >= start)
        return [(key, self.units[key]) for key in keys][:limit]

    def get_work_unit_status(self, name, key):
        if isinstance(key, list):
            return [self.statuses.get(one) for one in key] if name in self.specs else None
        return self.statuses.get(key)

    def get_work_unit_attempts(self, name, key):
        self.noted.append(("attempts", name, key))
        return self.attempts

    def explain_work_unit(self, name, key):
        self.noted.append(("explain_work_unit", name, key))
        return self.explained

    def explain_work_spec(self, name):
        self.noted.append(("explain_work_spec", name))
        return self.explained

    def explain_worker(self, worker_id, available_gb=None, work_spec_names=None, runtimes=None):
        self.noted.append(("explain_worker", worker_id, available_gb, work_spec_names, runtimes))
        return self.explained

    def get_heartbeat(self, worker_id):
        said = {"fqdn": "host.example", "ipaddrs": ["10.0.0.1"]}
        self.silent = max(0, self.silent - 1)
        return said if self.silent or not self.requested else said | {"packages": {"attrs": "1"}}

    def request_packages(self, worker_ids):
        self.requested = list(worker_ids)
        return len(self.requested)

    def workers(self, alive=True):
        return {"w1": "RUN"} if alive else {"w1": "RUN", "w0": "TERMINATE"}

    def list_workers(self, worker_ids=None, host=None):
        if self.fleet is None:
            raise Unsupported("list_workers", "a 0.1.5 server does not have it")
        return self.fleet

    def cancel(self, name, *keys, reason=None, now=False):
        self.noted.append(("cancel", name, keys, reason, now))
        if name not in self.specs:
            raise NoSuchWorkSpecError(name)
        return [self.cancelled.get(key, "unknown") for key in keys]

    def set_modes(self, mode, worker_ids=(), hosts=(), everyone=False):
        self.noted.append(("set_modes", mode, worker_ids, hosts, everyone))
        return 3

    def asked_modes(self):
        return self.asked

    def add_dependencies(self, edges):
        self.noted.append(("add_dependencies", edges))
        if self.refusal is not None:
            say(self.refusal)
        return self.refusal is None

    def retry(self, name, *keys, delay=None):
        self.noted.append(("retry", name, keys, delay))
        for key in keys:
            if key in self.refused:
                say(self.refused[key])
                return False
        self.failed = [key for key in self.failed if key not in keys]
        return all(key in self.units for key in keys)

    def del_work_units(self, name, work_unit_keys=None, state=None, all=False, cascade=False):
        self.noted.append(("del_work_units", name, work_unit_keys, state, all, cascade))
        if self.refusal is not None and not cascade:
            say(self.refusal)
            return 0
        return 7

    def clear(self):
        return 2

    def get_server_config(self):
        return {"coordinate": {"server": {"port": 5932}}}


def run(*arguments, master=None, locks=None, input=None, **session):
    """Run the command line on fakes; click's result, with `stdout`, `stderr` and `exit_code`."""
    master = FakeTaskMaster() if master is None else master
    locks = FakeLocks() if locks is None else locks

    def connect_locks(_block, locker):
        locks.locker = locker
        return locks

    given = Session(
        connect=lambda _block: master,
        connect_locks=connect_locks,
        clock=lambda: 1000.5,
        **{"timer": lambda: 0.0, "sleep": lambda _seconds: None} | session,
    )
    return CliRunner().invoke(coordinate, list(arguments), obj=given, input=input)
