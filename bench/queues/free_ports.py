"""Servers of others, that cannot choose a port themselves, on one that is free."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from servers import Started

__all__ = ["missing", "server"]

_TRIES = 5
_START_SECONDS = 10.0
_POLL_SECONDS = 0.02


@contextmanager
def server(
    command: Callable[[str, int], Sequence[str]], greeting: bytes, answer: bytes
) -> Iterator[Started]:
    """A server, for as long as the block lasts, with a folder that goes away with it.

    Args:
        command: makes its command of a folder and a port.
        greeting: what is sent to see whether it serves.
        answer: how the answer to that begins.

    Raises:
        RuntimeError: it did not start.
    """
    with TemporaryDirectory(prefix="coordinate-bench-") as folder:
        process, port = _started(command, folder, greeting, answer)
        try:
            yield Started(f"127.0.0.1:{port}", process.pid, Path(folder))
        finally:
            # What it would still write is read by nobody.
            process.kill()
            process.wait()


def missing(program: str) -> str | None:
    """The program, if it is not installed."""
    return None if shutil.which(program) else program


def _started(
    command: Callable[[str, int], Sequence[str]], folder: str, greeting: bytes, answer: bytes
) -> tuple[subprocess.Popen[bytes], int]:
    # A port that was free may be taken when it comes to it.
    for _ in range(_TRIES):
        port = _free_port()
        words = command(folder, port)
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if _answers(process, port, greeting, answer):
            return process, port
        process.kill()
        process.wait()
    raise RuntimeError(f"{command('DIR', 0)[0]} did not start, tried {_TRIES} times")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def _answers(process: subprocess.Popen[bytes], port: int, greeting: bytes, answer: bytes) -> bool:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), 1.0) as line:
                line.sendall(greeting)
                return line.recv(len(answer)) == answer
        except OSError:
            time.sleep(_POLL_SECONDS)
    return False
