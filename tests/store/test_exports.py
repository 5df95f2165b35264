"""An export has everything, as people can read it, and the file that is made of it is the same."""

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinate_protocol.codec import encode
from coordinate_server.exports import export_lines, read_export
from coordinate_server.exports.values import (
    cbor_from,
    cbor_value,
    plain_value,
    text_from,
    text_value,
)
from coordinate_server.model import Model
from coordinate_server.model.calls import NewUnit, WorkRequest
from coordinate_server.model.changes import AREA, META, PUT, TABLES
from coordinate_server.model.instant import Instant
from coordinate_server.store import SqliteStore, StoreError
from coordinate_server.store.sqlite.file_header import SCHEMA
from coordinate_server.store.sqlite.inspection import Inspection
from coordinate_server.store.sqlite.newfile import NewFile
from tests.store.test_check import AT, make, rows_of, run
from tests.store.test_model import CHANGES

HEADER = {"coordinate": "export", "version": 1, "schema": SCHEMA}


def exported(path):
    """The lines of the export of a closed file."""
    with Inspection(path) as file:
        file.read_journal()
        return list(export_lines(file))


def imported(lines, path):
    """Make a file of lines."""
    with NewFile(path) as file:
        file.put_all(read_export(line.encode() for line in lines))
        file.finish()


@contextmanager
def closed(store):
    """A store that is closed at the end, not before."""
    try:
        yield store
    finally:
        store.close()


def test_lines_are_for_people(path):
    make(path, units=1)
    lines = [json.loads(line) for line in exported(path)]
    assert lines[0] == HEADER
    spec = next(line for line in lines if line.get("table") == "spec")
    assert (spec["id"], spec["namespace"]) == (1, "default")
    assert spec["definition"] == {"name": "one", "min_gb": 1}
    assert spec["controls"]["weight"] == 20
    unit = next(line for line in lines if line.get("table") == "unit")
    assert unit == {
        "table": "unit",
        "namespace": "default",
        "spec": "one",
        "key": "unit-0",
        "status": 1,
        "priority": 1,
        "attempt": 0,
        "worker_id": None,
        "deadline": None,
        "not_before": None,
        "ended": None,
        "began": None,
        "data": {"n": 0},
    }


def test_a_unit_that_was_only_added_is_its_data(path):
    make(path, units=2)
    unit = next(line for line in map(json.loads, exported(path)) if line.get("key") == "unit-1")
    assert unit == {
        "table": "unit",
        "namespace": "default",
        "spec": "one",
        "key": "unit-1",
        "data": {"n": 1},
    }


@pytest.mark.parametrize("settled", [True, False])
def test_what_is_imported_is_what_was_exported(path, tmp_path, settled):
    make(path, settled)
    lines = exported(path)
    imported(lines, tmp_path / "again.db")
    assert exported(tmp_path / "again.db") == lines
    assert rows_of(tmp_path / "again.db") == rows_of(path)


CONTENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6) | st.sampled_from(["cbor", "base64"]), inner)
        | st.dictionaries(st.integers() | st.binary(max_size=3), inner, max_size=2)
    ),
    max_leaves=8,
)
CBOR = st.binary(max_size=30) | CONTENT.map(cbor2.dumps) | CONTENT.map(encode)


@given(CBOR)
def test_cbor_comes_back_byte_by_byte(data):
    for value in (cbor_value(data), plain_value(data)):
        again = json.loads(json.dumps(value, allow_nan=False))
        assert cbor_from(again) == data


@given(st.binary(max_size=20) | st.text(max_size=10).map(str.encode))
def test_bytes_come_back_as_they_are(data):
    assert text_from(json.loads(json.dumps(text_value(data)))) == data


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True, "é"]}, [], "text", 12, {"base": "x"}])
def test_plain_data_are_plain(value):
    assert plain_value(cbor2.dumps(value)) == value


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"\x18\x01",  # 1, longer than it need be
        b"\xf9\x3c\x00",  # 1.0, shorter than it is written here
        cbor2.dumps({"cbor": "eA=="}),
        cbor2.dumps(b"bytes"),
        cbor2.dumps(float("nan")),
        b"\xa2\x61a\x01\x61a\x02",  # a key twice
        cbor2.dumps({1: 2}),
    ],
)
def test_other_data_are_bytes(data):
    assert plain_value(data).keys() == {"cbor"}
    assert cbor_from(plain_value(data)) == data


