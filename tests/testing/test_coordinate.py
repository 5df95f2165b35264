"""FakeCoordinate and its fixtures, as users write tests with them."""

import asyncio
import subprocess
import sys
import threading

import pytest

from coordinate_client.exceptions import Unsupported
from coordinate_client.testing import FakeCoordinate
from coordinate_client.testing.fixtures import coordinate, task_master  # noqa: F401 - pytest's way
from coordinate_client.workers.running import RunnerSettings

SPEC = {"name": "double", "min_gb": 1, "module": __name__, "run_function": "double"}


# ---- what users write ----


def double(unit):
    unit.data["twice"] = 2 * unit.data["n"]


def spread(unit):
    unit.data["output"] = {f"{unit.key}-{n}": {"n": n} for n in range(unit.data["parts"])}


def break_down(unit):
    raise ValueError(f"no {unit.key}")


def take_long(unit):
    CLOCKS[0].advance(1000)


def give_back(unit):
    unit.retry(delay=60)


def come_again(unit):
    unit.retry()


def count_up(unit):
    for step in range(1, 4):
        unit.data["steps"] = step
        yield step


async def wait_a_little(unit):
    await asyncio.sleep(0)
    assert await unit.update()
    unit.data["waited"] = True


CLOCKS: list = []


# ---- how they test it ----


def test_a_function_is_run(coordinate):  # noqa: F811 - the fixture
    coordinate.task_master.set_work_spec(SPEC)
    coordinate.task_master.add_work_units("double", {"a": {"n": 1}, "b": {"n": 2}})
    ran = coordinate.run()
    assert [(one.key, one.outcome) for one in ran] == [("a", "finished"), ("b", "finished")]
    assert coordinate.unit("double", "b").data == {"n": 2, "twice": 4}
    assert coordinate.unit("double", "b").status == "finished"
    assert coordinate.keys("double", "finished") == ["a", "b"]
    assert coordinate.run_one() is None


def test_both_fixtures_are_of_one_server(coordinate, task_master):  # noqa: F811 - the fixtures
    task_master.set_work_spec(SPEC)
    assert coordinate.task_master.get_work_spec("double") == SPEC
    assert coordinate.keys("double") == []


def test_a_chain_runs_to_its_end():
    fake = FakeCoordinate()
    fake.task_master.set_work_spec(SPEC)
    fake.task_master.set_work_spec(
        SPEC | {"name": "spread", "run_function": "spread", "then": "double"}
    )
    fake.task_master.add_work_units("spread", {"x": {"parts": 3}})
    assert [one.key for one in fake.run()] == ["x", "x-0", "x-1", "x-2"]
    assert fake.unit("double", "x-2").data["twice"] == 4


def test_a_failure_is_told_with_its_traceback():
    fake = FakeCoordinate()
    fake.task_master.set_work_spec(SPEC | {"run_function": "break_down"})
    fake.task_master.add_work_units("double", {"a": {}})
    (ran,) = fake.run()
    assert ran.outcome == "failed"
    assert "no a" in (ran.reason or "")
    unit = fake.unit("double", "a")
    assert (unit.status, unit.failures) == ("failed", 1)
    assert "ValueError: no a" in (unit.traceback or "")
    assert [attempt["outcome"] for attempt in unit.attempts] == ["failed"]


def test_a_retry_runs_when_its_time_has_come():
    fake = FakeCoordinate()
    spec = {"run_function": "break_down", "max_retries": 1, "retry_delay": 60}
    fake.task_master.set_work_spec(SPEC | spec)
    fake.task_master.add_work_units("double", {"a": {}})
    assert len(fake.run()) == 1
    assert fake.unit("double", "a").status == "delayed"
    fake.clock.advance(60)
    assert [one.outcome for one in fake.run()] == ["failed"]
    assert fake.unit("double", "a").status == "failed"


def test_who_runs_with_a_wait_needs_no_clock():
    fake = FakeCoordinate()
    spec = {"run_function": "break_down", "max_retries": 2, "retry_delay": 60}
    fake.task_master.set_work_spec(SPEC | spec)
    fake.task_master.add_work_units("double", {"a": {}})
    assert len(fake.run(wait=1000)) == 3
    assert fake.unit("double", "a").status == "failed"


def long_running(settings=None, **fields):
    fake = FakeCoordinate(settings)
    CLOCKS[:] = [fake.clock]
    fake.task_master.set_work_spec(SPEC | {"run_function": "take_long", **fields})
    fake.task_master.add_work_units("double", {"a": {}})
    return fake


def test_the_lease_of_a_function_that_takes_long_is_renewed():
    fake = long_running()
    assert [one.outcome for one in fake.run()] == ["finished"]
    assert fake.clock.seconds() == 1000


def test_a_function_that_takes_longer_than_its_lease_loses_it():
    fake = long_running(RunnerSettings(auto_renew=False))
    assert [one.outcome for one in fake.run(limit=1)] == ["lost"]
    assert fake.unit("double", "a").status == "available"


def test_a_function_that_takes_longer_than_it_may_is_ended():
    fake = long_running(max_runtime=60)
    (ran,) = fake.run()
    assert (ran.outcome, ran.reason) == ("failed", "max_runtime of 60 s exceeded")
    assert fake.clock.seconds() == 60
    assert fake.unit("double", "a").status == "failed"


def test_a_function_is_ended_in_any_thread():
    fake = long_running(max_runtime=60)
    ran = []
    thread = threading.Thread(target=lambda: ran.extend(fake.run()))
    thread.start()
    thread.join()
    assert [(one.outcome, one.reason) for one in ran] == [
        ("failed", "max_runtime of 60 s exceeded")
    ]


