"""Holding locks: renewed in the background, told when they are lost, given back at the end."""

import asyncio
import os
import threading
from contextlib import suppress
from typing import Any

import pytest
from attrs import define, field

from coordinate_client import (
    AsyncLockClient,
    ClientClosed,
    ConnectionFailed,
    Deadlock,
    Grant,
    LockClient,
    LockTimeout,
    LostLock,
    ProgrammerError,
)
from coordinate_client._sync.keeper import Keeper
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

PATH = ("index", "shard-3")
GRANTED = {"granted": True, "token": 9, "expires": 5.0}
TIMEOUT = {"granted": False, "code": "timeout", "message": "it is v's", "holder": "v"}
DONE = (True, None)
FORCED = (False, "it was forced")


@pytest.fixture(autouse=True)
def _renewed_at_once(monkeypatch):
    """The first renewal comes without a pause, so that nothing here has to take time."""
    monkeypatch.setattr("coordinate_client._sync.keeper._FIRST", 0.0)
    monkeypatch.setattr("coordinate_client._async.keeper._FIRST", 0.0)


def locks_of(answers, hello=None, kind=LockClient):
    """A LockClient called "me", and a server with locks."""
    said = Hello(("sessions", "locks")) if hello is None else hello
    server = ScriptedServer({"lock": GRANTED, "unlock": DONE} | answers, hello=said)
    return server.client(kind, {"address": "one:1", "retries": 0}, locker="me"), server


# ---- the keeper, on a clock ----


@define
class Pauses:
    """A flag whose waits make the clock go on; set after so many of them, where that is said."""

    clock: FakeClock
    most: int | None = None
    waits: list = field(factory=list)

    def wait(self, seconds):
        self.waits.append(max(seconds, 0.0))
        self.clock.now += self.waits[-1]
        return self.is_set()

    def is_set(self):
        return self.most is not None and len(self.waits) >= self.most

    def set(self):
        self.most = 0


def kept(answer, hello=None, pauses=None, ttl=30.0):
    """Run a keeper until it ends: the grant, the server, its pauses, and how often it told."""
    lock = GRANTED if hello is None else DONE
    locks, server = locks_of({"renew": answer, "lock": lock}, hello)
    grant = locks.lock(PATH, ttl)
    told = []
    keeper: Any = Keeper(locks, grant, ttl, lambda: told.append(server.clock.now))
    keeper._stopped = Pauses(server.clock, pauses)
    keeper.run()
    return grant, server, keeper._stopped.waits, told


def lasting(server, seconds, *, answer=DONE):
    """An answer that takes that long."""

    def answered(_):
        server[0].clock.now += seconds
        return answer

    return answered


def test_server_that_can_answers_when_the_next_renewal_is_due():
    """It is asked to wait a sixth of the time; then it is asked again at once."""
    holder: list = []
    locks, server = locks_of({"renew": lasting(holder, 5)})
    holder.append(server)
    grant = locks.lock(PATH, 30)
    keeper: Any = Keeper(locks, grant, 30, lambda: None)
    keeper._stopped = Pauses(server.clock, 4)
    keeper.run()
    assert keeper._stopped.waits == [0, 0, 0, 0]
    assert server.sent("renew") == [["me", 30, [list(PATH)], {"token": 9, "wait": 5}]] * 3
    # The last one was sent at 1010, and its time counts from then.
    assert (server.clock.now, grant.deadline, grant.lost) == (1015, 1040, False)


@pytest.mark.parametrize("hello", [HELLO, OLD_HELLO])
def test_older_server_is_asked_every_third_of_the_time(hello):
    """It answers at once, so the keeper waits itself."""
    grant, server, waits, told = kept(DONE, hello, pauses=4)
    assert waits == [0, 10, 10, 10]
    assert server.sent("renew") == [["me", 30, [list(PATH)]]] * 3
    assert (grant.deadline, told) == (1050, [])


def test_server_that_says_so_ends_it():
    """At once; nothing is renewed any more."""
    grant, server, _, told = kept([Turn(DONE), Turn(FORCED)])
    assert (grant.lost, grant.why, told) == (True, "it was forced", [1010])
    assert len(server.sent("renew")) == 2
    with pytest.raises(LostLock, match="it was forced"):
        grant.check()


