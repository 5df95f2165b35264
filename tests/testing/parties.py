"""The two that keep one contract: the server in memory, and the real one without its network."""

from typing import Any

from coordinate_client import TaskMaster
from coordinate_client.testing.server import FakeServer
from coordinate_client.testing.transports import connect_to
from coordinate_client.transport_sync import Transport
from coordinate_protocol.connection import ServerConnection
from coordinate_protocol.messages import Failure, Response
from tests.server.house import House

CONFIG = {"address": "nowhere:1"}


class Fake:
    """The server in memory."""

    def __init__(self):
        self.server = FakeServer()

    def client(self, kind: Any = TaskMaster, **config):
        """A client of it."""
        clock = self.server.clock
        return kind(
            CONFIG | config,
            connect=connect_to(self.server),
            sleep=clock.advance,
            clock=clock.seconds,
        )

    def advance(self, seconds):
        """Let time go by."""
        self.server.clock.advance(seconds)

    @property
    def wall(self):
        """What time it is."""
        return self.server.clock.wall


class Real:
    """The real server."""

    def __init__(self):
        self.house = House()

    def client(self, kind: Any = TaskMaster, **config):
        """A client of it, which sleeps on the house's clock."""
        clock = self.house.clock
        return kind(
            CONFIG | {"sessions": False} | config,
            connect=lambda *_: HouseTransport(self.house),
            sleep=self.house.move,
            clock=lambda: clock.now,
        )

    def advance(self, seconds):
        """Let time go by."""
        self.house.move(seconds)

    @property
    def wall(self):
        """What time it is."""
        return self.house.clock.wall


class HouseTransport(Transport):
    """A connection to the real server in this process; where an answer waits, time goes by."""

    def __init__(self, house):
        self.house, self.peer = house, house.backend.open()
        self.protocol, self.answers = ServerConnection(), b""

    def send(self, data):
        for incoming in self.protocol.receive(data):
            answers = [self.settled(answer) for answer in self.peer.answers(incoming)]
            self.answers += self.protocol.reply(incoming, answers)
            self.house.committer.request_flush()
            self.house.loop.settle()

    def settled(self, answer):
        """Give what an answer is in the end."""
        if isinstance(answer, Response | Failure):
            return answer
        came: list = []
        answer.then(came.append)
        while not came:
            self.house.move(1)
        return came[0]

    def receive(self, seconds):
        answers, self.answers = self.answers, b""
        return answers

    def interrupt(self):
        """Nobody waits."""

    def drop(self):
        self.peer.closed()

    close = drop