def test_a_function_may_take_its_unit_further_by_itself():
    fake = FakeCoordinate()
    fake.task_master.set_work_spec(SPEC | {"run_function": "give_back"})
    fake.task_master.add_work_units("double", {"a": {}})
    assert [one.outcome for one in fake.run()] == ["released"]
    assert fake.unit("double", "a").status == "delayed"


def test_what_a_generator_yields_is_no_end():
    fake = FakeCoordinate()
    fake.task_master.set_work_spec(SPEC | {"run_function": "count_up"})
    fake.task_master.add_work_units("double", {"a": {}})
    assert [one.data for one in fake.run()] == [{"steps": 3}]


def test_commands_are_run():
    fake = FakeCoordinate()
    command = [sys.executable, "-c", "import sys; sys.exit('n' not in sys.stdin.read())"]
    fake.task_master.set_work_spec({"name": "c", "min_gb": 1, "command": command})
    fake.task_master.add_work_units("c", {"a": {"n": 1}, "b": {}})
    assert [one.outcome for one in fake.run()] == ["finished", "failed"]


def test_a_command_may_say_much():
    fake = FakeCoordinate()
    command = [sys.executable, "-c", "print(list(range(200_000)))"]
    fake.task_master.set_work_spec(
        {"name": "c", "min_gb": 1, "command": command, "output": "stdout"}
    )
    fake.task_master.add_work_units("c", {"a": {}})
    assert [one.outcome for one in fake.run()] == ["finished"]


def test_importing_it_brings_in_nothing_big():
    names = "psutil", "setproctitle", "yaml", "yakonfig", "pytest"
    code = f"import coordinate_client.testing, sys; print([n for n in {names} if n in sys.modules])"
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_who_never_comes_to_an_end_is_told(monkeypatch):
    monkeypatch.setattr("coordinate_client.testing.coordinate._ENDLESS", 20)
    fake = FakeCoordinate()
    fake.task_master.set_work_spec(SPEC | {"run_function": "come_again"})
    fake.task_master.add_work_units("double", {"a": {}})
    with pytest.raises(RuntimeError, match="give run\\(\\) a limit"):
        fake.run()


def test_a_limit_is_kept():
    fake = FakeCoordinate()
    fake.task_master.set_work_spec(SPEC)
    fake.task_master.add_work_units("double", {"a": {"n": 1}, "b": {"n": 2}})
    assert [one.key for one in fake.run(limit=1)] == ["a"]
    assert fake.keys("double", "available") == ["b"]


def test_coroutine_functions_are_run():
    fake = FakeCoordinate()
    fake.task_master.set_work_spec(SPEC | {"run_function": "wait_a_little"})
    fake.task_master.add_work_units("double", {"a": {}})
    assert [one.data for one in fake.run()] == [{"waited": True}]


def test_what_may_not_run_fails():
    fake = FakeCoordinate(RunnerSettings(allow_modules=("elsewhere",), auto_renew=False))
    fake.task_master.set_work_spec(SPEC)
    fake.task_master.add_work_units("double", {"a": {"n": 1}})
    (ran,) = fake.run()
    assert ran.outcome == "failed"
    assert "allow_modules" in (ran.reason or "")


def test_an_asyncio_client_works_beside_it():
    fake = FakeCoordinate()

    async def add():
        async with fake.async_client() as master:
            await master.set_work_spec(SPEC)
            await master.add_work_units("double", {"a": {"n": 3}})
            return await master.get_work("w", wait=5)

    unit = asyncio.run(add())
    assert unit.data == {"n": 3}
    assert fake.unit("double", "a").status == "pending"


def test_code_may_lock():
    fake = FakeCoordinate()
    mine, yours = fake.lock_client("me"), fake.lock_client("you")
    with mine.hold(("index",)):
        assert yours.readlock(("index",)) == "me"
        assert yours.lock(("index", "a"), ttl=60) is None
    assert yours.lock(("index",), ttl=60) is not None


def test_namespaces_are_apart():
    fake = FakeCoordinate()
    fake.client(namespace="other").set_work_spec(SPEC)
    assert fake.task_master.get_work_spec("double") is None


def test_what_is_nowhere_is_said():
    fake = FakeCoordinate()
    with pytest.raises(LookupError, match="no work spec 'double'"):
        fake.keys("double")
    fake.task_master.set_work_spec(SPEC)
    with pytest.raises(LookupError, match="no work unit 'a' of work spec 'double'"):
        fake.unit("double", "a")


@pytest.mark.parametrize(
    "field",
    [
        {"schedule": "* * * * *"},
        {"rate": {"units": 1, "seconds": 1}},
        {"continuous": True},
        {"uses": ["db"]},
        {"fair_key": "who"},
    ],
)
def test_what_the_server_in_memory_lacks_is_said(field):
    master = FakeCoordinate().task_master
    with pytest.raises(Unsupported, match="the server in memory has no set_work_spec with"):
        master.set_work_spec(SPEC | field)
    with pytest.raises(Unsupported, match="the server in memory has no explain_work_unit"):
        master.explain_work_unit("double", "a")


def test_who_would_wait_for_ever_is_told():
    master = FakeCoordinate().task_master
    with pytest.raises(Exception, match="would wait for ever"):
        master.get_work("w", wait=float("inf"))


def test_a_clock_goes_forward_only():
    with pytest.raises(ValueError, match="must be 0 or more"):
        FakeCoordinate().clock.advance(-1)