def test_time_that_ran_out_ends_it():
    """The time counts from before the last renewal that succeeded; until then it is tried."""
    broken = Turn(Break(ConnectionResetError("reset")))
    grant, _, waits, told = kept([Turn(DONE), broken])
    assert grant.lost
    assert told == [1030]
    assert waits == [0, 10, 3, 3, 3, 3, 3, 3, 2]
    assert "not renewed in time: renew: no server at one:1: reset" in grant.why


def test_renewal_that_hangs_ends_with_the_time():
    """Nobody waits for its answer longer than it is of use."""
    locks, server = locks_of({"renew": DONE})
    grant = locks.lock(PATH, 30)
    server.clock.now += 25
    keeper: Any = Keeper(locks, grant, 30, lambda: None)
    keeper._stopped = Pauses(server.clock, 2)
    keeper.run()
    assert server.silences[-1] == ("renew", 5)


def test_renewal_that_went_wrong_is_tried_again():
    """Soon, and then all is well."""
    broken = Turn(Break(ConnectionResetError("reset")))
    grant, _, waits, told = kept([broken, Turn(DONE)], pauses=3)
    assert (waits, told, grant.lost) == ([0, 3, 10], [], False)
    assert grant.deadline == 1033


def test_long_pause_of_the_process_ends_it():
    """It is lost by the clock before anybody asks the server, and stays so."""
    locks, server = locks_of({"renew": DONE})
    grant = locks.lock(PATH, 30)
    told = []
    keeper: Any = Keeper(locks, grant, 30, lambda: told.append(True))
    keeper._stopped = Pauses(server.clock)
    server.clock.now += 31
    keeper.run()
    assert (grant.lost, told) == (True, [True])
    assert server.sent("renew") == []


def test_keeper_that_was_told_to_end_asks_nothing():
    """Not even when it was about to."""
    locks, server = locks_of({"renew": DONE})
    keeper: Any = Keeper(locks, locks.lock(PATH, 30), 30, lambda: None)
    keeper.end()
    keeper.run()
    assert keeper._renewed(server.clock.now) == 0
    assert server.sent("renew") == []


# ---- the block, in threads ----


def test_block_runs_under_the_lock():
    """Renewed meanwhile on a line of its own; given back at the end, and not renewed any more."""
    held = Held()
    locks, server = locks_of({"renew": held})
    with locks.hold(PATH, ttl=30) as grant:
        assert isinstance(grant, Grant)
        assert grant.token == 9
        assert held.asked.wait(30)
        grant.check()
        assert not grant.wait_lost(0)
    assert [method for method, _ in server.calls if method != "hello"] == [
        "lock",
        "renew",
        "unlock",
    ]
    assert server.sent("lock")[0][3]["wait"] == 86400
    assert server.sent("unlock") == [["me", [list(PATH)], {"token": 9}]]
    assert (grant.lost, grant.released) == (False, True)
    assert threading.active_count() == 1


def test_lock_that_was_lost_inside_comes_out_of_the_block():
    """The code inside can see it, and is told."""
    held = Held()
    locks, server = locks_of({"renew": held, "unlock": FORCED})
    told: list = []

    def work():
        with locks.hold([("a",), ("b",)], on_lost=told.append) as grant:
            held.free(FORCED)
            assert grant.wait_lost(30)
            assert grant.lost
            with pytest.raises(LostLock):
                grant.check()

    with pytest.raises(LostLock, match="it was forced"):
        work()
    assert [grant.token for grant in told] == [9]
    assert len(server.sent("unlock")) == 1


def test_error_of_the_block_comes_out_of_it():
    """Also where the lock was lost."""
    held = Held()
    locks, server = locks_of({"renew": held})

    def work():
        with locks.hold(PATH) as grant:
            held.free(FORCED)
            assert grant.wait_lost()
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        work()
    server.answers["renew"] = Held()
    with pytest.raises(ValueError, match="mine"), locks.hold(PATH):
        raise ValueError("mine")
    assert len(server.sent("unlock")) == 2


