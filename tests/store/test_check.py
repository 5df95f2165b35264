"""Checking a data file without touching it, and saving what is left of a damaged one."""

import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import cbor2
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinate_server.checking import check
from coordinate_server.commands import COMMANDS
from coordinate_server.model import Model
from coordinate_server.model.calls import NewUnit
from coordinate_server.model.changes import DATA, DELETE, META, PUT, SPEC, TABLES, UNIT
from coordinate_server.model.instant import Instant
from coordinate_server.repairing import repair
from coordinate_server.store import NotOurFile, SqliteStore, StoreBusy, StoreError
from coordinate_server.store.sqlite.row_checks import checked
from tests.store.test_row_checks import root_of
from tests.store.test_sqlite import edit, names_in, start_committing

AT = Instant(5.0, 1_000_000.0)


def make(path, settled=True, units=5):
    """A sound file: two work specs with some units each, of which every second has a state."""
    model, store = Model(), SqliteStore(path)
    work = model.namespace("default")
    for name in ("one", "two"):
        work.set_spec(AT, {"name": name, "min_gb": 1})
        store.commit(model.take_changes(AT))
        new = [
            NewUnit(b"unit-%d" % n, cbor2.dumps({"n": n}), priority=1 - n % 2) for n in range(units)
        ]
        work.add_units(AT, name, new)
        store.commit(model.take_changes(AT))
    if settled:
        while store.settle(100):
            pass
    store.close()


def edit_row(path, table, value):
    """Give the last row of a table another value, with a check that is right."""
    with closing(sqlite3.connect(path)) as db:
        name = TABLES[table]
        (key,) = db.execute(f"SELECT max(key) FROM {name}").fetchone()
    edit(path, f"UPDATE {name} SET checked = ? WHERE key = ?", checked(table, key, value), key)


def tear(path, pattern):
    """Overwrite the first page in which a pattern is found; none is free."""
    edit(path, "VACUUM")
    content = bytearray(path.read_bytes())
    found = re.search(pattern, content)
    assert found is not None
    page = found.start() // 4096 * 4096
    content[page : page + 4096] = b"\xa5" * 4096
    path.write_bytes(content)


def bytes_of(folder):
    """What is in each file of a folder."""
    return {item.name: item.read_bytes() for item in folder.iterdir()}


def rows_of(path):
    """All rows of a closed file."""
    store = SqliteStore(path)
    try:
        return list(store.load())
    finally:
        store.close()


@pytest.mark.parametrize("settled", [True, False])
def test_a_sound_file_is_sound_and_stays_as_it_is(path, settled):
    make(path, settled)
    before = bytes_of(path.parent)
    report = check(path)
    assert report.faults == []
    assert (report.counts["spec"], report.counts["unit"], report.counts["data"]) == (2, 6, 10)
    assert bytes_of(path.parent) == before


def test_the_log_of_a_killed_server_is_read_and_left(path):
    process = start_committing(path)
    for _ in range(30):
        process.stdout.readline()
    process.kill()
    process.communicate()
    before = bytes_of(path.parent)
    assert f"{path.name}-wal" in before
    report = check(path)
    assert report.counts["unit"] >= 30
    assert bytes_of(path.parent) == before


def test_a_file_in_use_is_refused_and_so_is_the_server_meanwhile(path):
    store = SqliteStore(path)
    with pytest.raises(StoreBusy, match="in use"):
        check(path)
    store.close()


def test_a_server_elsewhere_keeps_the_check_away(path):
    process = start_committing(path)
    process.stdout.readline()
    with pytest.raises(StoreBusy, match="in use"):
        check(path)
    process.kill()
    process.communicate()


def test_what_is_not_there_is_not_made(path):
    with pytest.raises(StoreError, match="no such file"):
        check(path)
    assert names_in(path.parent) == []


def test_what_is_not_ours_is_refused(path):
    path.write_text("hello")
    with pytest.raises(NotOurFile):
        check(path)


# Faults


def test_a_row_that_does_not_decode_is_a_fault(path):
    make(path)
    edit(path, "UPDATE unit SET checked = x'ff' WHERE key = (SELECT max(key) FROM unit)")
    (fault,) = check(path).faults
    assert "unit-4" in fault


