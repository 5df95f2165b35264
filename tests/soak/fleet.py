"""Workers as processes, and all that they have started: each leads a session of its own."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

PROGRAM = [sys.executable, "-m", "coordinate_client.workers.program"]
PATIENCE = 60


class Parent:
    """One coordinate_worker with its children."""

    def __init__(self, config, log, here=None, options=()):
        self._config, self._log, self._options = config, log, options
        self._here = str(here or Path(__file__).parent)
        self._led = set()
        self.start()

    def start(self):
        """Start it, or another one in its place."""
        path = os.pathsep.join([self._here, os.environ.get("PYTHONPATH", "")])
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*PROGRAM, "--foreground", "-c", self._config, *self._options],
                env={**os.environ, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._led.add(self.process.pid)

    def processes(self):
        """All living processes that it has started, itself among them, and those before it."""
        return [pid for pid, session in _sessions().items() if session in self._led]

    def children(self):
        """Those that are not itself: units' children, and the messenger."""
        return [pid for pid in self.processes() if pid != self.process.pid]

    def kill(self):
        """End it without giving it a chance."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self):
        """Ask it to end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def close(self):
        """Leave nothing behind, whatever the test did."""
        if self.process.poll() is None:
            self.kill()
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _sessions():
    """The session of each living process."""
    found = {}
    for one in Path("/proc").iterdir():
        if one.name.isdigit():
            with suppress(OSError):
                # The name, which stands in brackets, may have brackets in it.
                state, _, _, session = (one / "stat").read_text().rpartition(")")[2].split()[:4]
                if state != "Z":
                    found[int(one.name)] = int(session)
    return found


def wait_until(holds, seconds=30):
    """Whether something holds, at the latest after so many seconds."""
    until = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def descriptors(pid):
    """How many files a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def resident(pid):
    """The memory of a process, in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