def test_unlock_tells_that_a_lock_was_lost():
    """Between the last renewal and the end of the block."""
    locks, _ = locks_of({"renew": Held(), "unlock": FORCED})
    with pytest.raises(LostLock, match="it was forced"), locks.hold(PATH):
        pass


def test_older_server_may_be_asked_twice_to_unlock():
    """So its answer tells nothing."""
    locks, _ = locks_of({"lock": DONE, "renew": DONE, "unlock": FORCED}, HELLO)
    with locks.hold(PATH) as grant:
        assert grant.token is None
    assert not grant.lost


def test_lock_that_cannot_be_given_back_ends_by_itself(caplog):
    """The block was right until its end; nobody tries for longer than that is of use."""
    locks, server = locks_of({"renew": Held()})
    with locks.hold(PATH, ttl=30) as grant:
        server.answers["unlock"] = Break(ConnectionResetError("reset"))
        server.clock.now += 20
    assert not grant.lost
    assert server.silences[-1] == ("unlock", 10)
    assert "end by themselves" in caplog.text


def test_deadline_that_passed_inside_comes_out_of_the_block():
    """By this machine's clock, whatever the server would say."""
    locks, server = locks_of({"renew": Held()})

    def work():
        with locks.hold(PATH, ttl=30) as grant:
            server.clock.now += 30
            assert grant.lost
            assert grant.wait_lost(5)

    with pytest.raises(LostLock, match="not renewed in time"):
        work()


def test_lock_that_is_not_free_in_time_is_an_error():
    """With who has it."""
    locks, server = locks_of({"lock": TIMEOUT | {"path": ["index"]}})
    with pytest.raises(LockTimeout, match="it is v's") as caught, locks.hold(PATH, wait=0):
        pytest.fail("the block was entered")
    assert (caught.value.holder, caught.value.path) == ("v", ("index",))
    assert "wait" not in server.sent("lock")[0][3]
    assert server.sent("unlock") == []


def test_deadlock_is_an_error():
    """Of its own."""
    answer = {"granted": False, "code": "deadlock", "message": "circle", "cycle": []}
    locks, _ = locks_of({"lock": answer})
    with pytest.raises(Deadlock, match="circle"), locks.hold(PATH):
        pytest.fail("the block was entered")


def test_hold_waits_for_as_long_as_it_takes():
    """Unless it is told otherwise."""
    holder: list = []
    slices = [Turn(lasting(holder, 86400, answer=TIMEOUT))] * 3
    locks, server = locks_of({"lock": [*slices, Turn(GRANTED)], "renew": Held()})
    holder.append(server)
    with locks.hold(PATH):
        assert len(server.sent("lock")) == 4


def test_closing_the_client_ends_the_wait_for_a_lock():
    """With an error."""
    held = Held()
    locks, _ = locks_of({"lock": held})

    def close():
        assert held.asked.wait(30)
        locks.close()

    closer = threading.Thread(target=close)
    closer.start()
    with pytest.raises(ClientClosed), locks.hold(PATH):
        pytest.fail("the block was entered")
    closer.join()


def test_hold_is_for_one_block_at_a_time():
    """One after the other is fine."""
    locks, _ = locks_of({"renew": Held()})
    block = locks.hold(PATH)
    with block, pytest.raises(ProgrammerError, match="in use"), block:
        pytest.fail("the block was entered")
    with block:
        pass


def test_forked_child_leaves_the_lock_to_its_parent(monkeypatch):
    """When it leaves the block as well."""
    locks, server = locks_of({"renew": Held()})
    block = locks.hold(PATH)
    block.__enter__()
    owner, pid = block._owner, os.getpid() + 1
    with monkeypatch.context() as child:
        child.setattr("coordinate_client.transport_sync.os.getpid", lambda: pid)
        grant = block._grant
        block.__exit__(None, None, None)
    assert server.sent("unlock") == []
    block._grant, block._owner = grant, owner
    block.__exit__(None, None, None)
    assert len(server.sent("unlock")) == 1


