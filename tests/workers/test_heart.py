"""A worker's heart: what is new is told at once."""

from threading import Event
from typing import Any, cast

from coordinate_client.exceptions import ClientClosed
from coordinate_client.orders import Orders
from coordinate_client.workers.async_crew import AsyncCrew
from coordinate_client.workers.heart import Heart, Pulse

PULSE = Pulse("w", None, 15.0)


class Worker:
    """Says what it is told to say; when it is asked, something happens."""

    def __init__(self):
        self.now = "RUN"
        self.asked = lambda: None

    def mode(self):
        mode = self.now
        self.asked()
        return mode

    def told(self, *, packages):
        return {}

    def children(self):
        return ()

    def follow(self, orders):
        """Do nothing."""


class Server:
    """A task master whose heartbeats wait until they are ended, as long as nobody has news."""

    def __init__(self):
        self.modes: list[str] = []
        self.heard = Event()
        self._ended = Event()

    def heartbeat(self, _worker_id, mode, *_args, wait, **_options):
        self.modes.append(mode)
        if mode == "IDLE":
            self.heard.set()
        self._ended.clear()
        if wait and self._ended.wait(wait):
            raise ClientClosed("worker_heartbeat", (), "closed")
        return Orders(1, "RUN")

    def close(self):
        self._ended.set()


def test_a_mode_that_changes_while_a_heartbeat_begins_is_told_at_once():
    """The heartbeat has asked for the mode already, and does not wait yet: it cannot be ended."""
    worker, server = Worker(), Server()
    heart = Heart(cast("Any", server), PULSE, worker)
    asked = Event()

    def change():
        if len(server.modes) == 1:
            worker.now = "IDLE"
            asked.set()

    worker.asked = change
    heart.start()
    assert asked.wait(10)
    heart.beat_now()
    assert server.heard.wait(10)
    heart.stop()
    assert server.modes[:2] == ["RUN", "RUN"]
    assert server.modes[2] == "IDLE"


class Loop:
    """An event loop that is busy."""

    def call_soon_threadsafe(self, callback, *args):
        """Come to it later."""


def test_tasks_say_at_once_what_they_were_told():
    """The next heartbeat follows at once, and does not wait for the loop."""
    crew = AsyncCrew(PULSE, cast("Any", None), cast("Any", Loop()))
    crew.follow(Orders(1, "IDLE"))
    assert crew.mode() == "IDLE"
    crew.follow(Orders(2, "RUN"))
    assert crew.mode() == "RUN"
