"""The contract of the server in memory and the real one: specs, units, chains, needs, workers."""

import pytest

from coordinate_client.exceptions import NoSuchWorkSpecError
from coordinate_protocol.constants import (
    AVAILABLE,
    BLOCKED,
    DELAYED,
    FAILED,
    FINISHED,
    PAUSED,
    PENDING,
    RUNNABLE,
)


def define(master, name="s", **fields):
    master.set_work_spec({"name": name, "min_gb": 1, "module": "m", "run_function": "f", **fields})
    return name


def statuses(master, *wanted, spec="s"):
    found = master.get_work_unit_status(spec, list(wanted))
    return [None if one is None else one["status"] for one in found]


# ---- specs ----


def test_a_spec_is_given_as_it_was_set(master):
    spec = {"name": "s", "min_gb": 1, "module": "m", "run_function": "f", "own": {"n": [1, None]}}
    assert master.set_work_spec(spec) is True
    assert master.get_work_spec("s") == spec
    assert master.get_work_spec("none") is None
    assert master.list_work_specs() == ([("s", spec)], None)


def test_specs_are_listed_by_name_in_pages(master):
    for name in ("c", "a", "b"):
        define(master, name)
    page, following = master.list_work_specs(limit=2)
    assert ([name for name, _ in page], following) == (["a", "b"], "c")
    page, following = master.list_work_specs(limit=2, start=following)
    assert ([name for name, _ in page], following) == (["c"], None)


def test_what_controls_a_spec_can_be_changed(master):
    define(master, max_running=3, nice=5)
    assert master.get_work_spec_meta("s") == {
        "status": RUNNABLE,
        "continuous": False,
        "interval": None,
        "max_running": 3,
        "weight": 15,
    }
    assert master.control_work_spec("s", {"status": PAUSED, "max_running": None}) is True
    assert master.control_work_spec("s", {"weight": 7}) is True
    meta = master.get_work_spec_meta("s")
    assert (meta["status"], meta["max_running"], meta["weight"]) == (PAUSED, None, 7)
    assert master.control_work_spec("s", {"continuous": True}) is False
    assert master.control_work_spec("none", {"weight": 1}) is False
    define(master)
    assert master.get_work_spec_meta("s")["status"] == RUNNABLE


def test_a_spec_goes_with_its_units(master):
    define(master)
    master.add_work_units("s", {"a": {}})
    assert master.del_work_spec("s") is True
    assert master.del_work_spec("s") is False
    assert master.get_work_spec("s") is None
    assert master.get_work("w") is None
    define(master)
    assert master.count_work_units("s") == {}


def test_clearing_leaves_nothing(master):
    define(master, "a")
    define(master, "b")
    assert master.clear() == 2
    assert master.list_work_specs() == ([], None)


def test_namespaces_share_nothing(party):
    here, there = party.client(), party.client(namespace="there")
    define(here)
    assert there.get_work_spec("s") is None
    define(there, own=1)
    assert here.get_work_spec("s") != there.get_work_spec("s")


# ---- units ----


def test_units_need_a_spec(master):
    assert master.add_work_units("none", {"a": {}}) is False
    assert master.get_work_units("none") is None
    assert master.get_work_unit_status("none", ["a"]) is None
    assert master.del_work_units("none", all=True) == 0
    with pytest.raises(NoSuchWorkSpecError):
        master.status("none")


def test_units_are_listed_by_key_and_by_status(master):
    define(master)
    master.add_work_units("s", [("b", {"n": 2}), ("a", {"n": 1}), ("c", {}, {"priority": 5})])
    assert master.get_work_units("s") == [("a", {"n": 1}), ("b", {"n": 2}), ("c", {})]
    assert master.get_work_units("s", limit=1, start="b") == [("b", {"n": 2})]
    assert master.get_work_units("s", ["b", "none"]) == [("b", {"n": 2}), ("none", None)]
    assert [key for key, _ in master.get_work_units("s", state=AVAILABLE)] == ["c", "a", "b"]
    assert master.get_work_units("s", state=[PENDING, FAILED]) == []


def test_units_are_counted_by_status(party, master):
    define(master)
    master.add_work_units("s", [("a", {}), ("b", {}), ("c", {}), ("d", {}, {"delay": 9})])
    master.get_work("w").finish()
    master.get_work("w")
    assert master.count_work_units("s") == {FINISHED: 1, PENDING: 1, AVAILABLE: 1, DELAYED: 1}
    assert master.status("s")["num_tasks"] == 4
    party.advance(9)
    assert master.count_work_units("s") == {FINISHED: 1, PENDING: 1, AVAILABLE: 2}


def test_any_cbor_map_is_kept_as_data(master):
    define(master)
    data = {"list": [1, 2.5, None, True], "bytes": b"\xff", "deep": {"a": {"b": "c"}}, "big": 2**70}
    master.add_work_units("s", {"a": data, b"\xff\x00": {}})
    assert master.get_work("w").data == data
    assert master.get_work("w").key == b"\xff\x00"