def test_on_lost_that_fails_is_logged(caplog):
    """The lock is lost all the same."""
    held = Held()
    locks, _ = locks_of({"renew": held})

    def broken(grant):
        raise ValueError(f"broken {grant.token}")

    def work():
        with locks.hold(PATH, on_lost=broken) as grant:
            held.free(FORCED)
            assert grant.wait_lost(30)

    with pytest.raises(LostLock):
        work()
    assert "broken 9" in caplog.text


# ---- the block, in tasks ----


def run(block):
    """Run a coroutine function with what it asks for; nothing of it is left at the end."""

    async def work():
        await block()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(work())


def test_task_runs_under_the_lock():
    """As a thread does."""

    async def work():
        held = Held()
        locks, server = locks_of({"renew": held}, kind=AsyncLockClient)
        async with locks.hold(PATH) as grant:
            assert await asyncio.to_thread(held.asked.wait, 30)
            grant.check()
            assert not await grant.wait_lost(0)
        methods = [method for method, _ in server.calls if method != "hello"]
        assert methods == ["lock", "renew", "unlock"]
        assert grant.released

    run(work)


def test_task_inside_is_cancelled_when_the_lock_is_lost():
    """And LostLock comes out of the block; the task itself is not cancelled."""

    async def work():
        held = Held()
        locks, _ = locks_of({"renew": held}, kind=AsyncLockClient)
        told: list = []

        async def block():
            async with locks.hold(PATH, on_lost=told.append):
                held.free(FORCED)
                await asyncio.Event().wait()

        with pytest.raises(LostLock, match="it was forced"):
            await block()
        assert [grant.token for grant in told] == [9]
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run(work)


def test_task_that_was_cancelled_by_others_stays_so():
    """The lock is given back."""

    async def work():
        locks, server = locks_of({"renew": Held()}, kind=AsyncLockClient)
        inside = asyncio.Event()

        async def block():
            async with locks.hold(PATH):
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(block())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(server.sent("unlock")) == 1

    run(work)


def test_task_that_was_cancelled_twice_over_is_cancelled():
    """By the loss of the lock and by others."""

    async def work():
        held = Held()
        locks, _ = locks_of({"renew": held}, kind=AsyncLockClient)
        tasks: list = []

        async def block():
            async with locks.hold(PATH, on_lost=lambda _: tasks[0].cancel()):
                held.free(FORCED)
                await asyncio.Event().wait()

        tasks.append(asyncio.create_task(block()))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]

    run(work)


def test_task_that_goes_on_when_it_is_cancelled_gets_the_error_at_the_end():
    """An error of its own is let through."""

    async def block(error):
        held = Held()
        locks, _ = locks_of({"renew": held}, kind=AsyncLockClient)
        async with locks.hold(PATH) as grant:
            held.free(FORCED)
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            assert grant.lost
            if error is not None:
                raise error

    async def work():
        with pytest.raises(LostLock):
            await block(None)
        with pytest.raises(ValueError, match="mine"):
            await block(ValueError("mine"))

    run(work)


def test_task_waits_for_the_loss_of_a_lock():
    """Another one may do so."""

    async def work():
        held = Held()
        locks, server = locks_of({"renew": held}, kind=AsyncLockClient)
        async with locks.hold(PATH) as grant:
            waiting = asyncio.create_task(grant.wait_lost())
            await asyncio.sleep(0)
        assert await waiting is False
        grant = await locks.lock(PATH, 30)
        server.clock.now += 30
        assert await grant.wait_lost() is True

    run(work)


def test_task_gets_an_error_where_the_lock_is_not_free():
    """Before anything is begun."""

    async def work():
        locks, _ = locks_of({"lock": TIMEOUT}, kind=AsyncLockClient)
        with pytest.raises(LockTimeout):
            async with locks.hold(PATH, wait=0):
                pytest.fail("the block was entered")
        locks, server = locks_of({}, kind=AsyncLockClient)
        server.refused.add("one:1")
        with pytest.raises(ConnectionFailed):
            async with locks.hold(PATH):
                pytest.fail("the block was entered")

    run(work)
