"""Before a file of an older schema is changed, a copy of it is kept beside it."""

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest

from coordinate_server.model.changes import PUT, UNIT
from coordinate_server.store import SqliteStore, StoreError
from coordinate_server.store.sqlite import upgrading
from coordinate_server.store.sqlite.file_header import SCHEMA
from tests.store.old_files import make_older
from tests.store.test_sqlite import make_with_journal, names_in


def make_old(path, schema=3):
    """A file as a server of an older schema left it, with one record in its journal."""
    make_with_journal(path, 1)
    make_older(path, schema)


def copies_in(folder):
    """The names of the copies."""
    return [name for name in names_in(folder) if "schema" in name]


def rows_and_schema(path):
    """What is in a file, without opening it as a store."""
    with closing(sqlite3.connect(path)) as db:
        (schema,) = db.execute("PRAGMA user_version").fetchone()
        return schema, db.execute("SELECT seq, record FROM journal").fetchall()


def test_the_copy_is_the_file_as_it_was(path, caplog):
    make_old(path)
    before = rows_and_schema(path)
    with caplog.at_level(logging.WARNING), closing(SqliteStore(path)) as store:
        assert store.get(UNIT, b"unit-0") == b"value"
    copy = path.with_name("store.db.schema-3")
    assert copies_in(path.parent) == [copy.name]
    assert rows_and_schema(copy) == before
    assert copy.stat().st_mode & 0o777 == 0o600
    assert str(copy) in caplog.text


def test_a_copy_that_is_there_already_is_kept(path):
    make_old(path)
    path.with_name("store.db.schema-3").write_text("precious")
    path.with_name("store.db.schema-3.1.part").write_text("of one that was interrupted")
    SqliteStore(path).close()
    assert path.with_name("store.db.schema-3").read_text() == "precious"
    assert rows_and_schema(path.with_name("store.db.schema-3.2"))[0] == 3


def test_the_copy_can_be_put_in_its_place_and_brought_up_to_date_again(path):
    make_old(path)
    with closing(SqliteStore(path)) as store:
        rows = list(store.load())
        store.commit([(PUT, UNIT, b"later", b"")])
    path.unlink()
    path.with_name("store.db.schema-3").rename(path)
    with closing(SqliteStore(path)) as store:
        assert list(store.load()) == rows


def test_without_a_copy_the_file_is_not_changed(path, monkeypatch):
    make_old(path)
    before = rows_and_schema(path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="no space left on device"):
            SqliteStore(path)
    assert copies_in(path.parent) == []
    assert rows_and_schema(path) == before
    SqliteStore(path).close()


def test_a_file_of_this_schema_is_not_copied(path):
    make_with_journal(path, 1)
    SqliteStore(path).close()
    assert copies_in(path.parent) == []
    assert rows_and_schema(path)[0] == SCHEMA


def test_without_the_room_for_it_the_file_is_not_changed(path, monkeypatch):
    make_old(path)
    before = rows_and_schema(path)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=100_000))
        with pytest.raises(StoreError, match=r"has 1 MiB left, and 1 MiB are needed"):
            SqliteStore(path)
    assert copies_in(path.parent) == []
    assert rows_and_schema(path) == before


def test_what_cannot_be_brought_up_to_date_stays_as_it_was(path, monkeypatch):
    """And its copy goes: on a disk that is full somebody needs the room."""
    make_old(path)
    before = rows_and_schema(path)
    with monkeypatch.context() as patched:
        patched.setattr(upgrading, "read_script", lambda name: "INSERT INTO nowhere VALUES (1)")
        with pytest.raises(StoreError, match=r"cannot upgrade .* no such table"):
            SqliteStore(path)
    assert copies_in(path.parent) == []
    assert rows_and_schema(path) == before
