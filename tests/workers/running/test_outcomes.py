"""What becomes of units by what their code does."""

import gc
import weakref

import pytest

from coordinate_client import RpcError
from coordinate_client.workers.running import Runner, RunnerSettings
from coordinate_client.workers.running.ran import Ran
from tests.workers.running.desk import CODE, LOST, Desk


@pytest.fixture
def desk():
    """A server."""
    return Desk()


@pytest.fixture
def runner():
    """A runner without any settings."""
    return Runner(RunnerSettings())


def test_a_unit_whose_function_returns_is_finished(desk, runner):
    unit = desk.unit("double", data={"n": 2})
    ran = runner.run(unit)
    assert (ran.outcome, ran.reason) == ("finished", None)
    assert desk.told == "finished"
    assert desk.updates[-1]["data"] == {"n": 2, "doubled": 4}


def test_its_finish_can_be_left_to_the_caller(desk, runner):
    unit = desk.unit("double", data={"n": 2})
    assert runner.run(unit, finish=False).outcome == "finished"
    assert desk.told is None
    assert unit.data["doubled"] == 4


def test_the_time_that_it_took_is_told(desk):
    runner = Runner(RunnerSettings(), clock=iter([1.0, 3.5]).__next__)
    assert runner.run(desk.unit()) == Ran("finished", None, 2.5)


def test_a_unit_that_has_ended_does_not_wait_for_the_garbage_collector(desk, runner):
    """Its data may be large, and a worker runs many units."""
    gc.disable()
    try:
        unit = desk.unit()
        runner.run(unit)
        kept = weakref.ref(unit)
        del unit
        assert kept() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "params, expected",
    [
        (None, [[], {}]),
        (["a", 2], [["a", 2], {}]),
        ({"a": 2}, [[], {"a": 2}]),
    ],
)
def test_run_params_follow_the_unit(desk, runner, params, expected):
    unit = desk.unit("given", run_params=params, output="return")
    assert runner.run(unit).outcome == "finished"
    assert unit.data["output"] == expected


@pytest.mark.parametrize(
    "name, expected",
    [("an_object", "called"), ("a_partial", [[], {"more": 1}]), ("wrapped", "later")],
)
def test_whatever_can_be_called_is_a_function(desk, runner, name, expected):
    unit = desk.unit(name, output="return")
    assert runner.run(unit).outcome == "finished"
    assert unit.data["output"] == expected


def test_a_result_is_not_kept_unless_the_spec_says_so(desk, runner):
    unit = desk.unit("returned", data={"value": 7}, output="elsewhere")
    assert runner.run(unit).outcome == "finished"
    assert unit.data == {"value": 7}


def test_a_result_without_a_form_on_the_wire_fails_the_unit(desk, runner):
    unit = desk.unit("returned", data={"value": 7}, output="return")
    unit.data["value"] = {1, 2}
    ran = runner.run(unit)
    assert ran.outcome == "failed"
    assert ran.reason == (
        "the return value: set cannot be sent: a value is None, bool, int, float, str, bytes, "
        "UUID, list, tuple or dict"
    )
    assert desk.updates[-1]["data"] == {"value": 7, "traceback": ran.reason}


def test_a_result_that_data_has_no_room_for_fails_the_unit(desk, runner):
    ran = runner.run(desk.unit("nothing", data=[1], output="return"))
    assert ran.reason == "the data is no map: it has no room for the output"
    assert desk.told == "failed"


@pytest.mark.parametrize("finish", [True, False])
def test_data_that_cannot_be_sent_fail_the_unit(desk, runner, finish):
    ran = runner.run(desk.unit("unsendable", data={"n": 1}), finish=finish)
    assert ran.outcome == "failed"
    assert ran.reason.startswith("the data: object cannot be sent")
    assert desk.updates[-1]["data"] == {"n": 1, "traceback": ran.reason}


def test_an_error_fails_the_unit_with_its_traceback(desk, runner):
    ran = runner.run(desk.unit("fails"))
    assert (ran.outcome, ran.reason) == ("failed", "ValueError: bad value")
    lines = desk.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "code.py" in lines[1]
    assert lines[1].endswith("in fails")
    assert lines[-1] == "ValueError: bad value"


def test_an_error_beside_data_that_cannot_be_sent_is_kept_with_the_first_data(desk, runner):
    ran = runner.run(desk.unit("unsendable_and_fails", data={"n": 1}))
    assert ran.reason == "ValueError: bad"
    assert desk.updates[-1]["data"]["n"] == 1
    assert "socket" not in desk.updates[-1]["data"]
    assert desk.traceback.endswith("ValueError: bad\n")


def test_an_error_that_is_no_text_can_be_kept(desk, runner):
    assert runner.run(desk.unit("fails_in_bytes")).outcome == "failed"
    assert "\\udcff" in desk.traceback


@pytest.mark.parametrize(
    "name, reason",
    [
        ("exits", "SystemExit: 3"),
        ("is_interrupted", "KeyboardInterrupt"),
        ("later_exits", "SystemExit: 3"),
        ("later_fails", "ValueError: later"),
    ],
)
def test_what_would_end_a_process_fails_the_unit_only(desk, runner, name, reason):
    ran = runner.run(desk.unit(name))
    assert (ran.outcome, ran.reason, desk.told) == ("failed", reason, "failed")


