"""The network alone, over a backend that the test controls."""

import asyncio
import contextlib

import attrs
import cbor2
import pytest

from coordinate_protocol.limits import DEFAULT_LIMITS
from coordinate_protocol.messages import Response
from coordinate_server.net.listening import ListenError, listen, shown_address
from coordinate_server.net.server import Server
from coordinate_server.service.answers import Delivery
from coordinate_server.service.waiting import Pending
from tests.server.independent_client import pack, wrap


class Backend:
    """Answers with the method's name; "slow" waits until it is let go."""

    def __init__(self):
        self.taken = []
        self.two_taken = asyncio.Event()
        self.let_go = asyncio.Event()
        self.held = None

    def open(self):
        return self

    def closed(self):
        """Nothing is kept of a connection."""

    def answers(self, incoming):
        self.taken.extend(request.method for request in incoming.requests)
        if len(self.taken) == 2:
            self.two_taken.set()
        return [self._answer(request) for request in incoming.requests]

    def _answer(self, request):
        return self._slow(request) if request.method == "slow" else self._response(request)

    def _response(self, request):
        return Response(request.id, request.method)

    async def _slow(self, request):
        await self.let_go.wait()
        return self._response(request)

    def after_commit(self, send):
        if self.held is None:
            asyncio.get_running_loop().call_soon(send)
        else:
            self.held.append(send)


@contextlib.asynccontextmanager
async def serving(backend, **limits):
    """Serve the backend on loopback; gives the server and a way to connect."""
    sockets = listen("127.0.0.1", 0)
    server = Server(backend, sockets, attrs.evolve(DEFAULT_LIMITS, **limits))
    await server.start()
    writers = []

    async def connect():
        reader, writer = await asyncio.open_connection(*sockets[0].getsockname())
        writers.append(writer)
        return reader, writer

    try:
        yield server, connect
    finally:
        server.abort()
        for writer in writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def request(number, method):
    """One message."""
    return wrap(pack({"id": number, "method": method, "params": []}))


def answers(data):
    """The ids of the answers in what came."""
    found = []
    while data:
        message = wrap(cbor2.loads(data).value)
        found.append(cbor2.loads(cbor2.loads(message).value)["id"])
        data = data[len(message) :]
    return found


def test_stop_waits_for_what_was_taken():
    """A stopped server answers what it took, closes, and takes nothing more."""

    async def scenario():
        backend = Backend()
        async with serving(backend) as (server, connect):
            reader, writer = await connect()
            writer.write(request(1, "slow") + request(2, "quick"))
            assert answers(await reader.read(1000)) == [2]
            stopping = asyncio.create_task(server.stop(20))
            await asyncio.sleep(0)
            writer.write(request(3, "late"))
            backend.let_go.set()
            assert answers(await reader.read()) == [1]
            await stopping
            assert backend.taken == ["slow", "quick"]

    asyncio.run(scenario())


def test_nothing_leaves_before_the_commit():
    """Answers wait for the commit, and those of one turn leave together."""

    async def scenario():
        backend = Backend()
        backend.held = []
        async with serving(backend) as (_, connect):
            reader, writer = await connect()
            writer.write(request(1, "a") + request(2, "b"))
            await backend.two_taken.wait()
            assert len(backend.held) == 1
            waiting = asyncio.create_task(reader.read(1000))
            await asyncio.sleep(0)
            assert not waiting.done()
            backend.held.pop()()
            assert answers(await waiting) == [1, 2]

    asyncio.run(scenario())


def test_requests_beyond_the_limit_are_not_taken():
    """With as many unanswered as allowed, the rest is left unread until some are answered."""

    async def scenario():
        backend = Backend()
        async with serving(backend, requests_in_flight=2) as (_, connect):
            reader, writer = await connect()
            writer.write(b"".join(request(n, "slow") for n in range(1, 6)))
            other = await connect()
            other[1].write(request(1, "quick"))
            await other[0].read(1000)
            assert backend.taken == ["slow", "slow", "quick"]
            backend.let_go.set()
            data = b""
            while len(answers(data)) < 5:
                data += await reader.read(1000)
            assert sorted(answers(data)) == [1, 2, 3, 4, 5]

    asyncio.run(scenario())


def test_budget_over_all_connections():
    """The connection that takes the unfinished messages over the budget is refused, not others."""

    async def scenario():
        backend = Backend()
        async with serving(backend, decode_budget_bytes=1000) as (_, connect):
            (first, first_writer), (second, second_writer) = await connect(), await connect()
            begun = wrap(pack({"id": 1, "method": "x" * 800, "params": []}))
            first_writer.write(begun[:700])
            third = await connect()
            third[1].write(request(1, "quick"))
            await third[0].read(1000)
            second_writer.write(begun[:700])
            refusal = cbor2.loads(cbor2.loads(await second.read()).value)
            assert "server.limits.decode_budget_bytes" in refusal["error"]["message"]
            first_writer.write(begun[700:])
            assert answers(await first.read(4000)) == [1]

    asyncio.run(scenario())


def test_port_in_use_is_named():
    """A taken port is an error that names host and port."""
    (taken,) = listen("127.0.0.1", 0)
    with taken:
        port = taken.getsockname()[1]
        assert shown_address(taken) == f"127.0.0.1:{port}"
        with pytest.raises(ListenError, match=f"cannot listen on 127.0.0.1:{port}: another"):
            listen("127.0.0.1", port)


def test_host_with_several_addresses_has_one_port():
    """All addresses of a host are listened on at one port, also at a free one."""
    sockets = listen("localhost", 0)
    assert len({sock.getsockname()[1] for sock in sockets}) == 1
    for sock in sockets:
        sock.close()


