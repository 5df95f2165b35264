"""What `workers` shows of a fleet."""

import json

from coordinate_client.cli.fleet import fleet_lines, fleet_rows
from tests.cli.fakes import FakeTaskMaster, run

NOW = 1000.5
"""The time of day that the fakes have."""


def worker(worker_id, *units, **told):
    """A worker as `list_workers` gives it."""
    base = {"worker_id": worker_id, "mode": "RUN", "asked": "RUN", "age_seconds": 1.0, "data": {}}
    return base | {"units": list(units), "units_count": len(units)} | told


def unit(key, **told):
    """A unit that a worker has."""
    base = {"work_spec_name": "s", "work_unit_key": key, "attempt": 7, "lease_left": 60.0}
    return base | {"since": 30.0} | told


def running(worker_id, key, **told):
    """A unit as a heartbeat says that it runs."""
    said = {"worker_id": worker_id, "work_spec_name": "s", "work_unit_key": key, "attempt": 7}
    return said | {"since": NOW - 12} | told


def rows(*workers):
    """The table, without the columns that are empty in the row."""
    return [[cell for cell in row if cell] for row in fleet_rows(workers, NOW)]


def test_children_stand_below_their_parent_and_hosts_in_order():
    """A host is named once, its workers by name, and those that one has started after it."""
    found = list(
        fleet_rows(
            [
                worker("c2", parent="p", host="h1"),
                worker("w", host="h0"),
                worker("p", host="h1", data={"pid": 17}),
                worker("c1", parent="p", host="h1"),
            ],
            NOW,
        )
    )
    assert [row[:4] for row in found] == [
        ("h0", "w", "RUN", ""),
        ("h1", "p", "RUN", "17"),
        ("", "  c1", "RUN", ""),
        ("", "  c2", "RUN", ""),
    ]


def test_a_unit_shows_what_its_parent_says_of_it():
    """Since when it runs and how far it is come from the heartbeat, the lease from the server."""
    parent = worker("p", host="h", data={"running": [running("c", "u", progress=0.42)]})
    child = worker("c", unit("u"), parent="p", host="h")
    assert rows(parent, child)[1] == ["  c", "RUN", "u of s", "12 s", "42%", "1 min"]


def test_units_that_were_only_fetched_are_counted():
    """Of a batch, the one that runs is shown; a worker that says nothing runs all it has."""
    said = {"running": [running("w", "b")]}
    busy = worker("w", unit("a"), unit("b"), unit("c"), host="h", data=said)
    assert rows(busy) == [
        ["h", "w", "RUN", "b of s", "12 s", "1 min"],
        ["+ 2 fetched"],
    ]
    assert [row[-3] for row in rows(worker("w", unit("a"), unit("b")))] == ["a of s", "b of s"]


def test_a_unit_that_is_younger_than_the_heartbeat_runs():
    """What was said before it was handed out says nothing of it."""
    said = {"running": [running("w", "before")]}
    busy = worker("w", unit("a"), unit("b"), host="h", data=said)
    assert rows(busy) == [["h", "w", "RUN", "a of s", "30 s", "1 min"], ["+ 1 fetched"]]


def test_a_long_list_of_units_is_cut():
    """A thousand units of one worker do not fill the screen."""
    units = [unit(str(number)) for number in range(100)]
    found = rows(worker("w", *units, units_count=1000))
    assert len(found) == 6
    assert found[-1] == ["+ 995 fetched"]


def test_what_is_asked_shows_where_it_is_something_else():
    """A worker that was told to rest and still runs, and a unit that is to end."""
    told = worker("w", unit("u", cancel="cancelled: wrong"), asked="IDLE", host="h")
    (row,) = rows(told)
    assert row[2:4] == ["RUN (asked: IDLE)", "u of s (to be cancelled)"]


