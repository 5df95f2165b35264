"""Lines: calls that wait at the server hold up no other call, and end when the client is closed."""

import asyncio
import os
import threading

import pytest

from coordinate_client import (
    AsyncTaskMaster,
    ClientClosed,
    ConnectionFailed,
    CoordinateException,
    ProgrammerError,
    TaskMaster,
)
from coordinate_client.steady import _sleepless_clock, steady
from coordinate_client.waits import Wait, check_wait
from tests.client.scripted import (
    HELLO,
    OLD_HELLO,
    Break,
    FakeClock,
    Held,
    Hello,
    ScriptedServer,
    Turn,
)

NOTHING = ((None, None, None), None)
WORK: tuple = (("s", "k", {}), None)


def master_of(answers, hello=None, config=None, kind=TaskMaster):
    """A TaskMaster, and a server that can wait."""
    server = ScriptedServer(answers, hello=Hello(("sessions", "wait")) if hello is None else hello)
    return server.client(kind, config), server


class Caller(threading.Thread):
    """A thread that makes one call, and keeps what comes of it."""

    def __init__(self, call):
        super().__init__()
        self.call, self.result, self.error = call, None, None
        self.start()

    def run(self):
        try:
            self.result = self.call()
        except CoordinateException as error:
            self.error = error

    def end(self):
        self.join(30)
        assert not self.is_alive()
        return self


def test_other_calls_go_on_while_one_waits():
    """On another connection, which is greeted with a session of its own."""
    held = Held()
    master, server = master_of({"get_work": held, "clear": 3})
    waiting = Caller(lambda: master.get_work("w", wait=60))
    assert held.asked.wait(30)
    assert master.clear() == 3
    held.free(WORK)
    assert waiting.end().result.key == "k"
    assert len(server.connected) == 2
    assert server.sent("get_work")[0][1]["wait"] == 60
    assert server.seqs("get_work") == server.seqs("clear") == [(1, 1)]
    assert server.hello.opened == 2


def test_several_calls_wait_at_once():
    """Each on a connection of its own; they are kept for the next ones."""
    first, second = Held(), Held()
    master, server = master_of({"get_work": [Turn(first), Turn(second), Turn(WORK)]})
    one = Caller(lambda: master.get_work("a", wait=60))
    assert first.asked.wait(30)
    other = Caller(lambda: master.get_work("b", wait=60))
    assert second.asked.wait(30)
    second.free(WORK)
    first.free(WORK)
    assert one.end().result.worker_id == "a"
    assert other.end().result.worker_id == "b"
    assert len(server.connected) == 3
    assert master.get_work("c", wait=60).key == "k"
    assert len(server.connected) == 3
    assert server.hello.opened == 2


def test_waiting_call_may_take_its_time():
    """The server may be silent for the wait, and for what it may be otherwise."""
    config = {"address": "one:1", "response_seconds": 7}
    master, server = master_of({"get_work": WORK, "clear": 3}, config=config)
    master.get_work("w", wait=60)
    master.clear()
    assert server.silences == [
        ("hello", 7),
        ("hello", 7),
        ("get_work", 67),
        ("hello", 7),
        ("clear", 7),
    ]


def test_closing_ends_what_waits():
    """With an error that says so; the client can be used again."""
    held = Held()
    master, server = master_of({"get_work": [Turn(held), Turn(WORK)]})
    waiting = Caller(lambda: master.get_work("w", wait=60))
    assert held.asked.wait(30)
    master.close()
    error = waiting.end().error
    assert isinstance(error, ClientClosed)
    assert isinstance(error, ConnectionFailed)
    assert str(error) == "get_work: given up: the client was closed"
    assert all(transport.dropped for transport in server.transports)
    assert server.pauses == []
    assert master.get_work("w", wait=60).key == "k"
    assert server.seqs("get_work") == [(1, 1), (2, 2)]


def test_closing_ends_what_polls():
    """Between two questions as well."""
    server = ScriptedServer({"get_work": NOTHING})
    master: TaskMaster = server.client(TaskMaster, sleep=lambda _: master.close())
    with pytest.raises(ClientClosed, match="get_work: given up"):
        master.get_work("w", wait=60)
    assert len(server.sent("get_work")) == 1


