"""Many units, many worker processes, and somebody who kills them: every unit ends exactly once."""

import json
import logging
import os
import random
import signal
import time
from collections import Counter
from contextlib import ExitStack, suppress

import pytest

from coordinate_client import TaskMaster
from coordinate_client.exceptions import ConnectionFailed
from tests.server.running import RunningServer
from tests.soak.fleet import Parent, descriptors, resident

pytestmark = pytest.mark.slow
logger = logging.getLogger(__name__)

# A short form by itself; the whole with COORDINATE_TEST_SOAK=20000.
UNITS = int(os.environ.get("COORDINATE_TEST_SOAK", "8000"))
PARENTS, CHILDREN = 5, 4
LEASE = 10
SECONDS = 120 + UNITS / 50
BETWEEN_KILLS = 0.1
# Of the server: standard streams, its data, its event loop; and connections that are about to end.
OWN_FILES = 40
SPARED = 0


class Soak:
    """The server, the fleet, and the one who kills."""

    def __init__(self, tmp_path, seed, stack):
        self.random = random.Random(seed)
        self.directory = tmp_path
        self.stack = stack
        self.data = ["--data", tmp_path / "data.db"]
        self.settings = tmp_path / "server.yaml"
        self.settings.write_text("coordinate: {job_queue: {restart_grace: 5}}\n")
        self.server = self.start_server(0)
        self.port = self.server.address[1]
        self.config = {
            "address": f"127.0.0.1:{self.port}",
            "default_lifetime": LEASE,
            "worker_job_fetch": 10,
            "base_retry_seconds": 0.05,
            "fork_worker": {
                "num_workers": CHILDREN,
                "child_lifetime": 5,
                "heartbeat_interval": 2,
                "poll_interval": 0.2,
                "stop_jobs_early": 2,
            },
        }
        path = tmp_path / "worker.yaml"
        path.write_text(json.dumps({"coordinate": self.config}))
        self.master = TaskMaster(self.config)
        stack.callback(self.master.close)
        self.parents = [
            Parent(str(path), tmp_path / f"worker-{number}.log") for number in range(PARENTS)
        ]
        for parent in self.parents:
            stack.callback(parent.close)
        self.killed: Counter[str] = Counter()

    def start_server(self, port):
        server = RunningServer(self.directory, "-c", self.settings, *self.data, port=port)
        self.stack.callback(server.close)
        return server

    def restart_server(self):
        """Kill it, and start another one on its data and its port."""
        self.server.kill()
        self.killed["server"] += 1
        self.server = self.start_server(self.port)

    def add(self, number):
        self.master.set_work_spec(
            {
                "name": "soak",
                "min_gb": 0,
                "module": "soak_jobs",
                "run_function": "work",
                "run_params": [str(self.directory)],
                "max_lost_leases": 1000,
            }
        )
        lengths = [0.0] * 90 + [0.02] * 9 + [0.3]
        units = {
            f"unit-{one:06}": {"seconds": self.random.choice(lengths)} for one in range(number)
        }
        self.master.add_work_units("soak", list(units.items()))

    def kill_somebody(self):
        """One child, or sometimes the whole parent; the first parent is spared, to be measured."""
        parent = self.random.choice(self.parents)
        children = parent.children()
        if self.random.random() < 0.1 and parent is not self.parents[SPARED]:
            parent.kill()
            parent.start()
            self.killed["parent"] += 1
        elif children:
            with suppress(ProcessLookupError):
                os.kill(self.random.choice(children), signal.SIGKILL)
                self.killed["child"] += 1

    def ended(self):
        """How many units have ended; None while no server answers."""
        try:
            status = self.master.status("soak")
        except ConnectionFailed:
            return None
        return status["num_finished"] + status["num_failed"]

    def measure(self):
        """What the spared parent holds, and the server: descriptors and MiB.

        The fewest descriptors of some looks: one may be open for a moment, while a child begins.
        """
        pids = (self.parents[SPARED].process.pid, self.server.process.pid)
        looks = []
        for _ in range(5):
            looks.append([descriptors(pid) for pid in pids])
            time.sleep(0.02)
        return [
            (min(each), resident(pid))
            for each, pid in zip(zip(*looks, strict=True), pids, strict=True)
        ]

    def run(self):
        """Kill until all units have ended; what was measured after the second restart, and last."""
        began = time.monotonic()
        restarts = [UNITS // 3, 2 * UNITS // 3]
        settled = None
        while (ended := self.ended()) is None or ended < UNITS:
            assert time.monotonic() - began < SECONDS, f"{ended} of {UNITS} units, {self.killed}"
            if restarts and ended is not None and ended >= restarts[0]:
                restarts.pop(0)
                self.restart_server()
                continue
            if settled is None and not restarts:
                settled = self.measure()
            self.kill_somebody()
            self.parents[SPARED].process.poll()
            time.sleep(BETWEEN_KILLS)
        return settled or self.measure(), self.measure(), time.monotonic() - began


@pytest.fixture
def soak(tmp_path, seed):
    """A soak whose processes end with the test."""
    with ExitStack() as stack:
        yield Soak(tmp_path, seed, stack)


def test_every_unit_ends_once_whoever_is_killed(soak):
    """Nothing is lost, nothing ends twice, nothing leaks, and it is over in time."""
    soak.add(UNITS)
    before, after, seconds = soak.run()
    killed = dict(soak.killed)
    logger.info("%d units in %.1f s, killed %s, %s -> %s", UNITS, seconds, killed, before, after)
    assert soak.killed["server"] == 2
    assert soak.killed["child"] > 5
    assert soak.master.status("soak")["num_finished"] == UNITS
    check_attempts(soak)
    check_leaks(before, after)
    for parent in soak.parents:
        assert parent.stop() == 0
        assert wait_until_gone(parent) == []


def check_attempts(soak):
    """One attempt of each unit has finished: its last one, and it left its whole trace."""
    ended = ends(soak.directory / "trace")
    for number in range(UNITS):
        key = f"unit-{number:06}"
        attempts = soak.master.get_work_unit_attempts("soak", key)
        finished = [one["attempt"] for one in attempts if one["outcome"] == "finished"]
        assert finished == [attempts[-1]["attempt"]], (key, attempts)
        assert finished[0] in ended[key], (key, finished, ended[key])


def ends(trace):
    """The attempts that came to their end, by key."""
    found: dict[str, list[int]] = {}
    for line in trace.read_text().splitlines():
        what, key, attempt, _ = line.split()
        if what == "end":
            found.setdefault(key, []).append(int(attempt))
    return found


def check_leaks(before, after):
    """Memory is about what it was long before; each process has two connections, and no more."""
    for (_, memory), (_, memory_now) in zip(before, after, strict=True):
        assert memory_now < memory + 24
    (parent, _), (server, _) = after
    assert parent == before[0][0]
    assert server <= OWN_FILES + 2 * PARENTS * (CHILDREN + 1)


def wait_until_gone(parent):
    """What is left of a fleet's processes, when they have had time to end."""
    until = time.monotonic() + 20
    while (left := parent.processes()) and time.monotonic() < until:
        time.sleep(0.05)
    return left
