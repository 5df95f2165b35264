"""Servers without sockets: they answer what a test tells them to, in the words of either age."""

import asyncio
from threading import Event

from attrs import define, field, frozen

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.connection import ServerConnection
from coordinate_protocol.messages import Failure, Request, Response

HELLO: dict = {
    "protocol": 1,
    "server": "coordinate",
    "version": "1",
    "namespace": "n",
    "capabilities": ["delay", "attempts", "namespaces", "dependencies", "explain", "limits"],
}


@frozen
class Break:
    """An answer that is a broken connection."""

    error: BaseException


@frozen
class Fail:
    """An answer that is an error with a code."""

    message: str
    code: str


@define(eq=False)
class Held:
    """An answer that comes when the test says so; when the wait is broken off, never.

    Arguments:
        answer: what it then is.
        asked: set when the question has come.
    """

    answer: object = None
    asked: Event = field(factory=Event)
    freed: Event = field(factory=Event)

    def free(self, answer):
        """Let it come."""
        self.answer = answer
        self.freed.set()


@define
class FakeClock:
    """A clock that goes on when it is told to."""

    now: float = 1000.0

    def __call__(self):
        return self.now


@define
class Hello:
    """Answers to `hello` of a server with sessions, which it may be told to forget."""

    capabilities: tuple = ("sessions",)
    known: set = field(factory=set)
    opened: int = 0

    def __call__(self, params):
        asked = params[0].get("session")
        answer: dict = HELLO | {"capabilities": [*HELLO["capabilities"], *self.capabilities]}
        if asked is True:
            self.opened += 1
            name = b"%016d" % self.opened
            self.known.add(name)
            return answer | {"session": name}
        return (
            answer
            if asked is None
            else answer | {"session": asked if asked in self.known else None}
        )


@define
class ScriptedServer:
    """Answers by method name; keeps what was asked.

    Arguments:
        answers: method to result, Failure text (as an Exception), Fail, Break, Held, a function of
            the parameters, or a list of Turns with them.
        refused: addresses that refuse connections.
        raw: bytes to send instead of any answer.
    """

    answers: dict = field(factory=dict)
    refused: set = field(factory=set)
    raw: bytes | None = None
    hello: object = field(factory=lambda: HELLO)
    calls: list = field(factory=list)
    requests: list = field(factory=list)
    silences: list = field(factory=list)
    connected: list = field(factory=list)
    transports: list = field(factory=list)
    pauses: list = field(factory=list)
    clock: FakeClock = field(factory=FakeClock)

    def client(self, kind, config=None, **more):
        """Make a client of a class that talks to this server."""
        later = kind.__name__.startswith("Async")
        means = {
            "connect": self.connect_async if later else self.connect,
            "sleep": self.sleep_async if later else self.sleep,
            "chance": lambda: 1.0,
            "clock": self.clock,
        }
        return kind(config or {"address": "one:1"}, **(means | more))

    def sleep(self, seconds):
        """Note a pause; the clock goes on by it."""
        self.pauses.append(seconds)
        self.clock.now += seconds

    async def sleep_async(self, seconds):
        """Do the same for the asyncio half."""
        self.sleep(seconds)

    async def connect_async(self, *asked):
        """Do as `connect` for the asyncio half."""
        return AsyncScriptedTransport(self.connect(*asked))

    def sent(self, method):
        """The parameters of each call of a method."""
        return [params for name, params in self.calls if name == method]

    def seqs(self, method):
        """The numbers of each call of a method: (seq, low)."""
        return [(one.seq, one.low) for one in self.requests if one.method == method]

    def connect(self, address, connect_seconds, response_seconds):
        """Stand in for a transport module's function of that name."""
        self.connected.append(str(address))
        if str(address) in self.refused:
            raise ConnectionRefusedError(f"{address} refused")
        self.transports.append(ScriptedTransport(self))
        return self.transports[-1]

    def answer(self, method, params):
        """What the script says to a call."""
        self.calls.append((method, params))
        found = self.hello if method == "hello" else self.answers[method]
        if isinstance(found, list) and found and isinstance(found[0], Turn):
            found = found.pop(0).answer if len(found) > 1 else found[0].answer
        return found(params) if callable(found) else found