@settings(deadline=None, max_examples=100)
@given(st.lists(CHANGES, max_size=8), st.lists(CBOR, max_size=3))
def test_rows_that_mean_nothing_come_back_too(groups, values):
    """An export is not there to judge: whatever rows are in the file, they are in it."""
    with tempfile.TemporaryDirectory() as folder:
        path, again = Path(folder, "a.db"), Path(folder, "b.db")
        with closed(SqliteStore(path, backlog_rows=3)) as store:
            for changes in groups:
                store.commit(changes)
            for number, value in enumerate(values):
                key = b"spec-id8%d" % number
                store.commit([(PUT, t, key, value) for t in TABLES if t != AREA])
        lines = exported(path)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("coordinate_server.exports.reading.row_fault", lambda *row: None)
            imported(lines, again)
        assert exported(again) == lines
        assert rows_of(again) == rows_of(path)


NAMES = st.sampled_from(["one", "two"])
KEYS = st.sampled_from([b"a", b"b", "ü".encode(), b"\xff\x00"])
WORK = st.lists(
    st.one_of(
        st.tuples(st.just("add"), NAMES, KEYS, CONTENT),
        st.tuples(st.just("get"), NAMES, KEYS, st.none()),
        st.tuples(st.just("restart"), NAMES, KEYS, st.none()),
    ),
    max_size=12,
)


def work_out(model, steps):
    """Make a few calls to a model."""
    work = model.namespace("ns")
    for number, (what, name, key, data) in enumerate(steps):
        at = Instant(5.0 + number, 1_000_000.0 + number)
        work.set_spec(at, {"name": name, "retries": number})
        if what == "add":
            work.add_units(at, name, [NewUnit(key, encode(data), priority=number)])
        elif what == "get":
            work.heartbeat(at, "worker", "RUN", 60, b"")
            work.get_work(at, "worker", WorkRequest(spec_names=[name]))


@settings(deadline=None, max_examples=50)
@given(WORK)
def test_a_model_is_the_same_after_export_and_import(steps):
    model = Model()
    work_out(model, steps)
    with tempfile.TemporaryDirectory() as folder:
        path, again = Path(folder, "a.db"), Path(folder, "b.db")
        with closed(SqliteStore(path)) as store:
            store.commit(model.take_changes(AT))
        imported(exported(path), again)
        assert rows_of(again) == rows_of(path)
        loaded = Model.load(rows_of(again), AT)
        assert loaded.unit_count == model.unit_count


# What is no export


def line(**fields):
    """A line of a unit that would be right, with other fields."""
    right = {"table": "unit", "namespace": "default", "spec": "one", "key": "k", "status": 1}
    right |= {"priority": 0, "attempt": 0, "worker_id": None, "deadline": None}
    return json.dumps(right | {"not_before": None, "ended": None, "data": 1} | fields)


CONTROLS = {"status": 1, "continuous": False, "interval": None, "max_running": None, "weight": 20}
SPEC = json.dumps(
    {
        "table": "spec",
        "id": 1,
        "namespace": "default",
        "definition": {"name": "one"},
        "controls": CONTROLS,
        "archived": [],
        "maker": [None, None, 0, None],
    }
)


