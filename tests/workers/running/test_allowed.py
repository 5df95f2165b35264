"""What a worker may run, and how its settings say so."""

import pytest

from coordinate_client import ProgrammerError
from coordinate_client.workers.running import Runner, RunnerSettings
from coordinate_client.workers.running.allowed import check_module
from tests.workers.running.desk import CODE, Desk


def ran_with(allow, run_function="nothing", **spec):
    """What becomes of a unit where some modules are allowed."""
    runner = Runner(RunnerSettings.of({"allow_modules": allow}))
    return runner.run(Desk().unit(run_function, **spec))


@pytest.mark.parametrize("allow", [[CODE], ["tests"], ["other", "tests.workers"]])
def test_modules_below_an_allowed_one_are_allowed(allow):
    assert ran_with(allow).outcome == "finished"


@pytest.mark.parametrize(
    "allow, listed",
    [(["a", "b"], "a, b"), ([], "nothing"), (["tests.workers.runn"], "tests.workers.runn")],
)
def test_a_module_outside_is_refused(allow, listed):
    ran = ran_with(allow)
    assert ran.outcome == "failed"
    assert ran.reason == f"module '{CODE}' is not allowed: allow_modules has {listed}"


def test_a_module_outside_is_not_imported():
    """It would not be found."""
    ran = ran_with(["tests"], module="no_such_module")
    assert ran.reason == "module 'no_such_module' is not allowed: allow_modules has tests"


@pytest.mark.parametrize("name", ["system", "a_foreign_partial"])
def test_a_function_that_is_only_handed_on_is_refused(name):
    ran = ran_with(["tests"], name)
    assert ran.outcome == "failed"
    assert f"'{name}' of '{CODE}' comes from module" in ran.reason
    assert ran.reason.endswith("which is not allowed: allow_modules has tests")


@pytest.mark.parametrize("name", ["an_object", "a_partial", "later_result"])
def test_callables_of_allowed_modules_are_allowed(name):
    ran = ran_with(["tests"], name)
    assert "not allowed" not in (ran.reason or "")


def test_commands_are_not_allowed_where_modules_are_listed():
    ran = ran_with(["tests"], command=["true"])
    assert ran.reason == "commands are not allowed: allow_commands is false"
    assert RunnerSettings.of({}).allow_commands
    assert RunnerSettings.of({"allow_modules": [], "allow_commands": True}).allow_commands
    assert not RunnerSettings.of({"allow_commands": False}).allow_commands


def test_the_parts_of_a_name_are_whole():
    check_module("a.b", ("a",))
    with pytest.raises(ProgrammerError):
        check_module("ab", ("a",))


def test_the_defaults_of_the_settings():
    assert RunnerSettings.of({}) == RunnerSettings()


@pytest.mark.parametrize(
    "block",
    [
        {"allow_modules": "a"},
        {"allow_commands": 1},
        {"auto_renew": "yes"},
        {"max_runtime": 0},
        {"cancel_seconds": -1},
        {"kill_seconds": "x"},
        {"command_tail_bytes": 0},
        {"profile": []},
        {"profile": {"work_specs": "s"}},
        {"profile": {"destination": "%(key)s"}},
        {"profile": {"destination": 7}},
    ],
)
def test_values_that_cannot_be_used_are_refused(block):
    with pytest.raises(ProgrammerError, match="is not usable"):
        RunnerSettings.of(block)


def test_values_are_read():
    settings = RunnerSettings.of(
        {
            "allow_modules": ["a"],
            "auto_renew": False,
            "max_runtime": 3,
            "cancel_seconds": 0,
            "kill_seconds": 0.5,
            "profile": {"work_specs": ["s"], "destination": "%(ymd)s"},
            "command_tail_bytes": 10,
        }
    )
    assert (settings.allow_modules, settings.auto_renew) == (("a",), False)
    assert (settings.max_runtime, settings.cancel_seconds, settings.kill_seconds) == (3, 0, 0.5)
    assert settings.profile.work_specs == {"s"}
    assert (settings.profile.destination, settings.command_tail_bytes) == ("%(ymd)s", 10)