@frozen
class Turn:
    """One of several answers to one method; the last one stays."""

    answer: object


@define
class ScriptedTransport:
    """A connection to a ScriptedServer."""

    server: ScriptedServer
    protocol: ServerConnection = field(factory=ServerConnection)
    waiting: list = field(factory=list)
    dropped: bool = False
    interrupted: bool = False
    held: Held | None = None

    def send(self, data):
        """Take a request, and note its answer."""
        for incoming in self.protocol.receive(data):
            (request,) = incoming.requests
            assert isinstance(request, Request)
            self.server.requests.append(request)
            answer = self.server.answer(request.method, request.params)
            self.waiting.append((incoming, request, answer))

    def receive(self, seconds):
        """The next answer's bytes."""
        incoming, request, answer = self.waiting.pop(0)
        self.server.silences.append((request.method, seconds))
        if isinstance(answer, Held):
            answer = self.held_answer(answer)
        if self.interrupted:
            return b""
        if self.server.raw is not None and request.method != "hello":
            return self.server.raw
        if isinstance(answer, Break):
            raise answer.error
        if isinstance(answer, Fail):
            return self.protocol.reply(incoming, [Failure(request.id, answer.message, answer.code)])
        if isinstance(answer, Exception):
            return self.protocol.reply(incoming, [Failure(request.id, str(answer))])
        return self.protocol.reply(incoming, [Response(request.id, answer)])

    def held_answer(self, held):
        """Wait for the test, or for the client to break the wait off."""
        self.held = held
        held.asked.set()
        assert self.interrupted or held.freed.wait(30)
        return held.answer

    def interrupt(self):
        """Have whoever waits wait no longer."""
        self.interrupted = True
        if self.held is not None:
            self.held.freed.set()

    def drop(self):
        """Note that the client let go."""
        self.dropped = True
        self.interrupt()

    def close(self):
        """Note that the client let go."""
        self.drop()


@frozen
class AsyncScriptedTransport:
    """A ScriptedTransport for the asyncio half; what waits for the test does so in a thread."""

    inner: ScriptedTransport

    async def send(self, data):
        self.inner.send(data)

    async def receive(self, seconds):
        if isinstance(self.inner.waiting[0][2], Held):
            return await asyncio.to_thread(self.inner.receive, seconds)
        return self.inner.receive(seconds)

    def interrupt(self):
        self.inner.interrupt()

    def drop(self):
        self.inner.drop()

    async def close(self):
        self.inner.close()


OLD_HELLO = AttributeError(
    "AttributeError(\"'MultiBackendProxyObject' object has no attribute 'hello'\",)\nTraceback ..."
)


@define
class RecordedServer:
    """A 0.1.5 server that gives recorded answers in their order, whatever is asked."""

    answers: list
    calls: list = field(factory=list)

    def client(self, kind):
        """Make a client of a class that talks to this server."""
        return kind({"address": "old:1"}, connect=lambda *_: RecordedTransport(self))


@define
class RecordedTransport:
    """A connection to a RecordedServer: byte strings, as Python 2 sends them."""

    server: RecordedServer
    waiting: list = field(factory=list)

    def send(self, data):
        """Take a request, and note its answer."""
        request = decode(data)
        request = decode(request) if isinstance(request, bytes) else request
        if request["method"] == "hello":
            answer = {b"error": {b"message": str(OLD_HELLO).encode()}}
        else:
            self.server.calls.append((request["method"], request["params"]))
            answer = self.server.answers.pop(0)
        self.waiting.append(answer | {b"id": request["id"]})

    def receive(self, seconds):
        """The next answer's bytes."""
        return encode(self.waiting.pop(0))

    def drop(self):
        """Nothing to let go of."""

    def close(self):
        """Nothing to let go of."""
