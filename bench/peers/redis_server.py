"""A redis-server of our own: on a free port, with a folder that goes away with it."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory

__all__ = ["ALWAYS", "PROGRAM", "SNAPSHOTS", "redis_server"]

PROGRAM = "redis-server"
SNAPSHOTS: tuple[str, ...] = ()
"""What it does by itself: the whole of it is written after 60 to 3,600 seconds with changes."""

ALWAYS = ("--appendonly", "yes", "--appendfsync", "always")
"""What it does is synced before it answers."""

_TRIES = 5
_START_SECONDS = 10.0
_POLL_SECONDS = 0.02


@contextmanager
def redis_server(options: Sequence[str]) -> Iterator[str]:
    """A server's URL, for as long as the block lasts.

    Raises:
        RuntimeError: it did not start.
    """
    if shutil.which(PROGRAM) is None:
        raise RuntimeError(f"{PROGRAM} is not installed")
    with TemporaryDirectory(prefix="coordinate-bench-") as folder:
        process, port = _started([PROGRAM, "--bind", "127.0.0.1", "--dir", folder, *options])
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            # It would write a last snapshot that nobody reads.
            process.kill()
            process.wait()


def _started(command: Sequence[str]) -> tuple[subprocess.Popen[bytes], int]:
    # It cannot choose a port itself, and one that was free may be taken when it comes to it.
    for _ in range(_TRIES):
        port = _free_port()
        process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL)
        if _answers(process, port):
            return process, port
        process.kill()
        process.wait()
    raise RuntimeError(f"{PROGRAM} did not start, tried {_TRIES} times")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), 1.0) as line:
                line.sendall(b"PING\r\n")
                return line.recv(7) == b"+PONG\r\n"
        except OSError:
            time.sleep(_POLL_SECONDS)
    return False
