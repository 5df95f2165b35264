"""A server in a few lines: units of one spec, handed out in their order; notes what it is told."""

import time
from threading import Event, Thread
from typing import Any

from attrs import define, field

from coordinate_client import WorkUnit
from coordinate_client.exceptions import ClientClosed, ConnectionFailed
from coordinate_client.updates import UpdateResult
from coordinate_protocol.constants import FAILED, FINISHED

DONE = UpdateResult(done=True)
LOST = UpdateResult(done=False, code="lost_lease", message="it is that of 'v'")
AWAY = ConnectionFailed("get_work", ["nowhere"], "refused")
CODE = "tests.workers.code"


@define(eq=False)
class Master:
    """What a loop needs of a TaskMaster.

    Arguments:
        waiting: the keys to hand out.
        told: what it was told, in order: (what, key …).
        spec: the spec of all units; None for one that is gone.
        lease: seconds of each unit's lease.
        troubles: errors that the next calls raise, instead of being done.
        lost: keys whose lease is lost.
        on_wait: what happens, in another thread, when somebody waits for work until it is closed.
    """

    waiting: list = field(factory=list)
    told: list = field(factory=list)
    spec: dict | None = field(factory=lambda: {"name": "s", "module": CODE, "run_function": "work"})
    lease: float = 300.0
    troubles: list = field(factory=list)
    lost: set = field(factory=set)
    on_wait: list = field(factory=list)
    closed: Event = field(factory=Event)
    specs_fetched: int = 0
    attempts: int = 0

    def trouble(self):
        if self.troubles:
            error = self.troubles.pop(0)
            if error is not None:
                raise error

    def taken(self, options):
        found: list[WorkUnit] = []
        while self.waiting and len(found) < options["max_jobs"]:
            self.attempts += 1
            key = self.waiting.pop(0)
            expires = time.time() + self.lease
            mine: Any = self
            worker_id = options["worker_id"]
            found.append(
                WorkUnit(mine, "s", key, {}, worker_id, expires, self.lease, self.attempts)
            )
        return found

    def get_work(self, wait=0.0, **options):
        self.trouble()
        found = self.taken(options)
        self.told.append(("get_work", *(unit.key for unit in found)))
        if not found and wait:
            if not self.on_wait:
                raise AssertionError("it would wait for ever")
            self.closed.clear()
            Thread(target=self.on_wait.pop(0)).start()
            assert self.closed.wait(30)
            raise ClientClosed("get_work", ["nowhere"], "closed")
        return found if options["max_jobs"] > 1 else next(iter(found), None)

    def finish_and_get_work(self, done, **options):
        self.trouble()
        found = self.taken(options)
        self.told.append(("finish", *(unit.key for unit in done)))
        self.told.append(("get_work", *(unit.key for unit in found)))
        return [self.result(unit.key) for unit in done], found

    def finish_units(self, done):
        self.trouble()
        self.told.append(("finish", *(unit.key for unit in done)))
        return [self.result(unit.key) for unit in done]

    def fail_units(self, units):
        self.trouble()
        self.told.append(("failed", *(unit.key for unit in units)))
        return [self.result(unit.key) for unit in units]

    def result(self, key):
        return LOST if key in self.lost else DONE

    def update_work_units(self, updates):
        self.trouble()
        released = [key for _, key, options in updates if options.get("lease_time") == -1]
        self.told.append(("released", *released))
        return [DONE for _ in updates]

    def update_leased(self, spec, key, options, worker_id, attempt=None):
        self.trouble()
        what = {FINISHED: "finish", FAILED: "failed"}.get(options.get("status"), "renewed")
        what = "released" if options.get("lease_time") == -1 else what
        self.told.append((what, key))
        self.result(key).check(spec, key)
        return True

    def get_work_spec(self, name):
        self.specs_fetched += 1
        return self.spec

    def get_mode(self):
        return "RUN"

    def worker_heartbeat(self, worker_id, mode, expire_seconds, data=None, parent=None):
        self.told.append(("heartbeat", worker_id, mode, parent))

    def worker_unregister(self, worker_id):
        self.told.append(("unregister", worker_id))

    def close(self):
        self.told.append(("close",))
        self.closed.set()
