"""Programs with children of their own: started, watched, and ended with all of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

__all__ = ["NotEnded", "last_lines", "run_to_the_end", "running"]

_FOLDER = Path(__file__).parent.parent
_GRACE_SECONDS = 10.0
_POLL_SECONDS = 0.02
_SHOWN_LINES = 15


class NotEnded(Exception):
    """A program failed, or did not end in time; the message says which, and what it last said."""


@contextmanager
def running(
    module: Sequence[str], env: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``python -m`` something with bench/ on its path; all of its processes end with the block.

    Arguments:
        module: the module's name and its arguments.
        env: all of its environment.
        log: the file that takes what it says.
    """
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=_FOLDER,
            env={**env, "PYTHONPATH": str(_FOLDER)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            # Not reached by a Ctrl-C that is ours to handle.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    # What is killed may have been starting another one just then.
    while family := _family(process.pid):
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.poll()
        time.sleep(_POLL_SECONDS)
    process.wait()


def _family(session: int) -> list[int]:
    """All that runs in a session: what a program started, also where that is in other groups."""
    return [pid for pid in psutil.pids() if _session(pid) == session]


def _session(pid: int) -> int | None:
    try:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return None
        return os.getsid(pid)
    except (OSError, psutil.NoSuchProcess):
        return None


def run_to_the_end(
    module: Sequence[str], env: Mapping[str, str], log: Path, seconds: float
) -> None:
    """Run ``python -m`` something until it ends.

    Raises:
        NotEnded: it failed, or took longer.
    """
    with running(module, env, log) as process:
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise NotEnded(f"{' '.join(module)} took more than {seconds:g} s") from None
    if status:
        raise NotEnded(f"{' '.join(module)} ended with {status}:\n{last_lines(log)}")


def last_lines(log: Path) -> str:
    """The end of what was said."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_SHOWN_LINES:])
