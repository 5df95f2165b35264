"""What survives a restart, and what rows say."""

import pytest

from coordinate_server.model import Instant
from coordinate_server.model.calls import Presence
from coordinate_server.model.changes import ATTEMPT, DATA, DROP, EDGE, META, PUT, SPEC, UNIT
from coordinate_server.model.errors import DamagedRow, Refused
from tests.model.snapshot import snapshot


def test_attempts_only_grow_and_outrun_the_clock(house):
    """After a restart an attempt is larger than any before, and than the wall clock in µs."""
    house.spec("s")
    house.add("s", "a", "b")
    first = house.get()[0].attempt
    house.restart()
    assert house.get()[0].attempt > first >= house.at.wall * 1e6
    house.restart(Instant(house.at.now, house.at.wall - 1e6))
    assert house.model._core.attempt > first


def test_time_goes_on_from_the_last_commit(house):
    """A clock that begins anew does not lengthen or shorten leases beyond the grace."""
    house.spec("s")
    house.add("s", "k")
    house.get(lease_time=300)
    house.restart(Instant(0.0, house.at.wall))
    assert house.model.clock == 1000
    assert house.unit("s", "k").deadline == 1300


def test_lease_has_the_grace_period_after_a_restart(house):
    """A lease about to end gets sixty seconds; a longer one stays as it is."""
    house.spec("s")
    house.add("s", "k")
    house.get(lease_time=10)
    house.restart()
    assert house.unit("s", "k").deadline == house.at.now + 60


def test_unit_touched_often_is_one_row(house):
    """A group writes each row once, however often it changed."""
    house.spec("s")
    house.commit()
    house.add("s", "k", data={"n": 1})
    house.get("w")
    house.update("s", "k", status=4, worker_id="w")
    changes = house.commit()
    assert sorted(table for _, table, _, _ in changes) == [META, META, UNIT, DATA]
    assert house.commit() == []


def test_deleting_a_spec_drops_its_rows_and_id(house):
    """A spec of the same name later has other rows."""
    house.spec("s")
    house.add("s", "k")
    house.commit()
    house.space.delete_spec(house.at, "s")
    house.spec("s")
    changes = house.commit()
    assert [table for op, table, _, _ in changes if op == DROP] == [UNIT, DATA, ATTEMPT, EDGE]
    house.restart()
    assert house.counts("s") == {}
    assert len({key for (table, key) in house.rows.rows if table == SPEC}) == 1


def test_deleting_all_units_is_one_drop(house):
    """However many there are, and what is added next is not lost."""
    house.spec("s", max_running=5)
    house.add("s", *(str(i) for i in range(50)))
    house.get("w", most=3)
    house.commit()
    assert house.space.delete_units(house.at, "s", all=True) == 50
    house.add("s", "k")
    assert len(house.commit()) < 15
    before = snapshot(house.model)
    house.restart()
    assert snapshot(house.model) == before


def test_definition_comes_back_with_what_nobody_reads(house):
    """Unknown keys, tuples and nested maps of a definition survive."""
    house.spec("s", config={"a": {"b": (1, b"\xff")}}, extra=None, run_params=["x"])
    house.space.control_spec(house.at, "s", {"weight": 3, "max_running": 2, "status": 2})
    before = house.space.spec("s")
    house.restart()
    assert house.space.spec("s") == before
    assert before.definition["config"] == {"a": {"b": (1, b"\xff")}}


def test_namespaces_share_nothing(house):
    """Specs and workers of one are not in another, before and after a restart."""
    house.spec("s")
    house.space.heartbeat(house.at, "w", "RUN", 60, b"\xa0")
    other = house.model.namespace("other")
    assert other.spec("s") is None
    assert other.worker_modes(house.at) == {}
    assert other.clear(house.at) == 0
    house.restart()
    assert house.space.worker_modes(house.at) == {"w": "RUN"}
    assert house.model.namespace("other").spec("s") is None


def test_worker_survives_without_what_it_said(house):
    """Id, parent and mode come back; an expired worker is gone."""
    house.space.heartbeat(house.at, "parent", "RUN", 300, b"\xa1aa\x01")
    house.space.heartbeat(house.at, "child", "IDLE", 300, b"\xa0", Presence("parent"))
    house.restart()
    space = house.space
    assert space.worker_info(house.at, "child").parent == "parent"
    assert space.worker_info(house.at, "parent").data == b"\xa0"
    assert space.worker_stats(house.at) == {"num_workers": 2, "num_children": 1, "num_expirable": 2}
    house.advance(300)
    assert space.mode_counts(house.at) == {}
    house.restart()
    assert house.space.worker_modes(house.at) == {}


