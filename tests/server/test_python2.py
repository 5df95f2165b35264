"""A client that sends every string as a CBOR byte string, as Python 2 programs do."""

import pytest

from tests.server.independent_client import ServerError


@pytest.fixture
def old(server, connect):
    """A client of byte strings."""
    return connect(server, native_bytes=True)


def test_specs_in_byte_strings(old):
    """Specs are set, read, listed, controlled and deleted; the answers are byte strings."""
    spec = {"name": "one", "min_gb": 1, "module": "m", "run_function": "f", "run_params": ["p"]}
    assert old.call("set_work_spec", spec) == (True, None)
    shown = {
        b"name": b"one",
        b"min_gb": 1,
        b"module": b"m",
        b"run_function": b"f",
        b"run_params": [b"p"],
    }
    assert old.call("get_work_spec", "one") == shown
    assert old.call("list_work_specs", {"limit": 5, "start": "o"}) == ([shown], None)
    assert old.call("control_work_spec", "one", {"status": 2, "weight": 3}) == (True, None)
    meta, message = old.call("get_work_spec_meta", "one")
    assert (meta[b"status"], meta[b"weight"], message) == (2, 3, None)
    assert old.call("get_work_spec_meta", "two") == (None, b"no such work spec two")
    assert old.call("archive", {"work_spec_names": ["one"]}) is None
    assert old.call("del_work_spec", "one") == (True, None)
    assert old.call("clear") == 0


def test_units_in_byte_strings(old):
    """Units go through their whole life; other values come back as they were sent."""
    old.call("set_work_spec", {"name": "s", "min_gb": 1})
    units = [("a", {"v": "x"}), ("b", {}, {"priority": 2}), (b"\xff", {}, {}, -1)]
    assert old.call("add_work_units", "s", units) == (True, None)
    assert old.call("count_work_units", "s") == ({1: 3}, None)
    assert old.call("get_work_units", "s", {"work_unit_keys": ["a"]}) == (
        [(b"a", {b"v": b"x"})],
        None,
    )
    listed, _ = old.call("get_work_units", "s", {"state": [1]})
    assert [key for key, _ in listed] == [b"b", b"a", b"\xff"]
    assert old.call("prioritize_work_units", "s", {"work_unit_keys": ["a"], "priority": 5}) == (
        True,
        None,
    )
    assert old.call("get_work", "w", {"work_spec_names": ["s"]}) == (
        (b"s", b"a", {b"v": b"x"}),
        None,
    )
    change = {"status": 5, "data": {"traceback": "T"}, "worker_id": "w"}
    assert old.call("update_work_unit", "s", "a", change) == (True, None)
    (status,), _ = old.call("get_work_unit_status", "s", ["a"])
    assert (status[b"status"], status[b"worker_id"], status[b"traceback"]) == (5, b"w", b"T")
    assert old.call("del_work_units", "s", {"all": True}) == (3, None)


def test_workers_in_byte_strings(old):
    """Workers register, are listed with what they hold, and leave."""
    assert old.call("worker_heartbeat", "p", "RUN", 60, {"host": "h"}, None) == (True, None)
    assert old.call("worker_heartbeat", "c", "IDLE", 60, {}, "p") == (True, None)
    assert old.call("list_worker_modes") == ({b"p": b"RUN", b"c": b"IDLE"}, None)
    assert old.call("mode_counts") == ({b"RUN": 1, b"IDLE": 1}, None)
    info, _ = old.call("get_worker_info", "p")
    assert info[b"host"] == b"h"
    assert info[b"age_seconds"] >= 0
    old.call("set_work_spec", {"name": "s", "min_gb": 1})
    old.call("add_work_units", "s", [("k", {"d": "v"})])
    old.call("get_work", "c", {})
    children, _ = old.call("get_child_work_units", "p")
    (held,) = children[b"c"]
    assert (held[b"work_unit_key"], held[b"work_unit_data"]) == (b"k", {b"d": b"v"})
    assert old.call("worker_stats")[b"num_workers"] == 2
    assert old.call("worker_unregister", "c") == (True, None)
    assert old.call("worker_unregister", "c")[0] is False


def test_the_rest_in_byte_strings(old):
    """The server's own calls and errors are in byte strings too."""
    config, message = old.call("get_config")
    assert (config[b"coordinate"][b"server"][b"host"], message) == (b"localhost", None)
    assert old.call("hello", {"protocol": [1], "client": "old"})[b"protocol"] == 1
    with pytest.raises(ServerError, match="No such method"):
        old.call("nothing")


def test_text_and_bytes_name_the_same(server, connect):
    """A name, a key and an option mean the same in text and in UTF-8 bytes."""
    old, new = connect(server, native_bytes=True), connect(server)
    old.call("set_work_spec", {"name": "caf\u00e9", "min_gb": 1})
    new.call("add_work_units", "caf\u00e9", [("k\u00e9", {"a": b"1"})])
    assert old.call("get_work", "w", {})[0] == (
        "caf\u00e9".encode(),
        "k\u00e9".encode(),
        {b"a": b"1"},
    )
    assert new.call("get_work_units", "caf\u00e9", {"state": 3}) == (
        [("k\u00e9", {"a": b"1"})],
        None,
    )
