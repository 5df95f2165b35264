"""What `locks` and `unlock` show and do, and where else locks are shown; without a server."""

import json

import pytest

from coordinate_client.cli.durations import duration
from coordinate_client.exceptions import Unsupported
from tests.cli.fakes import FakeLocks, FakeTaskMaster, lock_of, run

UNIT = {"work_spec_name": "alpha", "work_unit_key": "u1"}
WAITERS = [
    {"locker_id": "l2", "mode": "shared", "waiting": 75.0},
    {"locker_id": None, "mode": "exclusive", "waiting": 0.5, **UNIT},
]


@pytest.fixture
def locks():
    """Two lockers and a unit, one waited for."""
    return FakeLocks(
        lock_of(("a",), waiters=WAITERS, waiters_count=4),
        lock_of(("a", 3, "x\x1b[2Jy"), "l1\x1b", mode="shared", count=2, age=7325.0, token=20),
        lock_of(("b",), "w1", **UNIT, expires=None, token=21),
    )


@pytest.mark.parametrize(
    "seconds, text",
    [
        (-1.0, "0.0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "59 min 59 s"),
        (7325, "2 h 2 min"),
        (86400 * 3 + 7200, "3 d 2 h"),
    ],
)
def test_lengths_of_time_are_told_in_two_units(seconds, text):
    """What is smaller tells nothing."""
    assert duration(seconds) == text


def test_locks_are_one_a_line(locks):
    """Where, how, whose, and for how long; a unit with its worker."""
    assert run("locks", locks=locks).stdout.splitlines() == [
        "/a  exclusive  l1  token 19  age 2.5 s  expires in 28 s  4 waiting",
        (
            r'/a/3/"x\u001b[2Jy"  shared, 2 times  l1\x1b  token 20  age 2 h 2 min  expires in 28 s'
            "  0 waiting"
        ),
        (
            "/b  exclusive  'u1' of 'alpha', worker w1  token 21  age 2.5 s  ends with the attempt"
            "  0 waiting"
        ),
    ]
    assert locks.asked == [()]


def test_those_who_wait_have_lines_of_their_own(locks):
    """Who, how, for how long; and how many more there are."""
    lines = run("locks", "/a", "--waiting", locks=locks).stdout.splitlines()
    assert lines[1:4] == [
        "  waits:  shared  l2  1 min 15 s",
        "  waits:  exclusive  'u1' of 'alpha'  0.5 s",
        "  waits:  2 more",
    ]
    assert len(lines) == 5
    assert locks.asked == [("a",)]


def test_locks_on_a_terminal_are_a_table(locks):
    """And none of them is said, not drawn."""
    shown = run("locks", "--waiting", locks=locks, terminal=True).stdout
    assert "─" in shown
    assert "waits" in shown
    assert "\x1b[2J" not in shown
    assert run("locks", terminal=True).stdout == "no locks\n"


def test_locks_as_json_are_what_the_server_says(locks):
    """Paths are arrays."""
    told = json.loads(run("locks", '["a", 3]', "--json", locks=locks).stdout)
    assert [(lock["path"], lock["token"]) for lock in told] == [(["a", 3, "x\x1b[2Jy"], 20)]
    assert json.loads(run("locks", "--json").stdout) == []
    assert locks.closed


def test_locks_of_an_old_server_are_an_error(monkeypatch, locks):
    """In one line."""

    def list_locks(_path):
        raise Unsupported("list_locks", "a 0.1.5 server does not have it")

    monkeypatch.setattr(locks, "list_locks", list_locks)
    result = run("locks", locks=locks)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "coordinate: list_locks: a 0.1.5 server does not have it\n"


# ---- unlock ----


def test_unlock_asks_and_tells(locks):
    """What it would take, and from whom; only what was shown is taken."""
    result = run("unlock", "--force", "/a", locks=locks, input="y\n")
    assert result.exit_code == 0
    assert result.stderr.startswith("/a of l1 (exclusive, token 19)\nTake this lock away? [y/N]: ")
    assert result.stdout == "unlocked /a of l1 (exclusive, token 19)\n"
    assert locks.forced == [(("a",), 19)]


def test_unlock_takes_nothing_unless_told_to(locks):
    """Anything but yes is no; and without --force it is a mistake."""
    result = run("unlock", "--force", "/a", locks=locks, input="n\n")
    assert (result.exit_code, result.stdout) == (0, "not unlocking anything\n")
    result = run("unlock", "/a", locks=locks)
    assert (result.exit_code, result.stdout) == (64, "")
    assert "say --force" in result.stderr
    assert locks.forced == []


def test_unlock_takes_all_that_share_a_path(locks):
    """Each by its token, with -y without a question."""
    locks.there.insert(1, lock_of(("a",), "l3", token=30, mode="shared"))
    result = run("unlock", "--force", "-y", "--json", "/a", "/a", locks=locks)
    told = json.loads(result.stdout)["unlocked"]
    assert [(lock["path"], lock["locker_id"], lock["token"]) for lock in told] == [
        (["a"], "l1", 19),
        (["a"], "l3", 30),
    ]
    assert result.stderr == ""


def test_unlock_says_what_it_could_not_do(locks, monkeypatch):
    """A path that is free, a unit's lock, one that is gone meanwhile; the others are done."""
    result = run("unlock", "--force", "-y", "/a", "/b", "/c", locks=locks)
    assert result.exit_code == 1
    assert result.stdout == "unlocked /a of l1 (exclusive, token 19)\n"
    assert result.stderr == (
        "coordinate: /b of 'u1' of 'alpha', worker w1 (exclusive, token 21) ends with the attempt,"
        " and in no other way; /c is not locked\n"
    )
    monkeypatch.setattr(locks, "force_unlock", lambda _path, _token: 0)
    result = run("unlock", "--force", "-y", '/a/3/"x\\u001b[2Jy"', locks=locks)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "was gone already" in result.stderr


# ---- where else locks are shown ----


def test_work_unit_shows_the_locks_that_it_needs():
    """A line each."""
    master = FakeTaskMaster()
    master.statuses["u1"]["locks"] = [
        {"path": ["index", 3], "mode": "exclusive"},
        {"path": ["log", 1.5], "mode": "shared"},
    ]
    shown = run("work_unit", "-W", "alpha", "u1", master=master).stdout
    assert '  Lock: /index/3 (exclusive)\n  Lock: ["log", 1.5] (shared)\n' in shown


def test_a_unit_that_waits_for_a_lock_is_explained_in_a_line():
    """The text says where the lock is: its path is not listed part by part."""
    master = FakeTaskMaster()
    text = "it needs locks: /index/3 is locked by 'l1'"
    reason = {"code": "lock", "text": text, "path": ["index", 3], "locker_id": "l1"}
    master.explained = {"status": 1, "text": "waits", "reasons": [reason]}
    shown = run("explain", "alpha", "u1", master=master).stdout
    assert shown == f"waits\n  - {text}\n"