@pytest.mark.parametrize(
    "lines, reason",
    [
        ([], "line 1 .*no JSON"),
        (["{}"], "line 1 .*should be"),
        ([json.dumps(HEADER | {"version": 2})], "line 1 .*should be"),
        ([json.dumps(HEADER | {"schema": 99})], "line 1 .*newer coordinated"),
        ([json.dumps(HEADER), "{"], "line 2 .*no JSON"),
        ([json.dumps(HEADER), "[]"], "line 2 .*object"),
        ([json.dumps(HEADER), "{}"], "line 2 .*no 'table'"),
        ([json.dumps(HEADER), '{"table": "unity"}'], "line 2 .*should be one of"),
        ([json.dumps(HEADER), line()], "line 2 .*'one'"),
        ([json.dumps(HEADER), SPEC, SPEC], "line 3 .*twice"),
        ([json.dumps(HEADER), SPEC, line(), line()], "line 4 .*same row"),
        ([json.dumps(HEADER), SPEC, line(key=3)], "line 3 .*should be text"),
        ([json.dumps(HEADER), SPEC, line(data={"cbor": "?"})], "line 3 .*base64"),
        ([json.dumps(HEADER), SPEC, line(history=5)], "line 3 .*fields"),
        ([json.dumps(HEADER), '{"table": "worker", "key": 1, "value": 2}'], "line 2 .*worker"),
    ],
)
def test_a_bad_line_refuses_all_and_is_named(path, tmp_path, lines, reason):
    source = tmp_path / "export.jsonl"
    source.write_text("".join(f"{text}\n" for text in lines))
    result = run("import", source, data=path)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    with pytest.raises(StoreError, match=reason):
        list(read_export(text.encode() for text in lines))
    assert not path.exists()
    assert not path.with_name(f"{path.name}.part").exists()


def test_the_lines_of_this_test_are_right(path):
    imported([json.dumps(HEADER), SPEC, line()], path)
    assert Model.load(rows_of(path), AT).unit_count == 1


def test_what_does_not_hold_together_is_refused(path, tmp_path):
    """A unit without its data is two lines that are right and a file that is not."""
    source = tmp_path / "export.jsonl"
    text = json.loads(line())
    del text["data"]
    source.write_text(f"{json.dumps(HEADER)}\n{SPEC}\n{json.dumps(text)}\n")
    result = run("import", source, data=path)
    assert result.exit_code == 1
    assert "does not hold together" in result.stderr
    assert not path.exists()


# The commands


def test_export_and_import_on_a_command_line(path, tmp_path):
    make(path)
    output, again = tmp_path / "export.jsonl", tmp_path / "again.db"
    result = run("export", "--output", output, data=path)
    assert result.exit_code == 0, result.stderr
    assert output.read_text().splitlines() == exported(path)
    again.touch()
    assert run("import", output, data=again).exit_code == 0
    assert rows_of(again) == rows_of(path)


def test_export_to_standard_output(path):
    make(path)
    result = run("export", data=path)
    assert result.stdout.splitlines() == exported(path)


def test_export_of_a_damaged_file_says_so(path):
    with closed(SqliteStore(path)) as store:
        store.commit([(PUT, META, b"clock", cbor2.dumps(1))])
        store._db.execute("UPDATE journal SET record = x'00'")
    result = run("export", "--output", path.with_name("out"), data=path)
    assert result.exit_code == 1
    assert "is damaged" in result.stderr
    assert not path.with_name("out").exists()


@pytest.mark.parametrize("name", ["store.db", "store.db-wal"])
def test_import_never_replaces(path, tmp_path, name):
    make(path)
    lines = exported(path)
    source = tmp_path / "export.jsonl"
    source.write_text("".join(f"{text}\n" for text in lines))
    again = tmp_path / "other" / "store.db"
    again.parent.mkdir()
    again.with_name(name).write_bytes(b"precious")
    result = run("import", source, data=again)
    assert result.exit_code == 1
    assert "exists" in result.stderr
    assert again.with_name(name).read_bytes() == b"precious"


def test_a_snapshot_of_the_old_server_is_imported(path):
    folder = Path(__file__).parents[1] / "server" / "old_snapshots"
    (snapshot,) = (name for name in folder.iterdir() if name.suffix != ".md5")
    result = run("import", snapshot, data=path)
    assert result.exit_code == 0, result.stderr
    assert any(line.startswith('{"table":"spec"') for line in exported(path))


def test_what_is_not_there_cannot_be_imported(path):
    result = run("import", path.with_name("absent"), data=path)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "no such file" in result.stderr
    assert not path.exists()
