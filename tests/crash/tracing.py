"""strace: follows a writer's calls into the system, and has one of them fail, or end the writer."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60

WRITES = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")
"""All calls by which SQLite changes a disk; in this order they are numbered in a summary."""


@frozen
class Injection:
    """What is to happen at one call into the system.

    Arguments:
        call: its name.
        number: the how many-th of them, from 1.
        lasts: whether all that come after it have the same fate.
        what: what happens, in strace's words: ``signal=SIGKILL`` (before it is done) or
            ``error=EIO`` (it is not done).
    """

    call: str
    number: int
    what: str
    lasts: bool = False

    @property
    def options(self):
        """Give it as strace is told."""
        when = f"{self.number}{'+' if self.lasts else ''}"
        return ["-e", f"inject={self.call}:{self.what}:when={when}"]


def why_not():
    """Give why nothing can be traced here, or None if it can."""
    strace = shutil.which("strace")
    if strace is None:
        return "strace is not installed (Debian package strace): no crash was tried"
    tried = subprocess.run(
        [strace, "-qq", "-e", "trace=none", "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        return f"strace cannot trace here, no crash was tried: {tried.stderr.strip()}"
    return None


class Writers:
    """A process that forks writers, and a tracer for each."""

    def __init__(self):
        self._home = tempfile.TemporaryDirectory(prefix="coordinate-crash-")
        self._errors = Path(self._home.name, "errors").open("w+b")  # noqa: SIM115 - until close
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.writer"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def run(self, request, options):
        """Run a writer to its end under strace.

        Args:
            request: the line for the writer, JSON.
            options: strace's.

        Returns:
            Its exit status, below zero for a signal, and what it wrote to its standard error.
        """
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        begin = self._errors.seek(0, os.SEEK_END)
        process.stdin.write(request.line)
        process.stdin.flush()
        pid = int(process.stdout.readline())
        try:
            with tracing(pid, options):
                os.close(os.open(request.run.gate, os.O_WRONLY))
                status = int(process.stdout.readline())
        except BaseException:
            # It still waits for its tracer, and would for ever.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            raise
        self._errors.seek(begin)
        return status, self._errors.read().decode()

    def close(self):
        """End it; no writer runs between two calls of ``run``."""
        self._process.communicate(timeout=PATIENCE)
        self._errors.close()
        self._home.cleanup()


@contextlib.contextmanager
def tracing(pid, options):
    """Trace a process that waits, until it ends."""
    command = ["strace", "-f", *options, "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        line = strace.stderr.readline()
        assert "attached" in line, f"strace did not attach: {line}{strace.stderr.read()}"
        yield
        strace.stderr.read()
        strace.wait(PATIENCE)
