"""A real server and real workers, which meet the test at named pipes."""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from coordinate_client import TaskMaster
from tests.server.running import RunningServer
from tests.soak.fleet import Parent, wait_until

PROGRAM = [sys.executable, "-m", "coordinate_client.workers.program"]
PATIENCE = 60


class Site:
    """A server, its work, and the workers that the test starts."""

    def __init__(self, directory, stack):
        self.directory = directory
        self.stack = stack
        self.server = RunningServer(directory, "--memory")
        stack.callback(self.server.close)
        self.address = f"127.0.0.1:{self.server.address[1]}"
        self.master = TaskMaster({"address": self.address})
        stack.callback(self.master.close)
        for name in ("began", "go"):
            os.mkfifo(directory / name)

    def spec(self, function="notes", **fields):
        """A spec whose units call a function of real_jobs."""
        code = {"module": "real_jobs", "run_function": function}
        params = {"run_params": [str(self.directory)]}
        self.master.set_work_spec({"name": "s", "min_gb": 0, **code, **params, **fields})

    def add(self, *keys):
        """Units of it."""
        self.master.add_work_units("s", [(key, {}) for key in keys])

    def config(self, **block):
        """A configuration file."""
        path = self.directory / "worker.yaml"
        block = {"address": self.address, "cancel_seconds": 0.3, "kill_seconds": 0.3, **block}
        path.write_text(json.dumps({"coordinate": block}))
        return str(path)

    def start(self, *options, **block):
        """A worker that goes on until it is stopped; two children where it has any."""
        kind = block.get("worker", "fork_worker")
        block[kind] = {"num_workers": 2, "poll_interval": 0.05, **block.get(kind, {})}
        log = self.directory / "worker.log"
        parent = Parent(self.config(**block), log, here=Path(__file__).parent, options=options)
        self.stack.callback(parent.close)
        return parent

    def run(self, *options, **block):
        """A worker that ends by itself; its process, when it has."""
        return subprocess.run(
            [*PROGRAM, "--foreground", "-c", self.config(**block), *options],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def meet(self):
        """Wait until a unit has begun: its key, and the process that runs it."""
        key, pid = (self.directory / "began").read_text().split()
        return key, int(pid)

    def let_go(self):
        """Let a unit go on."""
        (self.directory / "go").write_text("on")

    def notes(self):
        """The keys that came to their end."""
        path = self.directory / "notes"
        return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []

    def status(self, **expected):
        """Wait until the units of the spec are counted so."""

        def found():
            status = self.master.status("s")
            return {name: status[f"num_{name}"] for name in expected}

        assert wait_until(lambda: found() == expected), found()

    def log(self):
        """What the workers have logged."""
        return (self.directory / "worker.log").read_text()


@pytest.fixture
def site(tmp_path):
    """A site that is empty again after the test."""
    with ExitStack() as stack:
        yield Site(tmp_path, stack)


TERM, KILL = signal.SIGTERM, signal.SIGKILL
