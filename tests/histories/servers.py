"""The server of a history: killed and started again on the same data, and each time is noted."""

import contextlib
import json
import resource
import time

import pytest

from tests.server.running import RunningServer

CONFIG = """
coordinate:
  job_queue:
    restart_grace: {grace}
"""


class Servers:
    """One server after another on one data file.

    Arguments:
        home: has the data, and the file ``address`` for the clients.
        recorder: notes starts.
        grace: the setting ``restart_grace``, seconds.
        package: a directory with a copy of the server's package that runs in place of ours; None
            for ours.
    """

    def __init__(self, home, recorder, *, grace, package=None):
        self._home, self._recorder, self._grace, self._package = home, recorder, grace, package
        self.starts = 0
        (home / "server.yaml").write_text(CONFIG.format(grace=grace))
        number = recorder.begin("start", {})
        self.running = self._start()
        recorder.end(number, {"spawned": self._spawned, "grace": grace})

    def restart(self):
        """Kill it, and start the next one."""
        number = self._recorder.begin("restart", {})
        self.running.kill()
        self.running = self._start()
        self._recorder.end(number, {"spawned": self._spawned, "grace": self._grace})

    def fill_disk(self):
        """Let it write to no file any more."""
        limits = 0, resource.RLIM_INFINITY
        resource.prlimit(self.running.process.pid, resource.RLIMIT_FSIZE, limits)

    def close(self):
        """Stop it, and make sure that it had nothing to complain of."""
        errors = self.running.errors
        self.running.close()
        return errors

    def _start(self):
        self.starts += 1
        self._spawned = time.monotonic()
        with _first_on_path(self._package):
            running = RunningServer(
                *(self._home, "--data", self._home / "data.db"),
                *("--config", self._home / "server.yaml"),
            )
        partial = self._home / "address.partial"
        partial.write_text(json.dumps(running.address))
        partial.replace(self._home / "address")
        return running


@contextlib.contextmanager
def _first_on_path(directory):
    """Have the processes that are started meanwhile look there first for what they import."""
    with pytest.MonkeyPatch.context() as patch:
        if directory is not None:
            patch.setenv("PYTHONPATH", str(directory))
        yield
