"""The processes of one run: the server, the workers, and the one that is killed."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from attrs import define, field

from coordinate_client import TaskMaster

__all__ = ["Crew", "Failure", "kill_one_at_work", "running_server"]

HERE = Path(__file__).resolve().parent
LISTENING = "listening on "
START_SECONDS = 30
STOP_SECONDS = 10


class Failure(Exception):
    """The run cannot go on; the message is for the person who started it."""


def environment() -> dict[str, str]:
    """What the processes get: stdlib_names importable, no settings of another Coordinate."""
    kept = {name: value for name, value in os.environ.items() if "COORDINATE_" not in name}
    path = os.pathsep.join(filter(None, [str(HERE.parent), kept.get("PYTHONPATH")]))
    return {**kept, "PYTHONPATH": path}


def start(arguments: list[str], log: IO[bytes], output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a Python process that Ctrl-C at the terminal does not reach: the run ends it itself."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=log,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, and wait until it is gone."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running_server(directory: Path) -> Iterator[str]:
    """A server with its data in a directory; its address.

    Raises:
        Failure: it does not start; its own words are in the message.
    """
    arguments = ["-m", "coordinate_server", "--host", "127.0.0.1", "--port", "0"]
    log_path = directory / "server.log"
    with log_path.open("wb") as log:
        data = ["--data", str(directory / "queue.sqlite")]
        process = start([*arguments, *data], log, subprocess.PIPE)
        try:
            yield address_of(process, log_path)
        finally:
            stop(process)


def address_of(process: subprocess.Popen[bytes], log_path: Path) -> str:
    """Where the server says that it listens."""
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=read_lines, args=(process.stdout, lines), daemon=True).start()
    deadline = time.monotonic() + START_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            break
        if line.startswith(LISTENING):
            return line.removeprefix(LISTENING).split()[0]
        if not line:
            break
    raise Failure(f"the server did not start: {log_path.read_text(errors='replace').strip()}")


def read_lines(stream: Any, lines: queue.Queue[str]) -> None:
    """Pass lines on, then an empty one; go on reading so that the server never waits for us."""
    with stream:
        for line in stream:
            lines.put(line.decode(errors="replace").rstrip())
    lines.put("")


@define
class Crew:
    """The worker processes.

    Arguments:
        address: of the server.
        lease: seconds that a worker has for a unit before somebody else gets it.
        log_path: where all of them write what goes wrong.
    """

    address: str
    lease: float
    log_path: Path
    workers: dict[int, subprocess.Popen[bytes]] = field(factory=dict)
    started: int = 0

    def add(self) -> int:
        """Start one more; its number."""
        self.started += 1
        arguments = [str(HERE / "work.py"), self.address, str(self.started), str(self.lease)]
        with self.log_path.open("ab") as log:
            self.workers[self.started] = start(arguments, log, log)
        return self.started

    def check(self) -> None:
        """See that all of them live.

        Raises:
            Failure: one does not, and nobody killed it.
        """
        for number, process in self.workers.items():
            if process.poll() is not None:
                said = self.log_path.read_text(errors="replace").strip()
                raise Failure(f"worker {number} ended with {process.returncode}: {said}")

    def stop(self) -> None:
        """End all of them."""
        for process in self.workers.values():
            process.terminate()
        for process in self.workers.values():
            stop(process)

    def kill(self, number: int) -> None:
        """End one as a power failure would."""
        process = self.workers.pop(number)
        process.kill()
        process.wait()


def kill_one_at_work(crew: Crew, taskmaster: TaskMaster) -> tuple[int, str] | None:
    """Kill a worker that has a unit in its hands.

    It is stopped first, so that what the server says about it is still true when it dies.

    Returns:
        The worker's number and the unit's key; None if none of them has one just now.
    """
    for number, process in crew.workers.items():
        process.send_signal(signal.SIGSTOP)
        if (key := unit_held_by(process.pid, taskmaster)) is not None:
            crew.kill(number)
            return number, key
        process.send_signal(signal.SIGCONT)
    return None


def unit_held_by(pid: int, taskmaster: TaskMaster) -> str | None:
    """The key of a unit of "parse" that a worker process has leased."""
    for worker_id, units in taskmaster.get_child_work_units(f"run-{os.getpid()}").items():
        held = [unit.key for unit in units if unit.work_spec_name == "parse"]
        if held and (taskmaster.get_heartbeat(worker_id) or {}).get("pid") == pid:
            return str(held[0])
    return None