def test_progress_is_shown_as_it_was_said():
    """A share as a percentage, a text as it is, a map as JSON; other numbers are no share."""
    cells = []
    for progress in (1, "page 3", {"pages": 3}, 250, True):
        said = {"running": [running("w", "u", progress=progress)]}
        (row,) = fleet_rows([worker("w", unit("u"), data=said)], NOW)
        cells.append(row[6])
    assert cells == ["100%", "page 3", '{"pages": 3}', "250", "true"]


def test_heartbeats_that_say_nonsense_are_shown_without_it():
    """Nothing that a worker says of itself breaks the list of the others."""
    nonsense: list[dict] = [{"running": 3}, {"running": ["u"]}, {"running": [{}]}, {"pid": [1]}]
    for said in nonsense:
        assert list(fleet_rows([worker("w", unit("u"), data=said)], NOW))
    one, other = worker("a", parent="b"), worker("b", parent="a")
    assert list(fleet_rows([one, other, worker("c")], NOW))


def test_two_workers_that_name_each_other_are_shown():
    """Whoever says so is wrong, and is still there."""
    found = rows(worker("a", parent="b", host="h"), worker("b", parent="a", host="h"))
    assert {row[-2].strip() for row in found} >= {"a", "b"}


def test_lines_say_the_same_in_a_pipe():
    """With --tree: host, workers, units, each a step further in."""
    fleet = [worker("w", unit("u"), host="h", data={"pid": 7})]
    assert list(fleet_lines(fleet, NOW)) == [
        "h",
        "  w (RUN), pid 7",
        "      u of s, for 30 s, lease 1 min",
    ]
    master = FakeTaskMaster()
    master.fleet = fleet
    shown = run("workers", "--tree", master=master).stdout
    assert shown.splitlines() == list(fleet_lines(fleet, NOW))


def test_a_terminal_gets_the_fleet_and_a_pipe_the_modes():
    """Scripts keep the lines that they read; people see what runs."""
    master = FakeTaskMaster()
    master.fleet = [worker("w1", unit("u\x1b[2J"), host="h")]
    drawn = run("workers", master=master, terminal=True).stdout
    assert "of s" in drawn
    assert "\x1b[2J" not in drawn
    assert run("workers", master=master).stdout == "w1 (RUN)\n"


def test_json_has_what_the_server_knows_beside_the_mode():
    """The shape of 0.1.5, with more in it where the server tells more."""
    master = FakeTaskMaster()
    assert json.loads(run("workers", "--json", master=master).stdout) == {"w1": {"mode": "RUN"}}
    master.fleet = [worker("w1", unit("u"), host="h", parent="p")]
    told = json.loads(run("workers", "--json", master=master).stdout)["w1"]
    assert told["mode"] == "RUN"
    assert told["host"] == "h"
    assert told["units"][0]["work_unit_key"] == "u"


def test_packages_are_asked_for_and_waited_for():
    """Until all have said it, or until that has taken too long."""
    master = FakeTaskMaster()
    pauses: list[float] = []
    master.silent = 3
    shown = run("workers", "--packages", "--json", master=master, sleep=pauses.append)
    assert master.requested == ["w1"]
    assert len(pauses) == 2
    assert json.loads(shown.stdout)["w1"]["heartbeat"]["packages"] == {"attrs": "1"}


def test_packages_that_nobody_tells_are_not_waited_for_for_ever():
    """What there is is shown."""
    master, moments = FakeTaskMaster(), iter([0.0, 1.0, 4.9, 5.1])
    master.silent = 100
    shown = run("workers", "--packages", master=master, timer=lambda: next(moments))
    assert "packages" not in shown.stdout
    assert shown.stdout.startswith("w1 (RUN)\n")


def test_an_old_server_tells_of_modes_alone():
    """Then the table has no more, and --tree gives the lines that there are."""
    assert "w1" in run("workers", terminal=True).stdout
    assert run("workers", "--tree").stdout == "w1 (RUN)\n"
    assert run("workers", "--tree", "--details").exit_code == 64
