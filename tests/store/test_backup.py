"""Backups of a file that is in use: whole, whenever they are taken, and never over another file."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinate_server.backups import backup
from coordinate_server.model.changes import DATA, DELETE, DROP, META, PUT, SPEC, UNIT
from coordinate_server.store import MemoryStore, SqliteStore, StoreError
from coordinate_server.store.sqlite import backup as backup_module
from tests.store.test_model import CHANGES


def put(number):
    """One row of a unit, and one that all commits change."""
    return [(PUT, UNIT, b"unit-%d" % number, b"x" * 50), (PUT, META, b"last", b"%d" % number)]


def take(store, dest, between=lambda: None):
    """Take a backup, and do something between all of its steps."""
    running = store.backup(dest)
    while running.step():
        between()
    running.end()
    return running.finish()


def rows_of(path):
    """All rows of a closed file."""
    store = SqliteStore(path)
    try:
        return list(store.load())
    finally:
        store.close()


@pytest.fixture
def store(path):
    """A store on a new file."""
    store = SqliteStore(path)
    yield store
    store.close()


@pytest.fixture
def dest(tmp_path):
    """Where a backup may be made."""
    return tmp_path / "copy.db"


def test_backup_has_all_that_is_committed(store, dest):
    for number in range(20):
        store.commit(put(number))
        if number == 10:
            store.settle(100)
    expected = list(store.load())
    take(store, dest)
    assert rows_of(dest) == expected
    assert dest.stat().st_mode & 0o777 == 0o600


def test_backup_has_what_is_committed_until_its_last_step(store, dest, monkeypatch):
    monkeypatch.setattr(backup_module, "_SLICE_ROWS", 2)
    for number in range(10):
        store.commit(put(number))
    later = iter(range(100, 200))

    def between():
        store.commit(put(next(later)))
        store.settle(3)

    take(store, dest, between)
    assert rows_of(dest) == list(store.load())


def test_what_is_committed_after_the_end_is_not_in_it(store, dest):
    store.commit(put(1))
    running = store.backup(dest)
    while running.step():
        pass
    running.end()
    expected = list(store.load())
    store.commit(put(2))
    running.finish()
    assert rows_of(dest) == expected


STEPS = st.lists(st.one_of(CHANGES, st.integers(1, 5), st.none()), max_size=30)


@settings(deadline=None, max_examples=150)
@given(before=STEPS, during=STEPS)
def test_backup_is_right_whatever_happens_meanwhile(before, during):
    """Commits, settling and steps of the backup in any order; a slice is one row."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(backup_module, "_SLICE_ROWS", 1)
        store = SqliteStore(Path(folder, "store.db"), backlog_rows=5)
        play(store, before, lambda: None)
        running = store.backup(Path(folder, "copy.db"))
        play(store, during, running.step)
        while running.step():
            pass
        running.end()
        running.finish()
        expected = list(store.load())
        store.close()
        assert rows_of(Path(folder, "copy.db")) == expected


def play(store, steps, step):
    """Do what a list of steps says."""
    for what in steps:
        if what is None:
            step()
        elif isinstance(what, int):
            store.settle(what)
        else:
            store.commit(what)


def test_a_drop_during_the_backup_counts(store, dest, monkeypatch):
    monkeypatch.setattr(backup_module, "_SLICE_ROWS", 1)
    store.commit([(PUT, UNIT, b"spec-id8%d" % n, b"x") for n in range(5)])
    store.commit([(PUT, SPEC, b"spec-id8", b"spec"), (PUT, DATA, b"a", b"")])
    store.settle(100)
    todo = [[(DROP, UNIT, b"spec-id8", b""), (DELETE, DATA, b"a", b"")]]

    def between():
        if todo:
            store.commit(todo.pop())
            store.settle(100)

    take(store, dest, between)
    assert rows_of(dest) == [(SPEC, b"spec-id8", b"spec")]


# Nothing replaces a file


@pytest.mark.parametrize("name", ["copy.db", "copy.db-wal", "copy.db.part"])
def test_backup_never_replaces(store, dest, name):
    dest.with_name(name).write_bytes(b"precious")
    with pytest.raises(StoreError, match="exists"):
        take(store, dest)
    assert dest.with_name(name).read_bytes() == b"precious"


def test_a_file_that_comes_meanwhile_is_not_replaced(store, dest):
    store.commit(put(1))
    running = store.backup(dest)
    while running.step():
        pass
    dest.write_bytes(b"precious")
    running.end()
    with pytest.raises(StoreError, match="exists"):
        running.finish()
    assert dest.read_bytes() == b"precious"
    assert not dest.with_name("copy.db.part").exists()


def test_no_directory_is_an_error(store, tmp_path):
    with pytest.raises(StoreError, match="no such file or directory"):
        take(store, tmp_path / "nowhere" / "copy.db")


def test_where_links_are_unknown_the_name_is_taken_first(store, dest, monkeypatch):
    def refuse(self, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    store.commit(put(1))
    take(store, dest)
    assert rows_of(dest) == list(store.load())
    assert not dest.with_name("copy.db.part").exists()


# Ends


def test_an_abandoned_backup_leaves_nothing(store, dest, tmp_path):
    store.commit(put(1))
    running = store.backup(dest)
    running.step()
    running.abandon()
    with pytest.raises(StoreError, match="given up"):
        running.finish()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("copy")] == []
    take(store, dest)


def test_a_store_that_is_closed_gives_its_backup_up(store, dest, tmp_path):
    store.commit(put(1))
    running = store.backup(dest)
    running.step()
    store.close()
    assert not dest.exists()
    assert not dest.with_name("copy.db.part").exists()


def test_only_one_backup_at_a_time(store, dest, tmp_path):
    running = store.backup(dest)
    with pytest.raises(StoreError, match="already"):
        store.backup(tmp_path / "other.db")
    running.abandon()
    running._writer.join()


def test_a_writer_that_is_too_slow_fails_the_backup_not_the_server(store, dest, monkeypatch):
    monkeypatch.setattr(backup_module, "_MOST_BYTES", -1)
    running = store.backup(dest)
    store.commit(put(1))
    with pytest.raises(StoreError, match="slower than the changes"):
        running.step()
    running._writer.join()
    assert not dest.exists()
    store.commit(put(2))


def test_a_backup_leaves_room_on_its_disk(store, dest, monkeypatch):
    monkeypatch.setattr(backup_module, "_SYNC_BYTES", 1)
    monkeypatch.setattr(backup_module, "_ROOM_BYTES", 2**70)
    store.commit(put(1))
    with pytest.raises(StoreError, match="MiB left, and a backup leaves"):
        take(store, dest)
    assert not dest.exists()
    assert not dest.with_name("copy.db.part").exists()


# From the loop


def test_the_loop_takes_a_backup(store, dest):
    store.commit([(PUT, DATA, b"unit", b"data")])
    store.settle(10)
    report = asyncio.run(backup(store, dest, pause=0))
    assert (report.path, report.units, report.size) == (dest, 1, dest.stat().st_size)
    assert rows_of(dest) == list(store.load())


def test_memory_has_no_file_to_back_up(dest):
    with pytest.raises(StoreError, match="in memory only"):
        asyncio.run(backup(MemoryStore(), dest))
