"""A real coordinated in a process of its own, on a free port."""

import contextlib
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

LISTENING = re.compile(r"listening on (127\.0\.0\.1|0\.0\.0\.0):(\d+)$")
PATIENCE = 30  # seconds until a server that does not start or stop counts as hung


def environment(home):
    """The variables of a process that has nothing of the person's own configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COORDINATE_")}
    path = os.pathsep.join([str(Path(__file__).parent), kept.get("PYTHONPATH", "")])
    return kept | {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "PYTHONPATH": path}


def run(home, *arguments):
    """Run coordinated until it ends by itself, and give what it said."""
    return subprocess.run(
        [sys.executable, "-m", "coordinate_server", *map(str, arguments)],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class RunningServer:
    """Starts coordinated, waits for the line that says where it listens, and can stop it."""

    def __init__(self, home, *arguments, port=0):
        command = [sys.executable, "-m", "coordinate_server", "--port", str(port)]
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)],
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._stdout, self._stderr = self.process.stdout, self.process.stderr
        self.lines = []
        self._found: queue.Queue = queue.Queue()
        self._errors = []
        self._threads = [
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self.address = self._found.get(timeout=PATIENCE)
        if self.address is None:
            raise RuntimeError(f"coordinated did not start: {self.errors}")

    @property
    def errors(self):
        return "".join(self._errors)

    def _read_lines(self):
        for line in self._stdout:
            self.lines.append(line.rstrip("\n"))
            match = LISTENING.match(line)
            if match:
                self._found.put(("127.0.0.1", int(match[2])))
        self._found.put(None)

    def _read_errors(self):
        self._errors.extend(self._stderr)

    def connect(self):
        """Give a socket that is connected and does not wait for ever."""
        return socket.create_connection(self.address, timeout=PATIENCE)

    def kill(self):
        """End it without giving it a chance."""
        self.process.kill()
        return self._ended()

    def terminate(self, number=signal.SIGTERM):
        """Ask it to end, and give its exit code."""
        self.process.send_signal(number)
        return self._ended()

    def _ended(self):
        code = self.process.wait(timeout=PATIENCE)
        for thread in self._threads:
            thread.join(timeout=PATIENCE)
        self._stdout.close()
        self._stderr.close()
        return code

    def close(self):
        """Clean up after a test, whatever state it left this in."""
        if not self._stdout.closed:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            self._ended()