def test_a_unit_that_said_itself_what_became_of_it_is_not_told_again(desk, runner):
    ran = runner.run(desk.unit("ends_itself"))
    assert ran.outcome == "failed"
    assert len(desk.updates) == 1
    ran = runner.run(desk.unit("gives_itself_back"))
    assert (ran.outcome, ran.reason) == ("released", "ValueError: too late")
    assert len(desk.updates) == 2


@pytest.mark.parametrize("name", ["nothing", "fails"])
def test_a_unit_that_the_server_does_not_leave_to_us_is_lost(desk, runner, name):
    desk.results.append(LOST)
    ran = runner.run(desk.unit(name))
    assert ran.outcome == "lost"
    assert "it is that of 'v'" in ran.reason


def test_a_unit_that_is_deleted_meanwhile_is_lost(desk, runner):
    desk.results.append({"done": False, "code": "no_such_work_unit", "message": "no such unit"})
    assert runner.run(desk.unit()).outcome == "lost"


def test_data_that_the_server_does_not_take_fail_the_unit_without_them(desk, runner):
    too_large = RuntimeError("too large")
    desk.results += [too_large, too_large]
    ran = runner.run(desk.unit("double", data={"n": 2}))
    assert (ran.outcome, len(desk.updates)) == ("failed", 3)
    assert ran.reason == "it ran well, and could not be finished: too large"
    assert desk.updates[-1]["data"] == {"n": 2, "traceback": ran.reason}


def test_a_server_that_cannot_be_told_is_an_error(desk, runner):
    error = RuntimeError("no")
    desk.results += [error, error, error]
    with pytest.raises(RpcError, match="no"):
        runner.run(desk.unit("fails"))


@pytest.mark.parametrize(
    "spec, reason",
    [
        ({"module": None}, "work spec 's' has no 'module': nothing can be run"),
        ({"run_function": ""}, "work spec 's' has no 'run_function': nothing can be run"),
        ({"run_params": 7}, "run_params 7 must be a list or a map"),
        ({"run_function": "not_callable"}, f"'not_callable' of '{CODE}' is 7"),
        ({"run_function": "missing"}, f"AttributeError: module '{CODE}' has no attribute"),
        ({"module": "tests.missing"}, "ModuleNotFoundError: No module named 'tests.missing'"),
        ({"max_runtime": "long"}, "max_runtime 'long' must be a number of seconds above 0"),
        ({"config": [1]}, "config [1] must be a map"),
    ],
)
def test_a_spec_that_cannot_be_run_fails_its_units(desk, runner, spec, reason):
    unit = desk.unit("nothing")
    unit.spec = {**unit.spec, **spec}
    ran = runner.run(unit)
    assert (ran.outcome, desk.told) == ("failed", "failed")
    assert reason in ran.reason


def test_a_unit_whose_spec_is_gone_is_lost(desk, runner):
    desk.scripted.answers["get_work_spec"] = None
    unit = desk.unit()
    unit.spec = None
    assert runner.run(unit).outcome == "lost"
    assert desk.told is None


def test_what_a_generator_yields_is_progress_and_what_it_returns_its_result(desk, caplog):
    told = []
    runner = Runner(RunnerSettings(), on_progress=lambda unit, value: told.append(value))
    unit = desk.unit("steps", output="return")
    assert runner.run(unit).outcome == "finished"
    assert told == [0.5, "half", {"rows": 3}]
    assert unit.data["output"] == "over"
    assert "7 is no progress" in caplog.text


def test_what_an_asynchronous_generator_yields_is_progress(desk):
    told = []
    runner = Runner(RunnerSettings(), on_progress=lambda unit, value: told.append(value))
    assert runner.run(desk.unit("later_steps")).outcome == "finished"
    assert told == [0.25, 0.75]


def test_progress_that_cannot_be_told_does_not_fail_the_unit(desk, caplog):
    def broken(unit, value):
        raise OSError("full")

    assert Runner(RunnerSettings(), on_progress=broken).run(desk.unit("steps")).outcome == (
        "finished"
    )
    assert "progress could not be told" in caplog.text


def test_a_coroutine_function_gets_a_unit_of_its_half(desk, runner):
    unit = desk.unit("later", data={"n": 1}, lease=900, run_params=["x"], output="return")
    assert runner.run(unit).outcome == "finished"
    assert unit.data == {"n": 1, "kind": "AsyncWorkUnit", "output": ["x"]}
    first, last = desk.updates
    assert first["data"] == {"n": 1, "kind": "AsyncWorkUnit"}
    assert last["data"] == unit.data


def test_many_units_leave_nothing_behind(desk):
    """The alarms of units that ended are taken back."""
    runner = Runner(RunnerSettings(max_runtime=60))
    for _ in range(1000):
        assert runner.run(desk.unit(lease=900), finish=False).outcome == "finished"
    assert not runner._alarms._set
