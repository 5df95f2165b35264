"""Both halves of the client against a real server."""

import asyncio
import os
import threading
from collections.abc import Callable

import pytest
from attrs import define, field

from coordinate_client import (
    AsyncLockClient,
    AsyncTaskMaster,
    ClientClosed,
    Deadlock,
    LockClient,
    LockTimeout,
    LostLease,
    LostLock,
    OutcomeUnknown,
    TaskMaster,
    Unsupported,
)
from coordinate_client.transport_sync import Transport, connect

SPEC = {
    "name": "s",
    "min_gb": 1,
    "module": "builtins",
    "run_function": "getattr",
    "run_params": ["key"],
}


@pytest.fixture
def master(address, namespace):
    """A TaskMaster in the test's own namespace."""
    with TaskMaster({"address": address, "namespace": namespace, "retries": 0}) as master:
        yield master


def test_units_are_added_handed_out_and_finished(master):
    """The main way of a unit."""
    master.update_bundle(SPEC, {"a": {"n": 1}, b"\xff": {"t": (1, b"x")}})
    assert master.server is not None
    unit = master.get_work("w", available_gb=4)
    assert (unit.key, unit.data, dict(unit.spec)) == ("a", {"n": 1}, SPEC)
    assert unit.run() == "a"
    assert unit.finish()
    (other,) = master.get_work("w", max_jobs=5)
    assert (other.key, other.data) == (b"\xff", {"t": (1, b"x")})
    assert other.fail("why")
    assert master.get_work("w") is None
    assert master.count_work_units("s") == {4: 1, 5: 1}
    assert master.get_work_unit_status("s", b"\xff")["traceback"] == "why"
    assert master.retry("s", b"\xff")
    assert master.get_work_units("s", [b"\xff"]) == [(b"\xff", {"t": (1, b"x")})]
    assert master.status("s")["num_available"] == 1
    assert list(master.list_finished_work_units("s")) == ["a"]
    assert master.del_work_units("s", all=True) == 2
    assert master.clear() == 1


def test_lease_that_went_to_another_worker_is_lost(master):
    """The first worker is told, and changes nothing."""
    master.update_bundle(SPEC, {"a": {}})
    first = master.get_work("one")
    assert master.update_work_unit("s", "a", lease_time=-1) or master.retry("s", "a")
    second = master.get_work("two")
    assert second.key == "a"
    with pytest.raises(LostLease):
        first.finish()
    assert second.finish()


def test_many_units_and_specs(master):
    """More than one slice, more than one page."""
    for name in ("a", "b", "c"):
        master.set_work_spec(SPEC | {"name": name})
    assert [name for name, _ in master.list_work_specs(2)[0]] == ["a", "b"]
    assert [spec["name"] for spec in master.iter_work_specs()] == ["a", "b", "c"]
    assert master.add_work_units("a", ((f"{n:05}", {"n": n}) for n in range(2500)))
    assert len(master.list_work_units("a")) == 2500
    assert list(master.list_work_units("a", 10, 2)) == ["00010", "00011"]
    assert master.pause_work_spec("a")
    assert master.get_work("w") is None
    assert master.get_work_spec_meta("a")["status"] == 2
    assert master.add_work_units("nope", {"k": {}}) is False
    assert master.prioritize_work_units("a", ["00001"])


def test_workers_are_told_of(master):
    """Register, list, look up, unregister."""
    assert master.worker_register("w", parent="p")
    assert master.workers() == {"w": "RUN"}
    assert master.get_heartbeat("w")["pid"] == os.getpid()
    assert master.get_heartbeat("nope") == {}
    assert master.mode_counts() == {"RUN": 1}
    assert master.worker_stats()["num_workers"] == 1
    assert master.get_child_work_units("p") == {}
    assert master.worker_unregister("w")


def test_unknown_method_is_unsupported(master):
    """As the protocol's text promises."""
    with pytest.raises(Unsupported):
        master._rpc("no_such_method")
    assert isinstance(master.get_server_config(), dict)
    master.archive()