def test_each_row_that_is_not_as_written_is_a_fault(path):
    make(path)
    edit(path, "UPDATE data SET checked = key WHERE substr(key, -1) = x'33'")
    faults = check(path).faults
    assert len(faults) == 2
    assert all("unit-3' of table 'data' is not as it was written" in fault for fault in faults)


def test_a_row_with_text_in_it_is_a_fault(path):
    make(path)
    edit(path, "UPDATE data SET checked = 'text' WHERE key = (SELECT max(key) FROM data)")
    assert any("unit-4' of table 'data'" in fault for fault in check(path).faults)


def test_a_row_that_was_damaged_before_it_had_a_check_is_a_fault(path):
    """A check says that a row is as it was written, not that it makes sense."""
    make(path)
    edit_row(path, UNIT, b"\xff")
    (fault,) = check(path).faults
    assert "unit-4" in fault


def test_a_record_that_is_not_as_written_is_a_fault(path):
    make(path, settled=False)
    edit(path, "UPDATE journal SET record = x'00' WHERE seq = 3")
    (fault,) = [f for f in check(path).faults if "journal" in f]
    assert "record 3" in fault


def test_a_record_that_is_missing_is_a_fault(path):
    make(path, settled=False)
    edit(path, "DELETE FROM journal WHERE seq = 2")
    assert any("2 is missing" in fault for fault in check(path).faults)


def test_a_unit_without_data_is_a_fault(path):
    make(path)
    edit(path, "DELETE FROM data WHERE key = (SELECT max(key) FROM data)")
    (fault,) = check(path).faults
    assert "data" in fault


def test_torn_pages_are_faults(path):
    make(path, units=400)
    tear(path, b"unit-200")
    assert check(path).faults


# Repair


def saved(path):
    """Repair, and give the report and what loads."""
    dest = path.with_name("saved.db")
    before = path.read_bytes()
    report = repair(path, dest)
    assert path.read_bytes() == before
    assert check(dest).faults == []
    return report, Model.load(rows_of(dest), AT)


def test_what_is_whole_is_saved(path):
    make(path, settled=False)
    report, model = saved(path)
    assert (report.lost, report.found.faults) == ([], [])
    assert model.unit_count == 10
    assert rows_of(path.with_name("saved.db")) == rows_of(path)


def test_units_without_spec_or_data_are_lost_and_said(path):
    make(path)
    edit(path, "UPDATE spec SET checked = x'ff' WHERE key = (SELECT min(key) FROM spec)")
    edit(path, "DELETE FROM data WHERE key = (SELECT max(key) FROM data)")
    report, model = saved(path)
    assert model.unit_count == 4
    assert sum("its work spec is lost" in line for line in report.lost) == 5
    assert sum("its data are lost" in line for line in report.lost) == 1


def test_a_unit_whose_state_is_lost_is_not_taken_for_one_that_was_only_added(path):
    make(path)
    edit(path, "UPDATE unit SET checked = x'ff' WHERE key = (SELECT max(key) FROM unit)")
    edit_row(path, DATA, cbor2.dumps("other"))  # of the same unit: its check is right
    report, model = saved(path)
    assert model.unit_count == 9
    assert report.lost == ["unit b'unit-4': its state is lost"]


def test_a_state_that_makes_no_sense_is_lost_with_its_unit(path):
    make(path)
    edit_row(path, UNIT, b"\xff")
    report, model = saved(path)
    assert model.unit_count == 9
    assert report.lost == ["unit b'unit-4': its state is lost"]


def test_a_bad_row_that_a_record_has_anew_is_not_lost(path):
    make(path)
    with closing(SqliteStore(path)) as store:
        ((key, state),) = store.scan(UNIT, limit=1)
        store.commit([(PUT, UNIT, key, state)])
    edit(path, "UPDATE unit SET checked = x'ff' WHERE key = (SELECT min(key) FROM unit)")
    report, model = saved(path)
    assert len(report.found.faults) == 1
    assert (report.lost, model.unit_count) == ([], 10)


