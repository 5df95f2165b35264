"""The servers that are measured: each a process of its own on a free port of localhost."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ECHO = [sys.executable, str(Path(__file__).with_name("echo.py"))]
COORDINATED = [sys.executable, "-m", "coordinate_server", "--host", "127.0.0.1", "--port", "0"]
MARK = "listening on "


@contextmanager
def running(command: Sequence[str]) -> Iterator[str]:
    """A server's "host:port", for as long as the block lasts."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield address_of(process)
        finally:
            process.terminate()


def address_of(process: subprocess.Popen[str]) -> str:
    """The address in the line that a server prints once it listens."""
    assert process.stdout is not None
    for line in process.stdout:
        if MARK in line:
            return line.partition(MARK)[2].split()[0]
    raise RuntimeError(f"{process.args!r} ended with {process.wait()} before it listened")