def test_asyncio_half_does_the_same(address, namespace):
    """Over its own transport, with tasks that share a client."""

    async def work():
        config = {"address": address, "namespace": namespace, "retries": 0}
        async with AsyncTaskMaster(config) as master:
            await master.update_bundle(SPEC, {str(n): {"n": n} for n in range(10)})
            units = await asyncio.gather(*(master.get_work(f"w{n}") for n in range(10)))
            assert await units[0].run() == units[0].key
            await asyncio.gather(*(unit.finish() for unit in units))
            assert (await master.status("s"))["num_finished"] == 10
            assert [spec["name"] async for spec in master.iter_work_specs()] == ["s"]

    asyncio.run(work())


def test_asyncio_client_outlives_its_loop(address, namespace):
    """A second loop gets a connection of its own."""
    master = AsyncTaskMaster({"address": address, "namespace": namespace})

    async def work():
        found = await master.clear()
        await master.close()
        return found

    assert [asyncio.run(work()), asyncio.run(work())] == [0, 0]


def test_cancelled_call_does_not_confuse_the_next(address, namespace):
    """Its connection goes with it."""

    async def work():
        async with AsyncTaskMaster({"address": address, "namespace": namespace}) as master:
            await master.clear()
            call = asyncio.create_task(master.worker_stats())
            await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert await master.clear() == 0

    asyncio.run(work())


