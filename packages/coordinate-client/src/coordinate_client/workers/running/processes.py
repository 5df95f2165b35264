"""A command in a process group of its own, and its end with all that it has started."""

import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, Self

from coordinate_client.exceptions import Cancelled
from coordinate_client.workers.running.alarms import Alarms

__all__ = ["Process"]

_CHUNK = 65536
_PIPE = 2**20
Sink = Callable[[bytes], object]


class Process:
    """A command that was started.

    It leads a process group. When it has ended, whatever else is in the group is killed, before the
    system may give its number to another process. A worker that is itself killed with SIGKILL
    cannot do that: the command then goes on by itself, without a unit.

    Attributes:
        reached: whether it was told to end.
    """

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        """Take over a process that leads its group."""
        self.reached = False
        self._process = process
        self._lock = threading.Lock()
        self._reaped = False

    @classmethod
    def start(
        cls, command: Sequence[str], environment: Mapping[str, str], given: bytes, *, apart: bool
    ) -> Self:
        """Start a command.

        Args:
            command: the program and its arguments; no shell reads them.
            environment: all of it.
            given: what it can read on its standard input.
            apart: whether standard output and standard error are kept apart.

        Raises:
            OSError: that does not work.
            ValueError: there is a zero byte in a text.
        """
        # A file, as a command that reads late, or nothing, must not keep anybody waiting.
        with TemporaryFile() as stdin:
            stdin.write(given)
            stdin.seek(0)
            return cls(
                subprocess.Popen(  # noqa: S603 - to run what the spec says is what this is for
                    list(command),
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE if apart else subprocess.STDOUT,
                    env=dict(environment),
                    process_group=0,
                )
            )

    def tell(self, error: Cancelled) -> None:
        """Have it end: by SIGTERM, and by SIGKILL when it is told again."""
        del error
        again, self.reached = self.reached, True
        self._send(signal.SIGKILL if again else signal.SIGTERM)
        # One that stands still hears of it when it goes on.
        self._send(signal.SIGCONT)

    def remind(self) -> bool:
        """Nothing: a signal to a process arrives."""
        return False

    def wait(self, alarms: Alarms, out: Sink, err: Sink) -> int:
        """Read what it says until it ends, then end what it has left behind.

        Args:
            alarms: has threads.
            out: takes what comes from its standard output.
            err: takes what comes from its standard error, where that is apart.

        Returns:
            Its exit status; below 0, the number of the signal that has ended it.
        """
        try:
            self._read(alarms, {self._process.stdout: out, self._process.stderr: err})
        finally:
            self.close()
        return self._process.returncode

    def _read(self, alarms: Alarms, sinks: Mapping[IO[bytes] | None, Sink]) -> None:
        ended_reader, ended_writer = os.pipe()
        alarms.apart(lambda: _say_when_ended(self._process.pid, ended_writer))
        try:
            with selectors.DefaultSelector() as selector:
                for stream, sink in sinks.items():
                    if stream is not None:
                        os.set_blocking(stream.fileno(), False)
                        selector.register(stream, selectors.EVENT_READ, sink)
                selector.register(ended_reader, selectors.EVENT_READ)
                while not _has_ended(selector, ended_reader):
                    pass
        finally:
            os.close(ended_reader)

    def close(self) -> None:
        """End it, and what it has left behind, at once; a second time, nothing happens."""
        with self._lock:
            if self._reaped:
                return
            # Its number is its own until it is waited for.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._reaped = True
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _send(self, number: int) -> None:
        with self._lock:
            if not self._reaped:
                # Another user's processes, as sudo makes them, end when they like.
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, number)


def _say_when_ended(pid: int, writer: int) -> None:
    """Wait for the end of a process without waiting for it in the system's sense."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        # It was waited for already.
        pass
    finally:
        os.close(writer)


def _has_ended(selector: selectors.BaseSelector, ended: int) -> bool:
    """Read what is there now; whether the process has ended, and all that it said was read."""
    ready = [key for key, _ in selector.select()]
    over = any(key.fd == ended for key in ready)
    if over:
        for key in tuple(selector.get_map().values()):
            if key.fd != ended:
                _read_rest(key)
        return True
    for key in ready:
        if not _has_read(key):
            selector.unregister(key.fileobj)
    return False


def _read_rest(key: selectors.SelectorKey) -> None:
    # What it has left behind may write without end; a pipe holds no more than this.
    for _ in range(_PIPE // _CHUNK):
        if not _has_read(key):
            return


def _has_read(key: selectors.SelectorKey) -> bool:
    """Pass on what can be read at once; False where there is nothing."""
    with suppress(BlockingIOError):
        found = os.read(key.fd, _CHUNK)
        key.data(found)
        return bool(found)
    return False
