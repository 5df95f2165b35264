"""What explain and attempts print."""

import json
import time

import pytest

from coordinate_client.exceptions import NoSuchWorkUnitError, Unsupported
from tests.cli.fakes import FakeTaskMaster, run

HOLDERS = [
    {"work_spec_name": "beta", "work_unit_key": "x", "worker_id": "w1", "expires": 1.8e9},
    {"work_spec_name": "beta", "work_unit_key": "y\x1b[2J", "worker_id": None, "status": 3},
]
LIMIT = {
    "code": "limit",
    "text": "all 2 places of 'db' are taken",
    "limit": "db",
    "places": 2,
    "holders": HOLDERS,
    "waiting_for": ["db"],
}
PAUSED = {"code": "paused", "text": "'alpha' is paused"}


def test_a_unit_is_explained_in_order():
    """The answer, the reasons, and below a reason who is meant."""
    master = FakeTaskMaster()
    text = "'u1' of 'alpha' waits: 'alpha' is paused"
    master.explained = {"status": 1, "text": text, "reasons": [PAUSED, LIMIT]}
    result = run("explain", "alpha", "u1", master=master)
    assert result.stdout.splitlines() == [
        text,
        "  - 'alpha' is paused",
        "  - all 2 places of 'db' are taken",
        "      holders:",
        f"        'x' of 'beta', worker w1, expires {time.ctime(1.8e9)}",
        r"        'y\x1b[2J' of 'beta', status pending",
        "      waiting for:",
        "        db",
    ]
    assert master.noted == [("explain_work_unit", "alpha", "u1")]
    assert json.loads(run("explain", "alpha", "u1", "--json", master=master).stdout)["status"] == 1


def test_a_spec_is_explained_with_its_counts():
    """What the units are doing, and what holds back those that wait."""
    master = FakeTaskMaster()
    counts = {"available": 3, "runnable": 1, "pending": 2, "blocked": 0, "delayed": 0}
    counts |= {"finished": 5, "failed": 0}
    waiting = {"waiting": {"limit": 1, "serial": 1}}
    master.explained = {"text": "1 runs next", "counts": counts | waiting, "reasons": [PAUSED]}
    assert run("explain", "alpha", master=master).stdout.splitlines() == [
        "1 runs next",
        "  3 available, 1 runnable, 2 pending, 0 blocked, 0 delayed, 5 finished, 0 failed",
        "  waiting: limit 1, serial 1",
        "  - 'alpha' is paused",
    ]
    master.explained = {"text": "empty", "counts": counts, "reasons": []}
    assert "waiting" not in run("explain", "alpha", master=master).stdout
    assert master.noted == [("explain_work_spec", "alpha")] * 2


def test_a_worker_is_explained_spec_by_spec():
    """What it has, and the specs in the order in which they would be next."""
    master = FakeTaskMaster()
    master.explained = {
        "text": "'w1' would get 'u1' of 'alpha'",
        "would_get": {"work_spec_name": "alpha", "work_unit_key": "u1"},
        "holds": [{"work_spec_name": "beta", "work_unit_key": "x", "expires": 1.8e9}],
        "specs": [
            {"work_spec_name": "gamma", "reasons": [PAUSED]},
            {"work_spec_name": "beta", "reasons": [], "place": 2},
            {"work_spec_name": "alpha", "reasons": [{"code": "runs_next", "text": "next"}]}
            | {"place": 1},
        ],
    }
    result = run("explain", "--worker", "w1", master=master)
    assert result.stdout.splitlines() == [
        "'w1' would get 'u1' of 'alpha'",
        f"  holds 'x' of 'beta', expires {time.ctime(1.8e9)}",
        "1. alpha: next",
        "2. beta",
        "-  gamma: 'alpha' is paused",
    ]
    able = ["--gb", "4", "--work-spec-name", "alpha", "-W", "beta", "--runtime", "python2"]
    told = json.loads(run("explain", "--worker", "w1", *able, "--json", master=master).stdout)
    assert told["would_get"]["work_unit_key"] == "u1"
    assert master.noted == [
        ("explain_worker", "w1", None, None, None),
        ("explain_worker", "w1", 4.0, ("alpha", "beta"), ("python2",)),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["alpha", "--worker", "w1"],
        ["alpha", "u1", "--worker", "w1"],
        ["alpha", "--gb", "0"],
        ["alpha", "--runtime", "python2"],
        ["--gb", "4"],
        ["--worker", "w1", "--gb", "-1"],
        ["alpha", "u1", "u2"],
    ],
)
def test_explain_is_about_one_thing(arguments):
    """A spec, a unit, or a worker; and only a worker has memory."""
    result = run("explain", *arguments)
    assert (result.exit_code, result.stdout) == (64, "")


def test_attempts_are_one_a_line():
    """Who, when, for how long, how it ended, and the last line of why."""
    master = FakeTaskMaster()
    began = time.mktime((2027, 1, 15, 9, 20, 0, 0, 0, -1))
    master.attempts = [
        {"attempt": 4, "worker_id": "w1", "began": began, "ended": began + 12.5}
        | {"outcome": "failed", "traceback": "Traceback\n  File x\nValueError: no\n"},
        {"attempt": 7, "worker_id": "w2", "began": began, "ended": began + 300}
        | {"outcome": "lost", "reason": "lost its lease 2 times"},
        {"attempt": 9, "worker_id": None, "began": None, "outcome": "pending"},
    ]
    assert run("attempts", "alpha", "u1", master=master).stdout.splitlines() == [
        "4  w1  2027-01-15 09:20:00  12.5  failed  ValueError: no",
        "7  w2  2027-01-15 09:20:00  300.0  lost  lost its lease 2 times",
        "9  -  -  -  pending",
    ]
    assert master.noted == [("attempts", "alpha", "u1")]
    told = json.loads(run("attempts", "alpha", "u1", "--json", master=master).stdout)
    assert [one["attempt"] for one in told] == [4, 7, 9]
    assert "ValueError: no" in run("attempts", "alpha", "u1", master=master, terminal=True).stdout


def test_no_attempts_are_told_as_such():
    """An empty table would look like a mistake."""
    assert run("attempts", "alpha", "u1").stdout == "no attempts\n"
    assert run("attempts", "alpha", "u1", terminal=True).stdout == "no attempts\n"
    assert json.loads(run("attempts", "alpha", "u1", "--json").stdout) == []


@pytest.mark.parametrize("command", ["explain", "attempts"])
def test_errors_are_one_line(command, monkeypatch):
    """A unit that is not there, and a server that is too old."""
    master = FakeTaskMaster()
    errors = [
        NoSuchWorkUnitError("no such work unit 'u9' in 'alpha'"),
        Unsupported("explain_work_unit", "a 0.1.5 server does not have it"),
    ]
    for error in errors:

        def fail(*_arguments, error=error):
            raise error

        monkeypatch.setattr(master, "explain_work_unit", fail)
        monkeypatch.setattr(master, "get_work_unit_attempts", fail)
        result = run(command, "alpha", "u9", master=master)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == f"coordinate: {error}\n"
