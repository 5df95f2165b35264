"""A 0.1.5 server: each call of the recording, made by TaskMaster, gets the recorded answer."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from coordinate_client import RpcError, TaskMaster, Unsupported, WorkUnit
from coordinate_protocol.codec import decode
from coordinate_protocol.values import text_keys
from tests.client.scripted import RecordedServer

RECORDING = json.loads(Path(__file__).parents[1].joinpath("wire/transcript-0.1.5.json").read_text())
ERROR = {
    b"error": {b"message": b"AttributeError(\"'X' object has no attribute 'no_such_method'\",)"}
}


def content(number, which):
    """A message of the recording, by its id, out of its wrapper; keys are byte strings."""
    exchange = next(one for one in RECORDING["exchanges"] if one["request"]["b'id'"] == number)
    if exchange[f"{which}_hex"] is None:
        return ERROR
    value = decode(bytes.fromhex(exchange[f"{which}_hex"]), integer_keys=True)
    value = decode(value, integer_keys=True) if isinstance(value, bytes) else value
    return {key if isinstance(key, bytes) else key.encode(): found for key, found in value.items()}


def plain(value):
    """A value whose strings are all text, to compare what two ages of Python sent."""
    if isinstance(value, dict):
        return {plain(key): plain(found) for key, found in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value


C_DATA = {"bytes": b"\x00\xff", "u": "☃", "id": UUID(int=5)}
D_DATA = {"big": 2**70, "none": None, "f": 1.5, "yes": True, "neg": -7}
UNITS = [("a", {"n": 1}), ("b", {"t": (1, b"two", "drei")}), ("c", C_DATA), ("d", D_DATA)]
FIRST = {
    "name": "first",
    "then": "second",
    "module": "os.path",
    "run_function": "join",
    "run_params": [b"a"],
    "min_gb": 0.5,
    "desc": "café",
}
CALLS = [
    (1, lambda t: t.list_work_specs(), ([], None)),
    (2, lambda t: t.set_work_spec(FIRST), True),
    (4, lambda t: t.get_work_spec("first"), FIRST),
    (5, lambda t: t.get_work_spec("nope"), None),
    (6, lambda t: t.add_work_units("first", {"a": {"n": 1}}), True),
    (
        7,
        lambda t: t.add_work_units("first", [UNITS[1], (*UNITS[2], {"priority": 2}), UNITS[3]]),
        True,
    ),
    (8, lambda t: t.add_work_units("nope", [("x", {})]), False),
    (9, lambda t: t.count_work_units("first"), {1: 4}),
    (11, lambda t: t.get_work_units("first"), UNITS),
    (12, lambda t: t.get_work_units("first", ["a", "missing"]), [UNITS[0], ("missing", None)]),
    (13, lambda t: t.get_work_units("first", state=1, limit=2), [UNITS[2], UNITS[0]]),
    (14, lambda t: t.get_work_units("first", start="b"), UNITS[1:]),
    (
        15,
        lambda t: t.get_work_unit_status("first", ["a", "missing"]),
        [{"status": 1, "expiration": None}, None],
    ),
    (17, lambda t: t.update_work_unit("first", "c", lease_time=120), True),
    (20, lambda t: t.update_work_unit("first", "c", status=4), True),
    (25, lambda t: t.update_work_unit("second", "z1", 0, 1), True),
    (26, lambda t: t.update_work_unit("second", "z3"), False),
    (27, lambda t: t.update_work_unit("second", "nope", status=4), False),
    (28, lambda t: t.prioritize_work_units("first", ["b"]), True),
    (29, lambda t: t.prioritize_work_units("first", ["b"], adjustment=-1), True),
    (30, lambda t: t.prioritize_work_units("nope", ["b"]), False),
    (31, lambda t: t.pause_work_spec("first"), True),
    (34, lambda t: t.pause_work_spec("first", False), True),
    (36, lambda t: t.control_work_spec("first", {"continuous": True}), False),
    (39, lambda t: t.worker_heartbeat("w1", "RUN", 60, {"host": "h1", "pid": 2}, "parent"), True),
    (40, lambda t: t.workers(), {"w1": "RUN", "parent": "RUN"}),
    (41, lambda t: t.get_heartbeat("parent"), {"host": "h1", "pid": 1, "memory": (1, 2)}),
    (42, lambda t: t.get_heartbeat("nope"), {}),
    (43, lambda t: t.mode_counts(), {"RUN": 2}),
    (46, lambda t: t.worker_stats(), {"num_expirable": 2, "num_children": 1, "num_workers": 2}),
    (47, lambda t: t.worker_unregister("w1"), True),
    (50, lambda t: t.del_work_units("first", ["b", "nope"]), 1),
    (51, lambda t: t.del_work_units("first", state=4), 1),
    (52, lambda t: t.del_work_units("first", all=True), 2),
    (53, lambda t: t.del_work_units("second"), 0),
    (56, lambda t: t.list_work_specs(1), ([("first", FIRST)], "second")),
    (59, lambda t: t.del_work_spec("first"), True),
    (60, lambda t: t.del_work_spec("nope"), False),
    (61, lambda t: t.clear(), 1),
]


@pytest.mark.parametrize("number,call,result", CALLS, ids=[str(call[0]) for call in CALLS])
def test_recorded_call_is_sent_and_understood(number, call, result):
    """The new client asks what the old one asked, and returns what the reference says."""
    server = RecordedServer([content(number, "response")])
    assert call(server.client(TaskMaster)) == result
    request = plain(content(number, "request"))
    assert plain(server.calls) == [[request["method"], request["params"]]]


def test_old_status_is_text():
    """A worker's name and a traceback come as text from a Python 2 server."""
    server = RecordedServer([content(24, "response")])
    status = server.client(TaskMaster).get_work_unit_status("second", "z1")
    assert status["worker_id"] == "w1"
    assert status["traceback"] == "None\n"