def test_children_show_what_they_hold(house):
    """A parent sees the units of its children, after a restart too."""
    house.spec("s")
    house.add("s", "a", "b")
    house.space.heartbeat(house.at, "child", "RUN", 300, b"\xa0", Presence("parent"))
    house.get("child")
    house.restart()
    held = house.space.child_units(house.at, "parent")
    assert [(unit.spec, unit.key) for unit in held["child"]] == [("s", b"a")]
    house.update("s", "a", status=4, worker_id="child")
    assert house.space.child_units(house.at, "parent") == {"child": []}
    assert house.space.unregister(house.at, "child") is True
    assert house.space.unregister(house.at, "child") is False


@pytest.mark.parametrize("table", [SPEC, UNIT, META])
def test_row_that_is_something_else_is_refused(house, table):
    """A load says which row does not hold what it should."""
    house.spec("s")
    house.add("s", "k")
    house.get("w")
    house.commit()
    for row in [row for row in house.rows.rows if row[0] == table]:
        house.rows.apply([(PUT, *row, b"\x82\x01\x02")])
    with pytest.raises(DamagedRow):
        house.rows.load(house.at)


@pytest.mark.parametrize(
    "fields",
    [
        {"weight": 0},
        {"min_gb": "much"},
        {"max_running": -1},
        {"then": 5},
        {"interval": float("nan")},
    ],
)
def test_bad_definition_is_refused(house, fields):
    """A field that cannot mean anything names itself, and nothing changes."""
    house.commit()
    with pytest.raises(Refused, match=next(iter(fields))):
        house.spec("s", **fields)
    assert house.commit() == []


def test_nice_makes_the_weight_where_none_is_given(house):
    """Weight is 20 less nice, at least 1."""
    for nice, weight in ((5, 15), (40, 1), (-10, 30)):
        house.spec("s", nice=nice)
        assert house.space.spec("s").weight == weight


def test_redefinition_resets_control_fields_and_keeps_units(house):
    """What control changed holds until the spec is set again."""
    house.spec("s")
    house.add("s", "k")
    house.space.control_spec(house.at, "s", {"status": 2, "weight": 5})
    house.spec("s", weight=7)
    assert house.space.spec_meta("s")["status"] == 1
    assert house.space.spec_meta("s")["weight"] == 7
    assert house.keys() == ["k"]


def test_list_of_specs_goes_by_name_in_pages(house):
    """The next page begins with the name that the last one gave."""
    for name in "cab":
        house.spec(name)
    specs, following = house.space.list_specs(None, 2)
    assert ([spec.name for spec in specs], following) == (["a", "b"], "c")
    specs, following = house.space.list_specs(following, 2)
    assert ([spec.name for spec in specs], following) == (["c"], None)
    assert house.space.clear(house.at) == 3
    assert house.get() == []
    house.spec("a")
    house.add("a", "k")
    assert house.keys() == ["k"]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_unit_holds_its_value_whatever_its_data_become(house, restarts):
    """Interim data let nobody else in, until the unit ends or the spec looks at another key."""
    house.spec("s", serial_key="host")
    house.add("s", "a", "b", data={"host": "x"})
    assert house.keys() == ["a"]
    house.update("s", "a", data={"done": 1}, worker_id="w", lease_time=100)
    if restarts:
        house.restart()
    assert house.keys() == []
    house.update("s", "a", status=4, worker_id="w")
    assert house.keys() == ["b"]


def test_a_spec_that_looks_at_another_key_forgets_what_is_held(house):
    """What units hold by the new key is what their data say."""
    house.spec("s", serial_key="host")
    house.add("s", "a", "b", data={"host": "x"})
    house.get()
    house.update("s", "a", data={"done": 1}, worker_id="w", lease_time=100)
    house.spec("s", serial_key="host", fair_key="host")
    assert house.keys() == []
    house.spec("s", serial_key="done")
    house.spec("s", serial_key="host")
    house.restart()
    assert house.keys() == ["b"]