def test_forked_child_uses_its_own_connection(master):
    """The parent's goes on working."""
    master.set_work_spec(SPEC)
    child = os.fork()
    if not child:
        os._exit(0 if master.get_work_spec("s") == SPEC else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert master.get_work_spec("s") == SPEC


# ---- answers that get lost ----


@define
class Losing:
    """Makes connections whose next answers get lost, as many as a test says."""

    most: int = 0
    made: list = field(factory=list)
    when_lost: Callable = lambda: None

    def __call__(self, *asked):
        self.made.append(LosingTransport(connect(*asked), self))
        return self.made[-1]


@define
class LosingTransport:
    """A connection that breaks when the answer is there."""

    inner: Transport
    losing: Losing

    def receive(self, seconds):
        found = self.inner.receive(seconds)
        if self.losing.most:
            self.losing.most -= 1
            self.losing.when_lost()
            raise ConnectionResetError("the answer got lost")
        return found

    def __getattr__(self, name):
        return getattr(self.inner, name)


@pytest.fixture
def losing():
    """What makes the connections of `unlucky`."""
    return Losing()


@pytest.fixture
def unlucky(address, namespace, losing):
    """A TaskMaster whose answers get lost when the test wants it."""
    config = {"address": address, "namespace": namespace, "base_retry_seconds": 0}
    with TaskMaster(config, connect=losing) as master:
        master.update_bundle(SPEC, {"a": {}, "b": {}})
        yield master


def test_call_whose_answer_got_lost_is_done_once(unlucky, losing):
    """It is made again, and gets the answer that it would have got."""
    losing.most = 1
    unit = unlucky.get_work("w")
    assert (unit.key, len(losing.made)) == ("a", 2)
    assert unlucky.count_work_units("s") == {1: 1, 3: 1}
    losing.most = 1
    assert unit.finish()
    assert [one["attempt"] for one in unlucky.get_work_unit_attempts("s", "a")] == [unit.attempt]


def test_lost_answer_of_a_forgotten_session_is_an_unknown_outcome(unlucky, losing):
    """Here another server's could be it, or one that was restarted without its data."""
    sequence = unlucky._lines()._main._sequence
    losing.most = 1
    losing.when_lost = lambda: setattr(sequence, "session", b"0" * 16)
    with pytest.raises(OutcomeUnknown):
        unlucky.clear()
    assert unlucky.clear() == 0


# ---- waiting ----


class Caller(threading.Thread):
    """A thread that makes one call."""

    def __init__(self, call):
        super().__init__()
        self.call, self.result, self.error = call, None, None
        self.start()

    def run(self):
        try:
            self.result = self.call()
        except ClientClosed as error:
            self.error = error

    def end(self):
        self.join(60)
        assert not self.is_alive()
        return self


def waiters(locks, path):
    """Who waits for a path; looks until somebody does."""
    found: list = []
    while not found:
        found = [waiter for lock in locks.list_locks(path) for waiter in lock["waiters"]]
    return [waiter["locker_id"] for waiter in found]


def test_work_is_waited_for(master):
    """While others use the same client; then it comes at once."""
    master.set_work_spec(SPEC)
    waiting = Caller(lambda: master.get_work("w", wait=float("inf")))
    assert master.add_work_units("s", {"a": {"n": 1}})
    unit = waiting.end().result
    assert (unit.key, unit.worker_id) == ("a", "w")
    assert unit.finish()
    assert master.get_work("w", wait=0.01) is None


def test_closing_the_client_ends_a_wait(master):
    """The server forgets about it, too."""
    master.set_work_spec(SPEC)
    waiting = Caller(lambda: master.get_work("w", wait=float("inf")))
    # Until it waits at the server, there is a chance that it is not noticed.
    while waiting.is_alive():
        master.close()
    assert isinstance(waiting.error, ClientClosed)
    assert master.add_work_units("s", {"a": {}})
    assert master.get_work("v").worker_id == "v"


def test_many_units_go_in_one_message(master):
    """Finished, and the next ones leased; a stale one among them is told."""
    master.update_bundle(SPEC, {str(number): {} for number in range(5)})
    units = master.get_work("w", max_jobs=3)
    assert master.update_work_unit("s", "1", lease_time=-1)
    results, following = master.finish_and_get_work(units, "w", max_jobs=10)
    assert [result.code for result in results] == [None, "lost_lease", None]
    assert sorted(unit.key for unit in following) == ["1", "3", "4"]
    assert min(unit.attempt for unit in following) > max(unit.attempt for unit in units)
    assert all(result.done for result in master.renew_units(following, 100))
    assert all(result.done for result in master.fail_units(following, "why"))
    assert master.count_work_units("s") == {4: 2, 5: 3}


def test_stale_attempt_of_the_same_worker_is_lost(master):
    """By name it could not be told."""
    master.update_bundle(SPEC, {"a": {}})
    first = master.get_work("w")
    assert master.update_work_unit("s", "a", lease_time=-1)
    second = master.get_work("w")
    assert second.attempt > first.attempt
    with pytest.raises(LostLease):
        first.finish()
    assert second.finish()


def test_changes_are_followed(master):
    """From the beginning that there is."""
    followed = master.iter_changes([{"specs": True}, {"work_spec_name": "s"}])
    assert next(followed).reset
    master.update_bundle(SPEC, {"a": {}})
    kinds = [change["kind"] for change in next(followed).changes]
    while "unit" not in kinds:
        kinds += [change["kind"] for change in next(followed).changes]
    assert sorted(kinds) == ["spec", "unit"]


# ---- locks ----


@pytest.fixture
def locks(address, namespace):
    """A LockClient in the test's own namespace."""
    with LockClient({"address": address, "namespace": namespace}, locker="one") as locks:
        yield locks


@pytest.fixture
def others(address, namespace):
    """Another."""
    with LockClient({"address": address, "namespace": namespace}, locker="two") as locks:
        yield locks


def test_lock_is_held_and_given_back(locks, others):
    """Others are kept out of it, of what is above and of what is under it."""
    with locks.hold(("index", 3)) as grant:
        assert others.readlock([("index", 3), ("index",)]) == ["one", None]
        for path in (("index", 3), ("index",), ("index", 3, "x")):
            assert others.lock(path, 30) is None
        with pytest.raises(LockTimeout) as caught, others.hold(("index",), wait=0):
            pytest.fail("it is not free")
        assert (caught.value.holder, caught.value.path) == ("one", ("index", 3))
        (told,) = others.list_locks(("index",))
        assert (told["path"], told["token"]) == (("index", 3), grant.token)
    second = others.lock(("index",), 30)
    assert second.token > grant.token
    assert others.unlock(second)


def test_lock_is_waited_for(locks, others):
    """In the order of asking, by threads of one client as well."""
    order = []

    def work(client, name):
        with client.hold(("a",)):
            order.append(name)

    with locks.hold(("a",)):
        waiting = Caller(lambda: work(others, "first"))
        assert waiters(locks, ("a",)) == ["two"]
        order.append("holder")
    waiting.end()
    assert order == ["holder", "first"]


def test_threads_of_one_client_wait_for_each_other(address, namespace):
    """Where it has no name, each of them is a locker."""
    inside: list = []

    def work(client):
        for _ in range(5):
            with client.hold(("a",)):
                inside.append(True)
                assert len(inside) == 1
                inside.pop()
        return True

    with LockClient({"address": address, "namespace": namespace}) as locks:
        callers = [Caller(lambda: work(locks)) for _ in range(4)]
        assert all(caller.end().result for caller in callers)


def test_forced_release_is_told_at_once(locks, others):
    """And comes out of the block."""
    told = threading.Event()

    def work():
        with locks.hold(("a",), ttl=3600, on_lost=lambda _: told.set()) as grant:
            assert others.force_unlock(("a",), grant.token) == 1
            assert grant.wait_lost(60)

    with pytest.raises(LostLock):
        work()
    assert told.is_set()
    assert list(others.list_locks()) == []


def test_task_inside_is_cancelled_by_a_forced_release(address, namespace, others):
    """As fast."""

    async def work():
        async with AsyncLockClient({"address": address, "namespace": namespace}) as locks:
            with pytest.raises(LostLock):
                await inside(locks)
            assert await locks.readlock(("a",)) is None

    async def inside(locks):
        async with locks.hold(("a",), ttl=3600):
            assert await asyncio.to_thread(others.force_unlock, ("a",)) == 1
            await asyncio.Event().wait()

    asyncio.run(work())


def test_deadlock_is_refused(locks, others):
    """With who waits for whom."""
    with others.hold(("b",)):
        with locks.hold(("a",)):
            waiting = Caller(lambda: others.lock(("a",), 30, wait=60))
            assert waiters(locks, ("a",)) == ["two"]
            with pytest.raises(Deadlock) as caught, locks.hold(("b",)):
                pytest.fail("it is not free")
            assert {one["held_by"] for one in caught.value.cycle} == {"one", "two"}
        assert others.unlock(waiting.end().result)


def test_shared_and_repeated_locks(locks, others):
    """Shared ones go together; the same locker may have one again, if it says so."""
    with locks.hold(("a",), mode="shared"), others.hold(("a",), mode="shared", wait=0):
        assert others.lock(("a",), 30) is None
    with locks.hold(("a",)):
        assert locks.lock(("a",), 30) is None
        with locks.hold(("a",), reentrant=True, wait=0):
            pass
        assert others.readlock(("a",)) == "one"


def test_some_locks_are_granted_renewed_and_dropped(locks, others):
    """By their paths and by what they begin with."""
    assert others.lock(("a", 1), 30)
    grant = locks.locksome([("a", 1), ("a", 2)], 30)
    assert grant.paths == (("a", 2),)
    assert locks.renew(grant, 60, wait=0.01)
    assert 30 < grant.left <= 60
    assert others.delete_namespace("a") == 2
    assert not locks.renew(grant, 60)
    assert grant.lost


def test_unit_is_worked_on_under_its_locks(master, locks):
    """They are free when it has ended."""
    master.set_work_spec(SPEC)
    needs = [("index", 3), (("log", ("x", 1)), "shared")]
    assert master.add_work_units("s", [("a", {}, {"locks": needs}), ("b", {}, {"locks": needs})])
    (unit,) = master.get_work("w", max_jobs=2)
    assert set(unit.locks) == {(("index", 3), "exclusive"), (("log", ("x", 1)), "shared")}
    assert locks.readlock(("index", 3)) == "w"
    assert locks.lock(("log",), 30) is None
    (following,) = master.finish_and_get_work([unit], "w")[1]
    assert following.key == "b"
    assert following.finish()
    assert list(locks.list_locks()) == []


def test_asyncio_half_waits_locks_and_follows(address, namespace):
    """All of it, with tasks that share the clients."""
    config = {"address": address, "namespace": namespace}

    async def add(master):
        assert await master.add_work_units("s", {"a": {}, "b": {}, "c": {}})

    async def work():
        inside: list = []

        async def locked(locks, number):
            async with locks.hold(("a",)):
                inside.append(number)
                await asyncio.sleep(0)
                assert inside.pop() == number

        async with AsyncTaskMaster(config) as master, AsyncLockClient(config) as locks:
            await master.set_work_spec(SPEC)
            waiting = asyncio.create_task(master.get_work("w", wait=60))
            await add(master)
            unit = await waiting
            assert unit.key == "a"
            results, following = await master.finish_and_get_work([unit], "w", max_jobs=5)
            assert [result.done for result in results] == [True]
            assert all(result.done for result in await master.renew_units(following, 60))
            assert all(result.done for result in await master.finish_units(following))
            async for found in master.iter_changes({"specs": True}):
                assert found.reset
                break
            await asyncio.gather(*(locked(locks, number) for number in range(5)))
            assert [found async for found in locks.list_locks()] == []

    asyncio.run(work())
