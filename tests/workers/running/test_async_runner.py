"""Many units at once: coroutine functions on the loop, all others in threads."""

import asyncio
import threading

import pytest

from coordinate_client import AsyncWorkUnit
from coordinate_client.workers.running import AsyncRunner, RunnerSettings
from tests.workers.running import code
from tests.workers.running.desk import LOST, Desk


@pytest.fixture
def desk():
    """A server."""
    return Desk()


@pytest.fixture
def hooks(monkeypatch):
    """What functions do meanwhile."""
    found: dict = {}
    monkeypatch.setattr(code, "HOOKS", found)
    return found


def unit_of(desk, run_function="nothing", **options):
    """A unit for the loop."""
    return desk.unit(run_function, kind=AsyncWorkUnit, **options)


def ran(unit, act=None, *, finish=True, **options):
    """What becomes of a unit; something may be done with its runner first."""

    async def main():
        settings = {"cancel_seconds": 30, "kill_seconds": 30} | options.pop("settings", {})
        runner = AsyncRunner(RunnerSettings(**settings), kills=False, **options)
        if act is not None:
            act(runner)
        try:
            return await runner.run(unit, finish=finish)
        finally:
            runner.close()

    return asyncio.run(main())


def test_a_coroutine_function_runs_on_the_loop_with_the_unit_itself(desk):
    unit = unit_of(desk, "later", lease=900, run_params=["x"], output="return")
    assert ran(unit).outcome == "finished"
    assert unit.data == {"kind": "AsyncWorkUnit", "output": ["x"]}
    assert desk.told == "finished"


def test_a_plain_function_runs_in_a_thread_with_a_work_unit(desk):
    unit = unit_of(desk, "threads_name", output="return")
    assert ran(unit).outcome == "finished"
    assert unit.data["output"] == ["WorkUnit", False]


def test_a_command_runs_beside_the_loop(desk):
    unit = unit_of(desk, command=["echo", "7"], output="stdout")
    assert ran(unit).outcome == "finished"
    assert (unit.data["output"], unit.data["exit_code"]) == (7, 0)


def test_its_finish_can_be_left_to_the_caller(desk):
    assert ran(unit_of(desk, "double", data={"n": 2}), finish=False).outcome == "finished"
    assert desk.told is None


def test_units_run_at_once():
    """Each waits for all the others."""
    meeting = threading.Barrier(5)
    code.HOOKS["meanwhile"] = lambda unit: meeting.wait(30)

    async def main():
        runner = AsyncRunner(RunnerSettings())
        units = [unit_of(Desk(), "told_meanwhile") for _ in range(5)]
        try:
            return await asyncio.gather(*map(runner.run, units))
        finally:
            runner.close()

    try:
        assert {one.outcome for one in asyncio.run(main())} == {"finished"}
    finally:
        code.HOOKS.clear()


@pytest.mark.parametrize(
    "name, reason",
    [
        ("fails", "ValueError: bad value"),
        ("exits", "SystemExit: 3"),
        ("later_fails", "ValueError: later"),
        ("later_exits", "SystemExit: 3"),
        ("missing", "AttributeError: module 'tests.workers.running.code' has no attribute 'miss"),
    ],
)
def test_what_code_raises_fails_its_unit_only(desk, name, reason):
    found = ran(unit_of(desk, name))
    assert (found.outcome, desk.told) == ("failed", "failed")
    assert found.reason.startswith(reason)


def test_a_traceback_begins_with_the_code_of_the_unit(desk):
    ran(unit_of(desk, "later_fails"))
    assert desk.traceback.splitlines()[1].endswith("in later_fails")


@pytest.mark.parametrize("name", ["nothing", "later"])
def test_a_unit_that_the_server_does_not_leave_to_us_is_lost(desk, name):
    desk.results += [LOST, LOST]
    assert ran(unit_of(desk, name)).outcome == "lost"


@pytest.mark.parametrize(
    "name, expected", [("steps", [0.5, "half", {"rows": 3}]), ("later_steps", [0.25, 0.75])]
)
def test_progress_is_told_on_the_loop_and_names_the_unit(desk, name, expected):
    told = []

    def on_progress(unit, value):
        asyncio.get_running_loop()
        told.append((unit, value))

    unit = unit_of(desk, name)
    assert ran(unit, on_progress=on_progress).outcome == "finished"
    assert told == [(unit, value) for value in expected]


@pytest.mark.parametrize("name", ["later_waits", "later_swallows", "spins", "steps_until_told"])
@pytest.mark.parametrize(
    "reason, outcome, told",
    [("stopped", "released", "released"), ("job expired", "cancelled", None)],
)
def test_a_unit_is_cancelled(desk, hooks, name, reason, outcome, told):
    unit = unit_of(desk, name)

    def act(runner):
        hooks["began"] = hooks["step"] = lambda _: runner.cancel(unit, reason)

    assert ran(unit, act).outcome == outcome
    assert desk.told == told


def test_only_the_unit_that_is_meant_is_cancelled(hooks):
    first, second = unit_of(Desk(), "later_waits"), unit_of(Desk(), "later")

    async def main():
        runner = AsyncRunner(RunnerSettings(), kills=False)
        hooks["began"] = lambda _: runner.cancel(first, "enough")
        return await asyncio.gather(runner.run(first), runner.run(second))

    assert [one.outcome for one in asyncio.run(main())] == ["cancelled", "finished"]


@pytest.mark.parametrize("name", ["later_waits", "spins"])
def test_code_that_runs_for_too_long_fails_its_unit(desk, name):
    found = ran(unit_of(desk, name, max_runtime=0.05))
    assert (found.outcome, found.reason) == ("failed", "max_runtime of 0.05 s exceeded")
    assert desk.told == "failed"


def test_a_lease_is_renewed_on_the_loop(desk, hooks):
    renewed = []

    def on_renewed(unit):
        renewed.append(unit)
        hooks["runner"].cancel(unit, "stopped")

    unit = unit_of(desk, "later_waits", lease=900)
    unit.expires -= 600
    assert ran(unit, lambda it: hooks.update(runner=it), on_renewed=on_renewed).outcome == (
        "released"
    )
    assert renewed == [unit]
    assert desk.updates[0] == {"lease_time": 900, "worker_id": "w", "attempt": 7}


@pytest.mark.parametrize("name", ["later_waits", "spins"])
def test_a_lease_that_is_lost_ends_the_code(desk, name):
    desk.results.append(LOST)
    unit = unit_of(desk, name, lease=900)
    unit.expires -= 600
    assert ran(unit).outcome == "lost"
    assert len(desk.updates) == 1


def test_a_task_that_is_cancelled_takes_the_code_along(desk, hooks):
    cleaned = []
    hooks["cleaned"] = lambda: cleaned.append("cleaned")

    async def main():
        runner = AsyncRunner(RunnerSettings(), kills=False)
        task = asyncio.create_task(runner.run(unit_of(desk, "later_waits")))
        hooks["began"] = lambda _: task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert cleaned == ["cleaned"]
    assert desk.told is None


def test_the_limit_of_a_unit_is_known():
    runner = AsyncRunner(RunnerSettings(max_runtime=60))
    assert runner.limit({"name": "s", "module": "m", "run_function": "f", "max_runtime": 5}) == 5
