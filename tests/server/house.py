"""A server without its network: a clock and a loop that the test moves, a store in memory."""

import heapq
import itertools

from attrs import define, field

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.messages import Incoming, Request, Response
from coordinate_server.assembly import assembled
from coordinate_server.model import Model
from coordinate_server.model.instant import Instant
from coordinate_server.model.settings import ModelSettings
from coordinate_server.proxy import Backend
from coordinate_server.service.clock import Clock
from coordinate_server.service.committer import Committer
from coordinate_server.store.interface import CommitError
from coordinate_server.store.memory import MemoryStore


class FakeClock(Clock):
    """Stands still until it is moved."""

    def __init__(self):
        self.now = 1000.0
        self.wall = 1_800_000_000.0

    def instant(self):
        return Instant(self.now, self.wall)

    def move(self, seconds):
        self.now += seconds
        self.wall += seconds


class Timer:
    """Something that is to be called at a moment."""

    def __init__(self, callback):
        self.callback = callback

    def cancel(self):
        self.callback = None


class Loop:
    """Runs what was asked for when the test says that the turn is over."""

    def __init__(self, clock):
        self._clock = clock
        self._ready = []
        self._timers = []
        self._ties = itertools.count()

    def call_later(self, seconds, callback):
        timer = Timer(callback)
        heapq.heappush(self._timers, (self._clock.now + seconds, next(self._ties), timer))
        return timer

    @property
    def timers(self):
        """How many timers still wait."""
        return sum(timer.callback is not None for _, _, timer in self._timers)

    def call_soon(self, callback):
        self._ready.append(callback)

    def turn(self):
        """Run what is ready, timers included, and not what comes of it."""
        while self._timers and self._timers[0][0] <= self._clock.now:
            _, _, timer = heapq.heappop(self._timers)
            if timer.callback is not None:
                timer.callback()
        ready, self._ready = self._ready, []
        for callback in ready:
            callback()

    def settle(self):
        """Run turns until nothing is ready."""
        self.turn()
        while self._ready:
            self.turn()


class FailingStore(MemoryStore):
    """Fails when it is told to."""

    failing = False

    def commit(self, changes):
        if self.failing:
            raise CommitError("disk I/O error")
        super().commit(changes)


@define(slots=False)
class House:
    """The server without its network."""

    clock: FakeClock = field(factory=FakeClock)
    store: FailingStore = field(factory=FailingStore)
    settings: ModelSettings = field(factory=ModelSettings)
    failures: list = field(factory=list)
    plugins: list = field(factory=list)

    def __attrs_post_init__(self):
        rows = list(self.store.load())
        self.loop = Loop(self.clock)
        self.model = Model.load(rows, self.clock.instant(), self.settings, self.store)
        self.committer = Committer(
            self.model, self.store, self.clock, self.loop, self.failures.append
        )
        self.backend = assembled(
            self.model, self.clock, self.committer, self.loop, plugins=self.plugins
        )
        self.peer = self.backend.open()

    loop: Loop = field(init=False)
    model: Model = field(init=False)
    committer: Committer = field(init=False)
    backend: Backend = field(init=False)
    peer: object = field(init=False)

    @property
    def lines(self):
        """Who waits for work."""
        return self.committer.before_commit[0].__self__  # type: ignore[attr-defined] # a method

    def restarted(self):
        """Give a server that goes on from what was committed."""
        self.loop.settle()
        return House(self.clock, self.store, self.settings, plugins=self.plugins)

    def client(self, **hello):
        """Give a new connection; with options it says hello."""
        client = Wire(self, self.backend.open())
        if hello:
            client.greeting = client.call("hello", hello)
        return client

    def answer(self, method, *params):
        return Wire(self, self.peer).answer(method, *params)

    def call(self, method, *params):
        """Give the result of a call whose turn of the loop is not over."""
        answer = self.answer(method, *params)
        assert isinstance(answer, Response), answer
        return result_of(answer)

    def move(self, seconds):
        """Let time go by, and what is due then happen."""
        self.clock.move(seconds)
        self.model.run_due(self.clock.instant())
        self.committer.request_flush()
        self.loop.settle()


class Wire:
    """A connection to a house, without the bytes."""

    def __init__(self, house, peer):
        self.house, self.peer = house, peer
        self.greeting: dict = {}

    def answer(self, method, *params, **numbers):
        """Give the answer to a call, or what stands for one that comes later."""
        request = Request(1, method, list(params), native_bytes=False, **numbers)
        incoming = Incoming((request,), batch=False, wrapped=True, native_bytes=False)
        (answer,) = self.peer.answers(incoming)
        return answer

    def call(self, method, *params, **numbers):
        """Give the result of a call as a client gets it, its changes committed."""
        answer = self.answer(method, *params, **numbers)
        assert isinstance(answer, Response), answer
        self.house.committer.request_flush()
        self.house.loop.settle()
        return result_of(answer)

    def later(self, method, *params, **numbers):
        """Make a call that waits; gives a list that gets its result."""
        waiting = self.answer(method, *params, **numbers)
        assert not isinstance(waiting, Response), waiting
        results: list = []
        waiting.then(results.append)
        return waiting, results


def result_of(answer):
    """Give a result as a client gets it."""
    return decode(encode(answer.result), integer_keys=True)
