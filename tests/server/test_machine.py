"""The model's state machine over a real server: sockets, group commits, a data file, restarts."""

import asyncio
import contextlib
import shutil
import socket
import tempfile
import threading
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import settings

from coordinate_server.assembly import assembled
from coordinate_server.model import Instant, Model, ModelSettings
from coordinate_server.net.listening import listen
from coordinate_server.net.server import Server
from coordinate_server.service.clock import Clock
from coordinate_server.service.committer import Committer
from coordinate_server.store.sqlite import SqliteStore
from tests.model.machine import GRACE, KEEP, NOW, WALL, JobMachine
from tests.model.wide_machine import LIMITS, WideMachine
from tests.server.independent_client import Client
from tests.server.running import PATIENCE

# One unit that has ended stays in memory; of all others the rows are read again.
SETTINGS = ModelSettings(restart_grace=GRACE, limit_completed_count=KEEP, ended_kept=1)


class MovedClock(Clock):
    """Moves when the test says so."""

    def __init__(self):
        self.moved = 0.0

    def instant(self):
        return Instant(NOW + self.moved, WALL + self.moved)


class Host:
    """One life of a server, on a loop that runs in a thread."""

    def __init__(self, loop, path, clock, settings):
        self._loop = loop
        start = self._start(path, clock, settings)
        self.address = asyncio.run_coroutine_threadsafe(start, loop).result()

    async def _start(self, path, clock, settings):
        self._store = SqliteStore(path)
        model = Model.load(self._store.load(), clock.instant(), settings, self._store)
        committer = Committer(model, self._store, clock, self._loop, _failed)
        committer.after_commit.append(lambda: _shelve(model))
        backend = assembled(model, clock, committer, self._loop)
        sockets = listen("127.0.0.1", 0)
        self._server = Server(backend, sockets)
        await self._server.start()
        return sockets[0].getsockname()

    def end(self):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()

    async def _end(self):
        """Some of the backlog is settled, the rest is only in the journal: as when killed."""
        if self._store.backlog:
            self._store.settle(2)
        self._server.abort()
        self._store.close()


def _shelve(model):
    model.shelve(1000)


def _failed(error):
    raise error


class ServerDriver:
    """A server and the client that speaks to it; both start again on restart."""

    def __init__(self, limits=None):
        self._settings = evolve(SETTINGS, limits=limits or {})
        self._directory = Path(tempfile.mkdtemp())
        self._clock = MovedClock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._begin()

    def _begin(self):
        self._host = Host(self._loop, self._directory / "q.db", self._clock, self._settings)
        self._client = Client(socket.create_connection(self._host.address, timeout=PATIENCE))
        self._client.call("hello", {"protocol": [1], "namespace": "n"})

    def call(self, method, params):
        return self._client.call(method, *params)

    def advance(self, seconds):
        self._clock.moved += seconds

    def restart(self):
        self._finish()
        self._begin()

    def _finish(self):
        self._client.close()
        self._host.end()

    def close(self):
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, self._directory)
            stack.callback(self._loop.close)
            stack.callback(self._thread.join)
            stack.callback(self._loop.call_soon_threadsafe, self._loop.stop)
            self._finish()


class ServerMachine(JobMachine):
    """The machine over a server."""

    def make_driver(self):
        return ServerDriver()


TestServerMachine = ServerMachine.TestCase
TestServerMachine.settings = settings(max_examples=8, stateful_step_count=30, deadline=None)


class LongServerMachine(ServerMachine):
    """The same, for longer."""


TestLongServerMachine = pytest.mark.slow(LongServerMachine.TestCase)
TestLongServerMachine.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)


class WideServerMachine(WideMachine):
    """The wide machine over a server."""

    def make_driver(self):
        return ServerDriver(LIMITS)


TestWideServerMachine = WideServerMachine.TestCase
TestWideServerMachine.settings = settings(max_examples=4, stateful_step_count=20, deadline=None)


class LongWideServerMachine(WideServerMachine):
    """The same, for longer."""


TestLongWideServerMachine = pytest.mark.slow(LongWideServerMachine.TestCase)
TestLongWideServerMachine.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None
)