def test_a_unit_that_is_added_again_begins_anew(master):
    define(master)
    master.add_work_units("s", [("a", {"n": 1}, {"priority": 3})])
    master.get_work("w").fail("bad")
    assert master.add_work_units("s", {"a": {"n": 2}, "b": {}}) is True
    assert statuses(master, "a") == [AVAILABLE]
    assert "failures" not in master.get_work_unit_status("s", "a")
    unit = master.get_work("w")
    assert (unit.key, unit.data) == ("a", {"n": 2})
    assert [one["outcome"] for one in master.get_work_unit_attempts("s", "a")] == [
        "failed",
        "pending",
    ]


def test_units_are_deleted_by_key_by_status_and_all(master):
    define(master)
    master.add_work_units("s", {key: {} for key in "abcdef"})
    master.get_work("w").finish()
    assert master.del_work_units("s") == 0
    assert master.del_work_units("s", ["b", "b", "none"]) == 1
    assert master.del_work_units("s", ["a", "c"], state=FINISHED) == 1
    assert master.del_work_units("s", state=[FINISHED, FAILED]) == 0
    assert statuses(master, "a", "b", "c") == [None, None, AVAILABLE]
    assert master.del_work_units("s", all=True) == 4
    assert master.count_work_units("s") == {}


def test_a_delayed_unit_runs_when_its_time_has_come(party, master):
    define(master)
    master.add_work_units("s", [("a", {}, {"delay": 30})])
    assert statuses(master, "a") == [DELAYED]
    assert master.get_work("w") is None
    party.advance(30)
    assert master.get_work("w").key == "a"


# ---- chains ----


@pytest.mark.parametrize(
    "output, made",
    [
        ({"x": {"n": 1}}, [("x", {"n": 1})]),
        (["x", b"y"], [("x", {}), ("y", {})]),
        ([["x"], ["y", {"n": 1}]], [("x", {}), ("y", {"n": 1})]),
        ([["x", {}, {"priority": 1}], ["y", {}, None, 5]], [("y", {}), ("x", {})]),
        ([], []),
        ({}, []),
    ],
)
def test_the_output_of_a_unit_makes_units_of_the_next_spec(master, output, made):
    define(master, "s", then="t")
    define(master, "t")
    master.add_work_units("s", {"a": {}})
    unit = master.get_work("w")
    unit.data["output"] = output
    unit.finish()
    found = master.get_work("w", max_jobs=5)
    assert [(unit.key, unit.data) for unit in found] == made
    assert {unit.work_spec_name for unit in found} <= {"t"}


@pytest.mark.parametrize("output", ["text", 5, [7], [["x", {}, 3]], [["x", {}, {"priority": "a"}]]])
def test_output_that_makes_no_units_is_told(master, output):
    define(master, "s", then="t")
    define(master, "t")
    master.add_work_units("s", {"a": {}})
    unit = master.get_work("w")
    unit.data["output"] = output
    assert unit.finish() is True
    assert statuses(master, "a") == [FINISHED]
    assert master.get_work_unit_status("s", "a")["output_error"]
    assert master.count_work_units("t") == {}


def test_output_without_a_spec_for_it_is_told(master):
    define(master, "s", then="t")
    master.add_work_units("s", {"a": {}})
    unit = master.get_work("w")
    unit.data["output"] = ["x"]
    unit.finish()
    assert "no work spec" in master.get_work_unit_status("s", "a")["output_error"]


def test_children_inherit_the_priority(master):
    define(master, "s", then="t")
    define(master, "t")
    master.add_work_units("t", [("a", {}, {"priority": 3})])
    master.add_work_units("s", [("p", {}, {"priority": 5})])
    unit = master.get_work("w", work_spec_names=["s"])
    unit.data["output"] = ["z"]
    unit.finish()
    assert [unit.key for unit in master.get_work("w", max_jobs=5)] == ["z", "a"]


def test_a_unit_that_fails_puts_nothing_out(master):
    define(master, "s", then="t")
    define(master, "t")
    master.add_work_units("s", {"a": {"output": ["x"]}})
    master.get_work("w").fail()
    assert master.count_work_units("t") == {}


def test_the_next_spec_of_a_chain_goes_first(master):
    define(master, "s", then="t")
    define(master, "t")
    master.add_work_units("s", {"a": {}, "b": {}})
    master.add_work_units("t", {"x": {}})
    assert [master.get_work("w").key for _ in range(3)] == ["x", "a", "b"]


def test_the_next_spec_of_a_chain_can_do_without(master):
    define(master, "s", then="t", then_preempts=False, weight=100)
    define(master, "t")
    master.add_work_units("s", {"a": {}, "b": {}})
    master.add_work_units("t", {"x": {}})
    assert master.get_work("w").key == "a"


