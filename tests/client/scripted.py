"""Servers without sockets: they answer what a test tells them to, in the words of either age."""

from attrs import define, field, frozen

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.connection import ServerConnection
from coordinate_protocol.messages import Failure, Request, Response

HELLO = {
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


@define
class ScriptedServer:
    """Answers by method name; keeps what was asked.

    Arguments:
        answers: method to result, Failure text (as an Exception), Break, or a list of them in turn.
        refused: addresses that refuse connections.
        raw: bytes to send instead of any answer.
    """

    answers: dict = field(factory=dict)
    refused: set = field(factory=set)
    raw: bytes | None = None
    hello: object = field(factory=lambda: HELLO)
    calls: list = field(factory=list)
    connected: list = field(factory=list)
    pauses: list = field(factory=list)

    def client(self, kind, config=None, **more):
        """Make a client of a class that talks to this server."""
        return kind(
            config or {"address": "one:1"},
            connect=self.connect,
            sleep=self.pauses.append,
            chance=lambda: 1.0,
            **more,
        )

    def connect(self, address, connect_seconds, response_seconds):
        """Stand in for a transport module's function of that name."""
        self.connected.append(str(address))
        if str(address) in self.refused:
            raise ConnectionRefusedError(f"{address} refused")
        return ScriptedTransport(self)

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

    def send(self, data):
        """Take a request, and note its answer."""
        for incoming in self.protocol.receive(data):
            (request,) = incoming.requests
            assert isinstance(request, Request)
            answer = self.server.answer(request.method, request.params)
            self.waiting.append((incoming, request, answer))

    def receive(self):
        """The next answer's bytes."""
        incoming, request, answer = self.waiting.pop(0)
        if self.server.raw is not None and request.method != "hello":
            return self.server.raw
        if isinstance(answer, Break):
            raise answer.error
        if isinstance(answer, Exception):
            return self.protocol.reply(incoming, [Failure(request.id, str(answer))])
        return self.protocol.reply(incoming, [Response(request.id, answer)])

    def drop(self):
        """Note that the client let go."""
        self.dropped = True

    def close(self):
        """Note that the client let go."""
        self.dropped = True


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

    def receive(self):
        """The next answer's bytes."""
        return encode(self.waiting.pop(0))

    def drop(self):
        """Nothing to let go of."""

    def close(self):
        """Nothing to let go of."""