def test_old_server_hands_out_units():
    """One unit, several, none, and what children have; names and keys are text."""
    server = RecordedServer([content(number, "response") for number in (16, 22, 32, 33, 45)])
    master = server.client(TaskMaster)
    unit = master.get_work("w1", available_gb=4)
    assert isinstance(unit, WorkUnit)
    assert (unit.work_spec_name, unit.key, unit.data, unit.worker_id) == (
        "first",
        "c",
        C_DATA,
        "w1",
    )
    units = master.get_work("w1", 4, None, ["second"], 2)
    assert [(one.key, one.data) for one in units] == [("z1", {"from": b"c"}), ("z3", {})]
    assert master.get_work("w2", 4, None, ["first"]) is None
    assert master.get_work("w2", 4, None, ["first"], 3) == []
    (child,) = master.get_child_work_units("parent")["w1"]
    assert (child.key, child.data, child.expires) == ("a", {"n": 1}, 1795443748.975742)


def test_unit_of_an_old_server_is_not_fenced():
    """0.1.5 takes a worker id in an update as a reassignment, so none is sent."""
    server = RecordedServer([content(16, "response"), content(17, "response")])
    unit = server.client(TaskMaster).get_work("w1")
    assert unit.update(120)
    assert server.calls[-1] == ("update_work_unit", ["first", "c", {"lease_time": 120}])


def test_old_error_is_an_error():
    """An AttributeError that names the method means that there is none."""
    server = RecordedServer([ERROR])
    with pytest.raises(Unsupported):
        server.client(TaskMaster)._rpc("no_such_method")
    assert issubclass(Unsupported, RpcError)


LATER = [
    lambda t: t.add_work_units("s", [("k", {}, {"delay": 5})]),
    lambda t: t.add_work_units("s", [("k", {}), ("l", {}, {"depends_on": ["k"]})]),
    lambda t: t.add_dependent_work_units(("s", "k"), ("s", "l")),
    lambda t: t.add_dependencies([(("s", "k"), ("s", "l"))]),
    lambda t: t.get_work("w", runtimes=["python2"]),
    lambda t: t.update_work_unit("s", "k", status=1, delay=5),
    lambda t: t.del_work_units("s", all=True, cascade=True),
    lambda t: t.del_work_spec("s", cascade=True),
    lambda t: t.get_work_unit_attempts("s", "k"),
    lambda t: t.explain_work_unit("s", "k"),
    lambda t: t.explain_work_spec("s"),
    lambda t: t.explain_worker("w"),
]


@pytest.mark.parametrize("call", LATER)
def test_what_came_later_is_refused_for_an_old_server(call):
    """0.1.5 would ignore it without a word, or does not have it; it is not asked at all."""
    server = RecordedServer([])
    with pytest.raises(Unsupported, match=r"0\.1\.5|the server would ignore"):
        call(server.client(TaskMaster))
    assert server.calls == []


def test_delayed_units_of_an_old_server_are_refused():
    """By the unit's own methods, too; without a delay they are what they were."""
    server = RecordedServer([content(16, "response"), content(17, "response")])
    unit = server.client(TaskMaster).get_work("w1")
    for call in (unit.fail, unit.retry):
        with pytest.raises(Unsupported, match="'delay'"):
            call(delay=5)
    assert unit.retry()
    assert server.calls[-1] == ("update_work_unit", ["first", "c", {"lease_time": -1}])


def test_what_no_server_leaves_undone_is_no_option():
    """A delay of 0 and an empty list of needs are what 0.1.5 does anyway."""
    server = RecordedServer([content(6, "response")])
    units = [("a", {"n": 1}, {"delay": 0, "depends_on": []})]
    assert server.client(TaskMaster).add_work_units("first", units)


def test_paging_ends_although_an_old_server_repeats_its_pages():
    """0.1.5 compares `start` the wrong way round."""
    server = RecordedServer([content(56, "response"), content(57, "response")])
    specs = list(server.client(TaskMaster).iter_work_specs())
    assert [spec["name"] for spec in specs] == ["first"]
    assert text_keys(specs[0]) == FIRST