def test_of_a_file_with_bad_pages_it_is_said_which_units_may_have_had_a_state(path):
    make(path)
    edit(path, "DELETE FROM unit WHERE key = (SELECT max(key) FROM unit)")
    content = bytearray(path.read_bytes())
    at = 4096 * (root_of(path, "unit") - 1)
    content[at + 4] -= 1
    path.write_bytes(content)
    report, model = saved(path)
    assert model.unit_count == 10
    (line,) = report.lost
    assert line.startswith("6 units have no state in the file: they are saved as waiting")


def test_a_broken_journal_is_used_up_to_its_fault(path):
    make(path, settled=False)
    edit(path, "UPDATE journal SET record = x'00' WHERE seq = 4")
    _report, model = saved(path)
    assert model.unit_count == 5


@pytest.mark.parametrize("table", [UNIT, DATA])
def test_rows_around_a_torn_page_are_saved(path, table):
    make(path, units=2000)
    tear(path, b"unit-1000\xa1" if table == DATA else b"unit-1000[^\xa1]")
    report, model = saved(path)
    assert report.found.faults
    assert 2000 < model.unit_count < 4000
    assert len(report.lost) > 10
    assert all(line.startswith("unit ") for line in report.lost)


def test_no_number_of_a_spec_is_given_out_twice_after_a_repair(path):
    make(path)
    edit(path, "DELETE FROM meta")
    _report, model = saved(path)
    model.namespace("default").set_spec(AT, {"name": "three"})
    assert model.unit_count == 10
    assert {key for op, table, key, _ in model.take_changes(AT) if (op, table) == (PUT, SPEC)} == {
        (3).to_bytes(8, "big")
    }


def test_repair_never_replaces(path):
    make(path)
    path.with_name("saved.db").write_bytes(b"precious")
    with pytest.raises(StoreError, match="exists"):
        repair(path, path.with_name("saved.db"))


# The command


def run(name, *arguments, data=None):
    """Run a command of coordinated in this process."""
    command = next(c for c in COMMANDS if c.name == name)
    config = SimpleNamespace(data=data, namespace="default")
    return CliRunner().invoke(command, [str(a) for a in arguments], obj=lambda: config)


def test_check_counts_and_says_sound(path):
    make(path)
    result = run("check", data=path)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].startswith(f"{path}: schema ")
    assert "  data               10 rows" in result.stdout.splitlines()
    assert result.stdout.splitlines()[-1] == "sound"


def test_check_says_each_fault_and_ends_with_1(path, tmp_path):
    make(path)
    edit(path, "UPDATE unit SET checked = x'ff' WHERE key = (SELECT max(key) FROM unit)")
    result = run("check", path, "--repair", tmp_path / "saved.db")
    assert result.exit_code == 1
    assert "DAMAGED: 1 fault" in result.stdout.splitlines()
    assert any(line.startswith("lost: unit b'unit-4'") for line in result.stdout.splitlines())
    assert result.stdout.splitlines()[-1].endswith("9 units of 2 work specs")


def test_a_restart_after_deleted_rows_is_sound(path):
    store = SqliteStore(path)
    store.commit([(PUT, META, b"clock", cbor2.dumps(1.0)), (PUT, DATA, b"12345678k", b"\x00")])
    store.commit([(DELETE, DATA, b"12345678k", b""), (DELETE, UNIT, b"12345678k", b"")])
    store.close()
    assert check(path).is_sound


@settings(deadline=None, max_examples=60)
@given(
    places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    settled=st.booleans(),
)
def test_whatever_bytes_are_wrong_the_check_ends_and_what_is_saved_loads(places, settled):
    """Either the file is refused in one line, or there is a report, and what is saved is sound."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "store.db")
        make(path, settled, units=30)
        content = bytearray(path.read_bytes())
        for place, byte in places:
            content[int(place * (len(content) - 1))] = byte
        path.write_bytes(content)
        refusal = refusal_of(path)
        assert path.read_bytes() == bytes(content)
        if refusal is None:
            assert check(path.with_name("saved.db")).faults == []
        else:
            assert "\n" not in refusal
            assert names_in(path.parent) == ["store.db"]


def refusal_of(path):
    """Check and repair, and give what is said if that cannot be."""
    try:
        check(path)
        repair(path, path.with_name("saved.db"))
    except StoreError as error:
        return str(error)
    return None