class WaitingBackend(Backend):
    """Its "wait" waits until it is settled; what is answered to "hand out" must not get lost."""

    def __init__(self):
        super().__init__()
        self.pending = []
        self.abandoned = asyncio.Event()
        self.lost = []
        self.gone = asyncio.Event()
        self.last_taken = asyncio.Event()

    def closed(self):
        self.gone.set()

    def _answer(self, request):
        if request.method == "hand out":
            return Delivery(request.id, "unit", lambda: self.lost.append(request.id))
        if request.method == "last":
            self.last_taken.set()
        if request.method != "wait":
            return super()._answer(request)
        pending = Pending(
            self.abandoned.set, lambda: pending.settle(Response(request.id, "nothing"))
        )
        self.pending.append(pending)
        return pending


@pytest.mark.parametrize("ending", ["close", "half", "reset"])
def test_who_has_gone_waits_for_nothing(ending):
    """Whatever way it went: nothing may be given to it, and its connection is let go of."""

    async def scenario():
        backend = WaitingBackend()
        async with serving(backend) as (_, connect):
            _, writer = await connect()
            writer.write(request(1, "wait") + request(2, "quick"))
            await backend.two_taken.wait()
            if ending == "half":
                writer.write_eof()
            elif ending == "reset":
                writer.transport.abort()
            else:
                writer.close()
            await backend.abandoned.wait()
            await backend.gone.wait()
            backend.pending[0].settle(Response(1, "unit"))

    asyncio.run(scenario())


def test_a_half_closed_connection_gets_what_was_answered():
    """Only what waits is given up."""

    async def scenario():
        backend = WaitingBackend()
        async with serving(backend) as (_, connect):
            reader, writer = await connect()
            writer.write(request(1, "slow") + request(2, "wait"))
            await backend.two_taken.wait()
            writer.write_eof()
            await backend.abandoned.wait()
            backend.let_go.set()
            assert answers(await reader.read()) == [1]

    asyncio.run(scenario())


def test_a_waiting_call_leaves_its_connection_free():
    """Calls after it are answered while it waits."""

    async def scenario():
        backend = WaitingBackend()
        async with serving(backend) as (_, connect):
            reader, writer = await connect()
            writer.write(request(1, "wait"))
            for number in range(2, 5):
                writer.write(request(number, "quick"))
                assert answers(await reader.read(1000)) == [number]
            backend.pending[0].settle(Response(1, "unit"))
            assert answers(await reader.read(1000)) == [1]

    asyncio.run(scenario())


def test_stop_answers_those_who_wait_at_once():
    """As if the time of the wait were over: a server does not stop later for them."""

    async def scenario():
        backend = WaitingBackend()
        async with serving(backend) as (server, connect):
            reader, writer = await connect()
            writer.write(request(1, "wait") + request(2, "quick"))
            assert answers(await reader.read(1000)) == [2]
            await server.stop(20)
            assert answers(await reader.read()) == [1]

    asyncio.run(scenario())


def test_what_was_handed_out_to_who_has_gone_is_told():
    """The connection went before the answer could be written."""

    async def scenario():
        backend = WaitingBackend()
        backend.held = []
        async with serving(backend) as (_, connect):
            _, writer = await connect()
            writer.write(request(1, "hand out") + request(2, "hand out"))
            await backend.two_taken.wait()
            writer.transport.abort()
            other = await connect()
            other[1].write(request(1, "last"))
            await backend.last_taken.wait()
            for send in backend.held:
                send()
            assert backend.lost == [1, 2]
            await backend.gone.wait()

    asyncio.run(scenario())


def test_a_hand_out_beside_a_call_that_waits_is_told_of_too():
    """One message, of which one answer was there when the connection went."""

    async def scenario():
        backend = WaitingBackend()
        async with serving(backend) as (_, connect):
            _, writer = await connect()
            calls = [
                {"id": n, "method": m, "params": []} for n, m in enumerate(["hand out", "wait"])
            ]
            writer.write(wrap(pack(calls)))
            await backend.two_taken.wait()
            writer.close()
            await backend.gone.wait()
            assert backend.lost == [0]

    asyncio.run(scenario())


def test_calls_that_wait_do_not_keep_the_server_from_seeing_the_end():
    """However many of a connection wait, they are given up when it is gone."""

    async def scenario():
        backend = WaitingBackend()
        async with serving(backend, requests_in_flight=2) as (_, connect):
            _, writer = await connect()
            writer.write(request(1, "wait") + request(2, "wait"))
            await backend.two_taken.wait()
            writer.close()
            await backend.gone.wait()
            assert backend.abandoned.is_set()

    asyncio.run(scenario())


def test_one_call_too_many_that_waits_is_refused():
    """With a failure that names the setting; the others go on waiting, and the connection does."""

    async def scenario():
        backend = WaitingBackend()
        async with serving(backend, requests_in_flight=2) as (_, connect):
            reader, writer = await connect()
            writer.write(request(1, "wait") + request(2, "wait") + request(3, "wait"))
            refusal = cbor2.loads(cbor2.loads(await reader.read(4000)).value)
            assert refusal["id"] == 3
            assert "server.limits.requests_in_flight" in refusal["error"]["message"]
            writer.write(request(4, "quick"))
            assert answers(await reader.read(4000)) == [4]
            backend.pending[0].settle(Response(1, "unit"))
            assert answers(await reader.read(4000)) == [1]

    asyncio.run(scenario())
