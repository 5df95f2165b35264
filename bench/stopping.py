"""How soon a worker ends that is stopped, and how soon what it ran runs elsewhere.

    python bench/stopping.py [--rounds N]

Each round, with two children: SIGTERM to a worker that runs nothing, until its process is gone;
two SIGTERMs to a worker that runs a unit, until another worker begins it; SIGKILL to the child that
runs a unit, until it is begun again. A unit begins where it writes the time into a pipe.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from servers import coordinated
from tables import head, line

from coordinate_client import TaskMaster

HERE = str(Path(__file__).parent)
WORKER = [sys.executable, "-m", "coordinate_client.workers.program", "--foreground"]
LEASE = 60
SOON = 0.5
"""After that long a worker that was started waits for work."""


@contextmanager
def worker(address: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker with two children, for as long as the block lasts."""
    options = ["--address", address, "--num-workers", "2", "--log-level", "ERROR"]
    environment = {**os.environ, "PYTHONPATH": HERE}
    process = subprocess.Popen([*WORKER, *options], env=environment, start_new_session=True)
    try:
        yield process
    finally:
        # Its children finish what they run, and this unit never ends.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Bench:
    """A server, a unit, and the pipe that it begins at."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.pipe = folder / "began"
        os.mkfifo(self.pipe)
        self.master = TaskMaster({"address": address})
        spec = {"name": "s", "min_gb": 0, "module": "stopping_unit", "run_function": "begin"}
        self.master.set_work_spec({**spec, "run_params": [str(self.pipe)]})

    def began(self) -> tuple[float, int]:
        """Wait until a unit has begun: when, and in which process."""
        moment, pid = self.pipe.read_text().split()
        return float(moment), int(pid)

    def idle(self) -> float:
        """From SIGTERM until a worker without work is gone."""
        with worker(self.address) as process:
            while len(self.master.workers()) < 3:  # noqa: PLR2004 - a parent and two children
                time.sleep(0.01)
            time.sleep(SOON)
            told = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait()
            return time.monotonic() - told

    def stopped(self, key: str) -> float:
        """From a second SIGTERM until another worker has begun the unit."""
        with worker(self.address) as first:
            self.master.add_work_units("s", [(key, {})])
            self.began()
            with worker(self.address):
                time.sleep(SOON)
                first.send_signal(signal.SIGTERM)
                time.sleep(SOON)
                told = time.monotonic()
                first.send_signal(signal.SIGTERM)
                moment, _ = self.began()
                self.master.cancel("s", key)
                return moment - told

    def killed(self, key: str) -> float:
        """From SIGKILL to a child until its unit has begun again."""
        with worker(self.address):
            self.master.add_work_units("s", [(key, {})])
            _, pid = self.began()
            told = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            moment, _ = self.began()
            self.master.cancel("s", key)
            return moment - told


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default: 5)")
    rounds = range(parser.parse_args().rounds)
    with coordinated("durable") as server, TemporaryDirectory() as folder:
        host, port = server.place
        bench = Bench(f"{host}:{port}", Path(folder))
        measured = {
            "SIGTERM until a worker with nothing to do is gone": [bench.idle() for _ in rounds],
            "stopped now, until its unit runs elsewhere": [
                bench.stopped(f"stopped-{number}") for number in rounds
            ],
            "child killed, until its unit runs again": [
                bench.killed(f"killed-{number}") for number in rounds
            ],
        }
    head(["seconds", "median", "worst"])
    for what, seconds in measured.items():
        line([what, f"{statistics.median(seconds):.3f}", f"{max(seconds):.3f}"])


if __name__ == "__main__":
    main()
