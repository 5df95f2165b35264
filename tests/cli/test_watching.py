"""`--watch`: what is shown anew, when, and how it ends."""

import json

import pytest

from coordinate_client.exceptions import ConnectionFailed, RpcError, Unsupported
from tests.cli.fakes import COUNTS, FakeLocks, FakeTaskMaster, lock_of, run

AWAY = ConnectionFailed("watch", ["here:1"], "refused")


def nothing():
    """What happens to those that wait in vain."""


def interrupted(*arguments, **options):
    """Run a command that watches until Ctrl-C: quietly, with the code that shells have for that."""
    result = run(*arguments, "--watch", **options)
    assert result.exit_code == 130
    return result


def test_summary_is_printed_anew_when_something_changed():
    """A document for each change, a line each; and none where all is as it was."""
    master = FakeTaskMaster()
    master.script = [lambda: master.specs.pop("beta"), nothing]
    result = interrupted("summary", "--json", master=master)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [sorted(line) for line in lines] == [["_NOW", "alpha", "beta"], ["_NOW", "alpha"]]
    assert result.stderr == ""


def test_plain_documents_have_an_empty_line_between_them():
    """So that a reader can tell where one ends."""
    master = FakeTaskMaster()
    master.script = [lambda: master.units.pop("u2")]
    result = interrupted("work_units", "-W", "alpha", master=master)
    assert result.stdout == "u1\nu2\nu3\n\nu1\nu3\n"


def test_what_is_shown_is_what_is_watched():
    """From the position before the look on, and one change is enough to look again."""
    master = FakeTaskMaster()
    pauses: list = []
    master.script = [lambda: master.specs.pop("beta")]
    interrupted("summary", master=master, sleep=pauses.append)
    names = [{"work_spec_name": "alpha"}, {"work_spec_name": "beta"}]
    first, second = master.watched
    assert first == ([{"specs": True}, *names], 7, float("inf"), 1)
    assert second == ([{"specs": True}, names[0]], 8, float("inf"), 1)
    assert pauses == [0.5, 0.5]


def test_more_specs_than_can_be_watched_are_looked_at_all_the_same():
    """A server watches 100 things at once; the others are looked at every two seconds."""
    master = FakeTaskMaster()
    master.specs = {f"{n:03}": {"name": f"{n:03}"} for n in range(120)}
    interrupted("summary", master=master)
    ((topics, _after, wait, _limit),) = master.watched
    assert (len(topics), wait) == (100, 2.0)


def test_a_look_that_takes_long_is_followed_by_a_long_pause():
    """The server has others to serve."""
    master = FakeTaskMaster()
    pauses: list = []
    times = iter([0.0, 3.0])
    interrupted("summary", master=master, sleep=pauses.append, timer=lambda: next(times))
    assert pauses == [12.0]


def test_work_unit_is_shown_when_it_changes():
    """Also one that is not there, until it is."""
    master = FakeTaskMaster()
    told = master.statuses.pop("u1")
    master.script = [nothing, lambda: master.statuses.update(u1=told)]
    result = interrupted("work_unit", "-W", "alpha", "u1", master=master)
    first, second = result.stdout.split("\n\n")
    assert first == "u1: no such work unit"
    assert second.startswith("u1 (3)\n  Status: pending\n")
    assert [topics for topics, *_ in master.watched] == [[{"work_spec_name": "alpha"}]] * 3


def test_locks_are_shown_when_they_change():
    """That time goes on, and that they are renewed, is no change; that somebody waits is one."""
    locks = FakeLocks(lock_of(("a",)))
    waiter = {"locker_id": "l2", "mode": "shared", "waiting": 0.1}
    locks.script = [
        lambda: locks.there[0].update(age=9.0, expires=2000.0),
        lambda: locks.there[0].update(waiters=[waiter], waiters_count=1),
        locks.there.clear,
    ]
    result = interrupted("locks", "/a", "--json", locks=locks)
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert [[one["waiters_count"] for one in document] for document in shown] == [[0], [1], []]
    assert locks.watched[0] == ([{"path": ("a",)}], 7, 2.0, 1)


