"""`coordinate cancel` and `coordinate mode`."""

import json

import pytest

from tests.cli.fakes import FakeTaskMaster, run


def test_cancel_says_what_became_of_the_units():
    """Those that have failed by it, those that their workers are told to end, those that had."""
    master = FakeTaskMaster()
    result = run("cancel", "alpha", "u1", "u2", "u3", "--reason", "wrong input", master=master)
    assert result.stdout.splitlines() == [
        "Cancelled 1 work unit.",
        "1 work unit is to be ended by its worker.",
        "1 work unit had ended before.",
    ]
    assert result.exit_code == 0
    assert master.noted == [("cancel", "alpha", ("u1", "u2", "u3"), "wrong input", False)]


def test_cancel_as_json_has_each_unit():
    """A map of key to result."""
    result = run("cancel", "alpha", "u1", "u3", "--now", "--json")
    assert json.loads(result.stdout) == {"u1": "asked", "u3": "cancelled"}


def test_an_unknown_unit_is_an_error_when_the_others_are_done():
    """Exit code 1, and its name."""
    result = run("cancel", "alpha", "u3", "nope")
    assert result.stdout == "Cancelled 1 work unit.\n"
    assert (result.exit_code, result.stderr) == (1, "coordinate: no such work unit 'nope'\n")
    assert run("cancel", "alpha", "nope").stdout == ""


def test_all_cancels_what_is_pending():
    """The keys come from the server, by status."""
    master = FakeTaskMaster()
    assert run("cancel", "alpha", "-a", master=master).exit_code == 0
    assert master.noted[-1] == ("cancel", "alpha", ("u2", "u3"), None, False)
    master.failed = []
    assert run("cancel", "alpha", "-a", master=master).stdout == "Nothing to do.\n"


@pytest.mark.parametrize("arguments", [["alpha"], ["alpha", "u1", "-a"], []])
def test_cancel_is_told_exactly_what(arguments):
    """Units or all of them, of a spec."""
    assert run("cancel", *arguments).exit_code == 64


@pytest.mark.parametrize("more", [["u1"], ["-a"]])
def test_cancel_of_an_unknown_spec_is_an_error(more):
    """The spec is named, and where the names are."""
    result = run("cancel", "gamma", *more)
    assert result.exit_code == 1
    assert "no such work spec 'gamma'" in result.stderr


def test_mode_asks_workers_hosts_and_all():
    """Each may be named several times; the mode in any case of letters."""
    master = FakeTaskMaster()
    result = run("mode", "idle", "--worker", "w1", "--host", "a", "--host", "b", master=master)
    assert result.stdout == "Asked 3 workers to take no more work.\n"
    asked = run("mode", "TERMINATE", "--all", "--json", master=master)
    assert json.loads(asked.stdout) == {"mode": "TERMINATE", "workers": 3}
    assert master.noted == [
        ("set_modes", "IDLE", ("w1",), ("a", "b"), False),
        ("set_modes", "TERMINATE", (), (), True),
    ]


def test_mode_without_arguments_shows_what_is_asked():
    """First of all workers, then of hosts, then of single ones."""
    master = FakeTaskMaster()
    assert run("mode", master=master).stdout == "all: RUN\n"
    master.asked = {"all": "IDLE", "hosts": {"b": "RUN", "a": "TERMINATE"}, "workers": {"w": "RUN"}}
    lines = ["all: IDLE", "host a: TERMINATE", "host b: RUN", "worker w: RUN"]
    assert run("mode", master=master).stdout.splitlines() == lines
    assert json.loads(run("mode", "--json", master=master).stdout) == master.asked


@pytest.mark.parametrize("arguments", [["RUN"], ["--all"], ["SLEEP", "--all"]])
def test_mode_is_told_exactly_whom_and_what(arguments):
    """A mode without anybody, anybody without a mode, and what is none."""
    assert run("mode", *arguments).exit_code == 64