def test_closing_ends_the_attempts_of_what_waits():
    """A connection that breaks is not made again then."""
    broken = Break(ConnectionResetError("reset"))
    server = ScriptedServer({"get_work": broken}, hello=Hello(("sessions", "wait")))
    master: TaskMaster = server.client(TaskMaster, sleep=lambda _: master.close())
    with pytest.raises(ClientClosed):
        master.get_work("w", wait=60)
    assert len(server.sent("get_work")) == 1


def test_broken_wait_goes_on_for_what_is_left():
    """Under the same number, and not for the whole time again."""
    master, server = master_of({})

    def broken(_):
        server.clock.now += 40
        return Break(ConnectionResetError("reset"))

    server.answers["get_work"] = [Turn(broken), Turn(WORK)]
    assert master.get_work("w", wait=60).key == "k"
    assert [params[1]["wait"] for params in server.sent("get_work")] == [60, 19.5]
    assert server.seqs("get_work") == [(1, 1), (1, 1)]


def test_forked_child_lets_go_of_all_connections(monkeypatch):
    """Those that wait among them: what the child holds open, the server does not see ending."""
    held = Held()
    master, server = master_of({"get_work": held, "clear": 3})
    waiting = Caller(lambda: master.get_work("w", wait=60))
    assert held.asked.wait(30)
    pid = os.getpid() + 1
    monkeypatch.setattr("coordinate_client.transport_sync.os.getpid", lambda: pid)
    assert master.clear() == 3
    assert [transport.dropped for transport in server.transports] == [True, True, False]
    monkeypatch.undo()
    waiting.end()


def test_address_that_broke_is_left_once():
    """Calls whose connections break together do not turn back to it."""
    config = {"addresses": ["one:1", "two:2"]}
    first, second = Held(), Held()
    master, server = master_of({"get_work": [Turn(first), Turn(second), Turn(WORK)]}, config=config)
    one = Caller(lambda: master.get_work("a", wait=60))
    assert first.asked.wait(30)
    other = Caller(lambda: master.get_work("b", wait=60))
    assert second.asked.wait(30)
    server.refused.add("one:1")
    for held in (first, second):
        held.free(Break(ConnectionResetError("reset")))
    one.end()
    other.end()
    assert server.connected == ["one:1"] * 3 + ["two:2"] * 2


def test_first_calls_of_threads_share_a_connection():
    """However many begin at once."""
    held = Held()
    server = ScriptedServer({"clear": 3}, hello=[Turn(held), Turn(HELLO)])
    master = server.client(TaskMaster)
    callers = [Caller(master.clear) for _ in range(5)]
    assert held.asked.wait(30)
    held.free(HELLO)
    assert [caller.end().result for caller in callers] == [3] * 5
    assert len(server.connected) == 1


def test_tasks_wait_at_once():
    """The asyncio half does it all as well: two wait, one does not, closing ends them."""

    async def work():
        first, second = Held(), Held()
        master, server = master_of(
            {"get_work": [Turn(first), Turn(second)], "clear": 3}, kind=AsyncTaskMaster
        )
        one = asyncio.create_task(master.get_work("a", wait=60))
        other = asyncio.create_task(master.get_work("b", wait=60))
        assert await asyncio.to_thread(first.asked.wait, 30)
        assert await asyncio.to_thread(second.asked.wait, 30)
        assert await master.clear() == 3
        first.free(WORK)
        second.answer = NOTHING
        await asyncio.wait([one, other], return_when=asyncio.FIRST_COMPLETED)
        await master.close()
        results = await asyncio.gather(one, other, return_exceptions=True)
        assert [type(result) for result in results].count(ClientClosed) == 1
        assert len(server.connected) == 3

    asyncio.run(work())


def test_cancelled_wait_lets_go_of_its_connection():
    """The server learns in this way that nobody waits any more."""

    async def work():
        held = Held()
        master, server = master_of({"get_work": held}, kind=AsyncTaskMaster)
        waiting = asyncio.create_task(master.get_work("w", wait=60))
        assert await asyncio.to_thread(held.asked.wait, 30)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert [transport.dropped for transport in server.transports] == [False, True]

    asyncio.run(work())