# ---- needs ----


def test_a_unit_waits_for_those_that_it_needs(master):
    define(master)
    assert master.add_work_units("s", [("b", {}), ("a", {}, {"depends_on": ["b"]})]) is True
    assert statuses(master, "a", "b") == [BLOCKED, AVAILABLE]
    status = master.get_work_unit_status("s", "a")
    assert (status["depends_on_count"], status["blocked_by"]) == (1, 1)
    assert status["depends_on"] == [
        {"work_spec_name": "s", "work_unit_key": "b", "hard": True, "status": AVAILABLE}
    ]
    unit = master.get_work("w")
    assert unit.key == "b"
    assert master.get_work("w") is None
    unit.finish()
    assert master.get_work("w").key == "a"


def test_a_unit_fails_with_what_it_needs(master):
    define(master)
    master.add_work_units(
        "s", [("a", {}), ("b", {}, {"depends_on": ["a"]}), ("c", {}, {"depends_on": ["b"]})]
    )
    master.get_work("w").fail()
    assert statuses(master, "a", "b", "c") == [FAILED, FAILED, FAILED]
    assert master.get_work_unit_status("s", "c")["reason"] == "needs 'a' of 's', which failed"
    master.add_work_units("s", {"a": {}})
    assert statuses(master, "a", "b", "c") == [AVAILABLE, BLOCKED, BLOCKED]


def test_a_soft_need_only_has_to_end(master):
    define(master)
    master.add_work_units("s", [("a", {}), ("b", {}, {"depends_on": [("s", "a", False)]})])
    master.get_work("w").fail()
    assert statuses(master, "a", "b") == [FAILED, AVAILABLE]


def test_units_of_other_specs_can_be_needed(master):
    define(master, "s")
    define(master, "t")
    assert master.add_dependent_work_units(("s", "b", {}), ("t", "a", {})) is True
    assert statuses(master, "b") == [BLOCKED]
    master.get_work("w").finish()
    assert statuses(master, "b") == [AVAILABLE]


def test_what_is_nowhere_cannot_be_needed(master):
    define(master)
    assert master.add_work_units("s", [("a", {}, {"depends_on": ["b"]})]) is False
    assert master.add_dependencies([(("s", "a", {}), ("s", "b"))]) is False
    assert master.add_dependencies([(("s", "a", {}), ("none", "b", {}))]) is False
    assert master.count_work_units("s") == {}


def test_a_cycle_is_refused_as_a_whole(master):
    define(master)
    master.add_work_units("s", [("a", {}), ("b", {}, {"depends_on": ["a"]})])
    edges: list = [(("s", "c", {}), ("s", "b")), (("s", "a"), ("s", "c"))]
    assert master.add_dependencies(edges) is False
    assert statuses(master, "a", "b", "c") == [AVAILABLE, BLOCKED, None]
    assert master.add_work_units("s", [("d", {}, {"depends_on": ["d"]})]) is False


def test_what_is_needed_is_not_deleted_alone(master):
    define(master)
    master.add_work_units("s", [("a", {}), ("b", {}, {"depends_on": ["a"]}), ("c", {})])
    assert master.del_work_units("s", ["a"]) == 0
    assert master.del_work_units("s", ["a"], cascade=True) == 2
    assert statuses(master, "a", "b", "c") == [None, None, AVAILABLE]


def test_a_spec_whose_units_are_needed_is_not_deleted_alone(master):
    define(master, "s")
    define(master, "t")
    master.add_dependent_work_units(("s", "b", {}), ("t", "a", {}))
    assert master.del_work_spec("t") is False
    assert master.del_work_spec("t", cascade=True) is True
    assert statuses(master, "b") == [None]


def test_a_unit_cannot_be_made_to_run_before_what_it_needs(master):
    define(master)
    master.add_work_units("s", [("a", {}), ("b", {}, {"depends_on": ["a"]})])
    assert master.update_work_unit("s", "b", status=PENDING) is False
    master.get_work("w").fail()
    assert master.update_work_unit("s", "b", status=AVAILABLE) is False
    assert statuses(master, "b") == [FAILED]


# ---- workers ----


def test_workers_are_known_while_they_are_heard_of(party, master):
    master.worker_register("w", lifetime=60, environment={"host": "h"})
    assert master.workers() == {"w": "RUN"}
    assert master.mode_counts() == {"RUN": 1}
    party.advance(10)
    assert master.get_heartbeat("w") == {"host": "h", "age_seconds": pytest.approx(10)}
    party.advance(51)
    assert master.workers() == {}
    assert master.worker_unregister("w") is False
    master.worker_heartbeat("w", "IDLE", 60)
    assert master.workers() == {"w": "IDLE"}
    assert master.worker_unregister("w") is True