def test_a_terminal_is_drawn_over():
    """With a foot that says how to leave."""
    master = FakeTaskMaster()
    master.script = [lambda: master.specs.pop("beta")]
    shown = interrupted("summary", master=master, terminal=True).stdout
    assert "─" in shown
    assert "shown anew when something changes; Ctrl-C to leave" in shown
    assert "\x1b[1A\x1b[2K" in shown


def test_what_is_too_tall_for_a_terminal_is_cut(monkeypatch):
    """It could not be drawn over; how much is missing is said."""
    monkeypatch.setenv("LINES", "10")
    monkeypatch.setenv("COLUMNS", "60")
    master = FakeTaskMaster()
    master.units = {f"{n:05}": {} for n in range(500)}
    shown = interrupted("work_units", "-W", "alpha", master=master, terminal=True).stdout
    assert "00003" in shown
    assert "00004" not in shown
    assert "lines more" in shown


def test_a_unit_cannot_drive_the_terminal():
    """Where lines are drawn as they are in a pipe, control characters are escaped."""
    master = FakeTaskMaster()
    master.statuses["u2"]["traceback"] = "Bo\x1b[2Jom\n  File"
    shown = interrupted("work_unit", "-W", "alpha", "u2", master=master, terminal=True).stdout
    assert r"Bo\x1b[2Jom" in shown
    assert "  File" in shown


def test_text_is_text_on_a_terminal_too():
    """Documents below each other, where that is asked for."""
    shown = interrupted("summary", "--text", terminal=True).stdout
    assert "─" not in shown
    assert "alpha" in shown


def test_an_old_server_is_asked_again_and_again():
    """Every two seconds; that is said once, and nothing is printed where nothing has changed."""
    master = FakeTaskMaster()
    pauses: list = []
    master.unsupported = Unsupported("watch", "a 0.1.5 server does not have it")

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    result = interrupted("summary", "--json", master=master, sleep=sleep)
    assert pauses == [2.0, 2.0, 2.0]
    assert json.loads(result.stdout) == {"alpha": COUNTS, "beta": COUNTS, "_NOW": 1000.5}
    assert result.stderr == (
        "coordinate: the server cannot tell what changes: looking every 2 seconds\n"
    )


def test_a_server_that_became_an_old_one_is_asked_again_and_again():
    """It may be another one that has come back."""
    master = FakeTaskMaster()
    master.script = [Unsupported("watch", "no")]

    def sleep(seconds):
        if seconds == 2.0:
            raise KeyboardInterrupt

    assert "every 2 seconds" in interrupted("summary", master=master, sleep=sleep).stderr


@pytest.mark.parametrize("terminal", [False, True])
def test_a_server_that_is_away_is_waited_for(terminal, monkeypatch):
    """That it is away is said once; then all goes on."""
    master = FakeTaskMaster()
    pauses: list = []
    answers = [AWAY, AWAY, None]
    master.script = [AWAY]

    def iter_work_specs():
        if answers and (error := answers.pop(0)):
            raise error
        return iter(master.specs.values())

    monkeypatch.setattr(master, "iter_work_specs", iter_work_specs)
    result = interrupted("summary", master=master, terminal=terminal, sleep=pauses.append)
    assert pauses == [2.0, 2.0, 0.5, 2.0, 0.5]
    assert "alpha" in result.stdout
    told = "coordinate: watch: no server at here:1: refused\n"
    assert result.stderr == ("" if terminal else told * 2)
    assert not terminal or "no server at here:1" in result.stdout


def test_another_error_ends_it():
    """One line, as ever."""
    master = FakeTaskMaster()
    master.script = [RpcError("watch", "not today")]
    result = run("summary", "--watch", master=master)
    assert result.exit_code == 1
    assert result.stderr == "coordinate: watch: not today\n"


def test_an_unknown_spec_ends_it():
    """As it does without --watch."""
    result = run("work_units", "-W", "gamma", "-s", "failed", "--watch", master=Specless())
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("coordinate: no such work spec 'gamma'")


class Specless(FakeTaskMaster):
    """A server without specs."""

    def get_work_units(self, *arguments, **options):
        return None