@pytest.mark.parametrize("hello", [HELLO, OLD_HELLO])
def test_server_that_cannot_wait_is_polled(hello):
    """Every `poll_seconds`, and once more at the end; on the connection that there is."""
    config = {"address": "one:1", "poll_seconds": 2}
    master, server = master_of({"get_work": NOTHING}, hello=hello, config=config)
    assert master.get_work("w", wait=5) is None
    assert server.pauses == [2, 2, 1]
    assert [params[1].get("wait") for params in server.sent("get_work")] == [None] * 4
    assert len(server.connected) == 1


def test_polling_ends_with_the_first_unit():
    """One, or several."""
    empty: tuple = ([], None)
    master, server = master_of(
        {"get_work": [Turn(empty), Turn(([("s", "k", {})], None))]}, hello=HELLO
    )
    assert [unit.key for unit in master.get_work("w", max_jobs=5, wait=float("inf"))] == ["k"]
    assert server.pauses == [1.0]


def test_long_waits_go_in_slices_of_a_day():
    """More than a day is more than servers wait."""
    master, server = master_of({})

    def nothing(params):
        server.clock.now += params[1]["wait"]
        return NOTHING

    server.answers["get_work"] = nothing
    assert master.get_work("w", wait=200_000) is None
    assert [params[1]["wait"] for params in server.sent("get_work")] == [86400, 86400, 27200]
    assert server.pauses == []


def test_server_that_answers_early_is_not_pestered():
    """As one does that is about to stop."""
    master, server = master_of({"get_work": [Turn(NOTHING), Turn(NOTHING), Turn(WORK)]})
    assert master.get_work("w", wait=60).key == "k"
    assert server.pauses == [1.0, 1.0]


def test_lease_of_a_long_wait_begins_at_its_end(monkeypatch):
    """Nobody knows better than that when the unit was handed out."""
    master, server = master_of({})
    monkeypatch.setattr("time.time", lambda: server.clock.now)

    def late(_):
        server.clock.now += 50
        return WORK

    server.answers["get_work"] = late
    assert master.get_work("w", wait=60, lease_time=10).expires == 1060
    assert master.get_work("w", lease_time=10).expires == 1060


def test_no_wait_is_an_ordinary_call():
    """None or 0."""
    master, server = master_of({"get_work": NOTHING})
    for wait in (None, 0, 0.0):
        assert master.get_work("w", wait=wait) is None
    assert len(server.connected) == 1
    assert all("wait" not in params[1] for params in server.sent("get_work"))


@pytest.mark.parametrize("wait", [-1, "1", True, float("nan")])
def test_wait_that_is_no_time_is_refused(wait):
    """Before anything is sent."""
    master, server = master_of({})
    with pytest.raises(ProgrammerError, match="wait"):
        master.get_work("w", wait=wait)
    assert server.calls == []


def test_time_of_a_wait_runs_out():
    """What is left shrinks to nothing, and not below."""
    clock = FakeClock()
    wait = Wait(5, clock)
    clock.now += 3
    assert (wait.left, wait.part, wait.over) == (2, 2, False)
    clock.now += 3
    assert (wait.left, wait.part, wait.over) == (0, 0, True)
    assert Wait(float("inf"), clock).part == 86400
    assert check_wait(10**400) == float("inf")


def test_clock_goes_on_evenly():
    """Whichever of its clocks the system lends."""
    times = [steady() for _ in range(100)]
    assert times == sorted(times)


def test_clock_that_goes_on_while_the_machine_sleeps_is_preferred(monkeypatch):
    """Not every system has it, or lets everybody look at it."""

    def forbidden(_):
        raise OSError(22, "Invalid argument")

    with monkeypatch.context() as other:
        other.setattr("time.clock_gettime", forbidden, raising=False)
        assert _sleepless_clock() is None
        other.delattr("time.CLOCK_BOOTTIME", raising=False)
        assert _sleepless_clock() is None
