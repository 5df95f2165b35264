"""Both halves of the client against a real server."""

import asyncio
import os

import pytest

from coordinate_client import AsyncTaskMaster, LostLease, TaskMaster, Unsupported

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
