"""The servers that are measured: each a process of its own on a free port of localhost."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

ECHO = [sys.executable, str(Path(__file__).with_name("echo.py"))]
PYTHON_SERVER = [sys.executable, "-m", "coordinate_server"]
COORDINATED = [*PYTHON_SERVER, "--host", "127.0.0.1", "--port", "0"]
STORES = ("memory", "durable")
MARK = "listening on "
DATA = "bench.db"
"""The name of a durable server's file in its folder."""


@frozen
class Started:
    """A server.

    Arguments:
        address: its "host:port".
        pid: its process.
        folder: where its data is; None where it has no such folder.
    """

    address: str
    pid: int
    folder: Path | None = None

    @property
    def place(self) -> tuple[str, int]:
        """Where to connect to."""
        host, _, port = self.address.rpartition(":")
        return host, int(port)


@contextmanager
def started(command: Sequence[str], folder: Path | None = None) -> Iterator[Started]:
    """A server, for as long as the block lasts."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Started(address_of(process), process.pid, folder)
        finally:
            process.terminate()


@contextmanager
def running(command: Sequence[str]) -> Iterator[str]:
    """A server's "host:port", for as long as the block lasts."""
    with started(command) as server:
        yield server.address


@contextmanager
def coordinated(store: str) -> Iterator[Started]:
    """A server with an empty store of a kind, for as long as the block lasts."""
    with TemporaryDirectory(prefix="coordinate-bench-") as folder:
        words = ["--data", str(Path(folder, DATA))] if store == "durable" else ["--memory"]
        with started([*COORDINATED, *words], Path(folder)) as server:
            yield server


def address_of(process: subprocess.Popen[str]) -> str:
    """The address in the line that a server prints once it listens."""
    assert process.stdout is not None
    for line in process.stdout:
        if MARK in line:
            return line.partition(MARK)[2].split()[0]
    raise RuntimeError(f"{process.args!r} ended with {process.wait()} before it listened")
