"""What is set up around units' code: profiles, configurations, the unit that log lines name."""

import pstats

import pytest

from coordinate_client import WorkUnit
from coordinate_client.workers.current import CURRENT
from coordinate_client.workers.running import Runner, RunnerSettings, configs
from coordinate_client.workers.running.configs import CodeConfig
from coordinate_client.workers.running.profiles import destination
from tests.workers.running import code
from tests.workers.running.desk import Desk


def named(key, spec="s"):
    """A unit with a name."""
    return WorkUnit(None, spec, key, {})  # type: ignore[arg-type] # nothing is asked of it


def test_units_of_a_profiled_spec_are_profiled(tmp_path):
    profile = {"work_specs": ["s"], "destination": f"{tmp_path}/deep/%(work_unit_key)s.prof"}
    runner = Runner(RunnerSettings.of({"profile": profile}))
    assert runner.run(Desk().unit("double", data={"n": 1})).outcome == "finished"
    functions = pstats.Stats(str(tmp_path / "deep" / "k.prof")).stats  # type: ignore[attr-defined] # it has
    assert any(name == "double" for _, _, name in functions)


def test_other_units_are_not(tmp_path):
    profile = {"work_specs": ["other"], "destination": f"{tmp_path}/%(work_unit_key)s"}
    Runner(RunnerSettings.of({"profile": profile})).run(Desk().unit())
    assert not list(tmp_path.iterdir())


def test_a_unit_that_fails_is_profiled_too(tmp_path):
    profile = {"work_specs": ["s"], "destination": f"{tmp_path}/%(work_unit_key)s"}
    runner = Runner(RunnerSettings.of({"profile": profile}))
    assert runner.run(Desk().unit("fails")).reason == "ValueError: bad value"
    assert (tmp_path / "k").exists()


def test_a_profile_that_cannot_be_written_does_not_fail_the_unit(tmp_path, caplog):
    (tmp_path / "file").touch()
    profile = {"work_specs": ["s"], "destination": f"{tmp_path}/file/%(work_unit_key)s"}
    runner = Runner(RunnerSettings.of({"profile": profile}))
    assert runner.run(Desk().unit()).outcome == "finished"
    assert "cannot be written" in caplog.text


@pytest.mark.parametrize(
    "key, expected",
    [
        ("plain-1.2_3", "plain-1.2_3"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..", "_"),
        (b"\xff\x00", "_xff_"),
        ("x" * 500, "x" * 100),
    ],
)
def test_keys_are_made_fit_for_names_of_files(key, expected):
    assert str(destination("%(work_unit_key)s", named(key))) == expected


def test_a_destination_says_when():
    found = destination("%(work_spec_name)s-%(ymd)s-%(hms)s", named("k", "a.b"), now=0)
    name, day, hour = str(found).rsplit("-", 2)
    assert (name, len(day), len(hour)) == ("a.b", 8, 6)


@pytest.fixture
def yakonfig(monkeypatch):
    """The configuration library, with nothing set up."""
    found = pytest.importorskip("yakonfig")
    monkeypatch.setattr(configs, "_SHARED", CodeConfig())
    found.clear_global_config()
    yield found
    found.clear_global_config()


def test_code_finds_the_configuration_of_its_spec(yakonfig, monkeypatch):
    seen = []
    monkeypatch.setattr(
        code, "HOOKS", {"meanwhile": lambda unit: seen.append(yakonfig.get_global_config("mine"))}
    )
    runner = Runner(RunnerSettings())
    for number in (1, 2, 2):
        unit = Desk().unit("told_meanwhile", config={"mine": {"number": number}})
        assert runner.run(unit).outcome == "finished"
    assert seen == [{"number": 1}, {"number": 2}, {"number": 2}]


def test_the_configuration_of_the_worker_comes_back(yakonfig):
    yakonfig.set_global_config({"own": {"a": 1}})
    runner = Runner(RunnerSettings())
    runner.run(Desk().unit(config={"mine": {}}))
    assert "own" not in yakonfig.get_global_config()
    runner.run(Desk().unit())
    assert yakonfig.get_global_config("own") == {"a": 1}


def test_no_configuration_comes_back_where_there_was_none(yakonfig):
    runner = Runner(RunnerSettings())
    runner.run(Desk().unit(config={"mine": {}}))
    runner.run(Desk().unit())
    with pytest.raises(KeyError):
        yakonfig.get_global_config()


def test_without_yakonfig_code_runs_all_the_same(monkeypatch, caplog):
    monkeypatch.setattr(configs, "find_spec", lambda name: None)
    found = CodeConfig()
    found.use({"mine": {}})
    found.use({"mine": {}})
    assert caplog.text.count("yakonfig is not installed") == 1


def test_log_lines_name_the_unit_that_runs(monkeypatch):
    seen = []
    monkeypatch.setattr(code, "HOOKS", {"meanwhile": lambda unit: seen.append(CURRENT.get())})
    unit = Desk().unit("told_meanwhile")
    Runner(RunnerSettings()).run(unit)
    assert seen == [unit]
    assert CURRENT.get() is None
