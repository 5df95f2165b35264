"""What only a store with a file can do: survive, refuse, and notice damage."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from coordinate_server.model.changes import DATA, DROP, EDGE, META, PUT, RATE, UNIT
from coordinate_server.store import (
    CommitError,
    DamagedStore,
    MemoryStore,
    NotOurFile,
    SqliteStore,
    StoreBusy,
    StoreError,
    UnknownSchema,
    open_store,
)
from coordinate_server.store.sqlite import datafile
from coordinate_server.store.sqlite.file_header import SCHEMA
from coordinate_server.store.sqlite.row_checks import checked
from tests.store.old_files import make_older

COMMITTING = Path(__file__).with_name("committing.py")


@pytest.fixture
def store(path):
    """An SQLite store on a new file."""
    store = SqliteStore(path)
    yield store
    store.close()


def start_committing(path, *limits):
    """A process that commits and prints the number of each commit."""
    command = [sys.executable, str(COMMITTING), str(path), *map(str, limits)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def commits_of(store):
    """The numbers of the commits of ``committing.py`` that are in a store."""
    rows = list(store.load())
    numbers = [int.from_bytes(key, "big") for table, key, _ in rows if table == UNIT]
    last = store.get(META, b"last")
    assert numbers == list(range(1, len(numbers) + 1))
    assert int.from_bytes(last, "big") == numbers[-1]
    return len(numbers)


def edit(path, statement, *values):
    """Change a closed data file behind the store's back."""
    db = sqlite3.connect(path)
    with db:
        db.execute(statement, values)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def make_with_journal(path, commits):
    """A closed data file with so many records in its journal."""
    store = SqliteStore(path)
    for number in range(commits):
        store.commit([(PUT, UNIT, b"unit-%d" % number, b"value")])
    store.close()


def names_in(folder):
    """The files of a folder."""
    return sorted(item.name for item in folder.iterdir())


# Survival


@pytest.mark.parametrize("enough", [1, 40, 150])
def test_kill_loses_no_acknowledged_commit(path, enough):
    """After SIGKILL in the middle of commits, what was acknowledged is there, without gaps."""
    with start_committing(path) as process:
        acknowledged = 0
        while acknowledged < enough:
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        acknowledged = int((process.stdout.read().split() or [acknowledged])[-1])
    store = SqliteStore(path)
    # The commit that the kill came upon may be there as well.
    assert commits_of(store) - acknowledged in {0, 1}
    while store.settle(7):
        pass
    assert commits_of(store) - acknowledged in {0, 1}
    store.close()


def test_disk_that_fills_up_stops_the_store(path):
    """When the file cannot grow, the commit fails, nothing else is answered, nothing is lost."""
    with start_committing(path, 200_000) as process:
        *acknowledged, failed, refusal = process.stdout.read().splitlines()
    assert process.returncode == 0
    assert failed == "failed"
    assert refusal.endswith("stopped after a failed commit")
    store = SqliteStore(path)
    assert commits_of(store) - int(acknowledged[-1]) in {0, 1}
    store.close()


class FailingConnection:
    """A connection on which one kind of statement fails, after it was done or before."""

    def __init__(self, db, word, *, done):
        self.db = db
        self.word = word
        self.done = done

    def __getattr__(self, name):
        return getattr(self.db, name)

    def execute(self, statement, *values):
        if not statement.startswith(self.word):
            return self.db.execute(statement, *values)
        if self.done:
            self.db.execute(statement, *values)
        raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("done", [False, True])
def test_failed_commit_is_an_unknown_outcome(path, store, done):
    """After a commit that failed, the store answers nothing, whether or not it took effect."""
    store.commit([(PUT, UNIT, b"first", b"1")])
    store._db = FailingConnection(store._db, "INSERT INTO journal", done=done)
    with pytest.raises(CommitError, match=r"disk I/O error; start again to recover"):
        store.commit([(PUT, UNIT, b"second", b"2")])
    for call in (
        store.load,
        lambda: store.commit([(PUT, UNIT, b"third", b"3")]),
        lambda: store.settle(1),
        lambda: store.get(UNIT, b"first"),
        lambda: store.scan(UNIT),
    ):
        with pytest.raises(StoreError, match="stopped after a failed commit"):
            call()
    store.close()
    again = SqliteStore(path)
    expected = [(b"first", b"1"), (b"second", b"2")] if done else [(b"first", b"1")]
    assert again.scan(UNIT) == expected
    again.close()


@pytest.mark.parametrize("word", ["BEGIN", "DELETE FROM journal", "COMMIT"])
def test_failed_settling_stops_the_store_and_loses_nothing(path, store, word):
    """A slice that fails is undone by SQLite; the journal still has all of it."""
    store.commit([(PUT, UNIT, b"first", b"1")])
    store._db = FailingConnection(store._db, word, done=False)
    with pytest.raises(CommitError):
        store.settle(10)
    with pytest.raises(StoreError, match="stopped"):
        store.get(UNIT, b"first")
    store.close()
    again = SqliteStore(path)
    assert again.backlog == 1
    assert again.scan(UNIT) == [(b"first", b"1")]
    again.close()


def test_interrupted_commit_stops_the_store(store):
    """Whatever breaks into a commit, a Ctrl-C too, leaves its outcome unknown."""

    class Interrupted(FailingConnection):
        def execute(self, statement, *values):
            raise KeyboardInterrupt

    store._db = Interrupted(store._db, "", done=False)
    with pytest.raises(KeyboardInterrupt):
        store.commit([(PUT, UNIT, b"first", b"1")])
    with pytest.raises(StoreError, match="stopped"):
        store.get(UNIT, b"first")


def test_closing_leaves_one_file(path):
    """A clean stop leaves no log beside the data file."""
    make_with_journal(path, 3)
    assert names_in(path.parent) == [path.name]


def test_commit_writes_one_record_and_no_row(path, store):
    """What a caller waits for is one record in the journal."""
    store.commit([(PUT, UNIT, b"%d" % number, b"") for number in range(10)])
    assert store._db.execute("SELECT count(*) FROM journal").fetchone() == (1,)
    assert store._db.execute("SELECT count(*) FROM unit").fetchone() == (0,)
    assert store.backlog == 10


def test_row_that_came_and_went_is_one_row_to_settle(store):
    """Many changes of one row wait as one, and settling it lets all of their records go."""
    for number in range(50):
        store.commit([(PUT, UNIT, b"unit", b"%d" % number)])
    assert store.backlog == 1
    assert store.settle(1) == 0
    assert store._db.execute("SELECT count(*) FROM journal").fetchone() == (0,)
    assert store._db.execute("SELECT checked FROM unit").fetchall() == [
        (checked(UNIT, b"unit", b"49"),)
    ]


def test_journal_is_kept_from_the_oldest_waiting_row_on(store):
    """A slice drops the records before the first that a waiting row needs, and no more."""
    for number in range(5):
        store.commit([(PUT, UNIT, b"%d" % number, b"")])
    assert store.settle(2) == 3
    assert store._db.execute("SELECT min(seq), max(seq) FROM journal").fetchone() == (3, 5)


# Bounds


def test_backlog_of_rows_is_bounded(path):
    """Past the bound, each commit writes more rows than it adds."""
    store = SqliteStore(path, backlog_rows=200)
    highest = 0
    for number in range(300):
        store.commit([(PUT, UNIT, b"%d-%d" % (number, row), b"") for row in range(30)])
        highest = max(highest, store.backlog)
    assert 200 <= highest < 230
    assert len(list(store.load())) == 9000
    store.close()


def test_from_a_lag_on_each_commit_writes_what_it_adds(path):
    """The backlog stays as it is; what is changed twice within it is written once."""
    store = SqliteStore(path, lag_rows=100)
    for number in range(50):
        store.commit([(PUT, UNIT, b"%d" % (number + row), b"") for row in range(10)])
    assert store.backlog == 59
    assert store._db.execute("SELECT count(*) FROM unit").fetchone() == (0,)
    for number in range(100):
        store.commit([(PUT, UNIT, b"new %d-%d" % (number, row), b"") for row in range(10)])
        assert store.backlog <= 110
    assert store._db.execute("SELECT count(*) FROM unit").fetchone() == (950,)
    assert len(list(store.load())) == 1059
    store.close()


def test_backlog_of_records_is_bounded(path):
    """One row changed for ever waits once, but its records do not pile up."""
    store = SqliteStore(path, backlog_rows=50)
    for number in range(200):
        store.commit([(PUT, META, b"clock", b"%d" % number)])
        (records,) = store._db.execute("SELECT count(*) FROM journal").fetchone()
        assert records <= 50
    store.close()


def test_backlog_of_bytes_is_bounded(path):
    """Large values are written out by their bytes, few rows though they are."""
    store = SqliteStore(path, backlog_bytes=3 * 2**20)
    for number in range(400):
        store.commit([(PUT, UNIT, b"%d" % number, b"")])
    for number in range(20):
        store.commit([(PUT, DATA, b"%d" % number, bytes(2**20))])
        (size,) = store._db.execute("SELECT total(length(record)) FROM journal").fetchone()
        assert size < 5 * 2**20
    store.close()


def test_slice_ends_early_where_values_are_large(store):
    """A slice of many rows is short in bytes, so that it is short in time."""
    store.commit([(PUT, DATA, b"%d" % number, bytes(2**20)) for number in range(12)])
    assert store.settle(1000) == 8


def test_drop_of_large_rows_takes_more_than_one_slice(store):
    """Deleting much data is cut into slices by bytes as well."""
    store.commit([(PUT, DATA, b"s%02d" % number, bytes(2**20)) for number in range(40)])
    while store.settle(1000):
        pass
    store.commit([(DROP, DATA, b"s", b"")])
    assert store.settle(1000) == 1
    assert store.scan(DATA) == []
    assert store.settle(1000) == 0
    assert store._db.execute("SELECT count(*) FROM data").fetchone() == (0,)


# Refusals


def foreign_database(path):
    """A database as another program would leave it, 0.1.5's own queue among them."""
    db = sqlite3.connect(path)
    with db:
        db.execute("CREATE TABLE queue (key TEXT, value TEXT)")
        db.execute("INSERT INTO queue VALUES ('a', 'b')")
    db.close()


def foreign_database_with_id(path):
    """A database that says whose it is."""
    foreign_database(path)
    edit(path, "PRAGMA application_id = 42")


def foreign_database_with_log(path):
    """A database in the mode of ours, of somebody else."""
    foreign_database(path)
    edit(path, "PRAGMA journal_mode = WAL")


@pytest.mark.parametrize(
    "make",
    [
        foreign_database,
        foreign_database_with_id,
        foreign_database_with_log,
        lambda path: path.write_text("notes\n"),
        lambda path: path.write_bytes(bytes(4096)),
        lambda path: path.write_bytes(b"SQLite format 3\0"),
    ],
)
def test_file_of_somebody_else_is_left_as_it_is(path, make):
    """What is not ours is refused, byte for byte as before, with nothing beside it."""
    make(path)
    before, status = path.read_bytes(), path.stat()
    with pytest.raises(NotOurFile, match="is not a data file of coordinated"):
        SqliteStore(path)
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert names_in(path.parent) == [path.name]


def test_directory_is_not_a_data_file(tmp_path):
    """A directory, or anything that is no file, is refused without being opened."""
    with pytest.raises(NotOurFile, match="not a regular file"):
        SqliteStore(tmp_path)


def test_empty_file_becomes_ours(path):
    """A file that somebody made in advance, with its own permissions, is used."""
    path.touch(mode=0o640)
    make_with_journal(path, 1)
    assert path.stat().st_mode & 0o777 == 0o640
    store = SqliteStore(path)
    assert store.scan(UNIT) == [(b"unit-0", b"value")]
    store.close()


def test_file_that_was_never_finished_is_made_again(path, monkeypatch):
    """A server that stops before the file has its schema leaves one that the next can use."""
    with monkeypatch.context() as patched:
        patched.setattr(datafile, "make_schema", lambda db: db.execute("no such statement"))
        with pytest.raises(StoreError, match="cannot open"):
            SqliteStore(path)
    make_with_journal(path, 1)
    assert names_in(path.parent) == [path.name]


def test_new_file_is_for_its_owner_only(path, store):
    """Units may hold anything: nobody else reads the file, nor its log."""
    store.commit([(PUT, UNIT, b"a", b"")])
    assert names_in(path.parent) == ["store.db", "store.db-wal", "store.db.reserve"]
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600


def test_name_with_signs_of_an_address_is_a_name(tmp_path):
    """A file is found under its own name, whatever that means in a URI."""
    path = tmp_path / "a?mode=memory&b#c %41.db"
    make_with_journal(path, 1)
    assert names_in(tmp_path) == [path.name]


def test_second_server_on_the_file_is_refused(path):
    """While a process has the file, another gets one line at once; then the file is free."""
    with start_committing(path) as process:
        process.stdout.readline()
        with pytest.raises(StoreBusy) as caught:
            SqliteStore(path)
        assert str(caught.value) == f"{str(path)!r} is in use by another coordinated"
        process.send_signal(signal.SIGKILL)
        process.stdout.read()
    SqliteStore(path).close()


def test_second_store_in_the_process_is_refused_and_frees_nothing(path, store):
    """Trying the file in the process that has it does not drop its lock for others."""
    with pytest.raises(StoreBusy):
        SqliteStore(path)
    with start_committing(path) as process:
        assert process.stdout.read() == ""
    assert process.returncode == 1
    store.commit([(PUT, UNIT, b"a", b"")])


def test_closing_twice_frees_nothing_of_the_next(path):
    """A store that is closed again does not let go of what another has opened since."""
    first = SqliteStore(path)
    first.close()
    second = SqliteStore(path)
    first.close()
    with pytest.raises(StoreBusy):
        SqliteStore(path)
    second.close()


def test_newer_schema_is_refused(path):
    """A file of a newer version is not opened: what it has more would be lost."""
    make_with_journal(path, 1)
    edit(path, "PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(UnknownSchema, match="has schema 99, of a newer coordinated"):
        SqliteStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("schema", [1, 2, 3, 4])
def test_older_schema_is_brought_up_to_date(path, schema):
    """What later schemas have more is added to a file, whose rows stay."""
    make_with_journal(path, 5)
    with closing(SqliteStore(path)) as store:
        store.settle(3)
        rows = list(store.load())
    make_older(path, schema)
    with closing(SqliteStore(path)) as store:
        assert list(store.load()) == rows
        store.commit([(PUT, EDGE, b"e", b"1"), (PUT, RATE, b"r", b"2")])
        assert (store.get(EDGE, b"e"), store.get(RATE, b"r")) == (b"1", b"2")
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA,)


@pytest.mark.parametrize("schema", [1, 4])
def test_a_file_whose_number_of_the_schema_is_wrong_is_not_brought_up_to_date(path, schema):
    """What has checks is never given others, whatever the number says."""
    make_with_journal(path, 1)
    edit(path, f"PRAGMA user_version = {schema}")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="cannot upgrade"):
        SqliteStore(path)
    assert path.read_bytes() == before
    assert names_in(path.parent) == [path.name]


def test_an_older_file_that_says_it_is_new_is_refused(path):
    make_with_journal(path, 1)
    make_older(path, 4)
    edit(path, f"PRAGMA user_version = {SCHEMA}")
    with closing(SqliteStore(path)) as store, pytest.raises(StoreError, match="no such column"):
        store.get(UNIT, b"other")


def test_missing_directory_is_named(tmp_path):
    """The directory is the user's to make."""
    with pytest.raises(StoreError, match=r"no directory '.*/absent'"):
        SqliteStore(tmp_path / "absent" / "store.db")


def test_refused_permission_is_one_line(path, monkeypatch):
    """What the system does not allow is said in its words."""

    def refuse(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StoreError, match=r"^cannot open '.*': permission denied$"):
        SqliteStore(path)


def test_log_without_its_file_is_not_thrown_away(path):
    """SQLite would delete the log of a file that is gone; what is in it may be all there is."""
    log = path.with_name("store.db-wal")
    log.write_bytes(b"commits")
    for make in (lambda: None, path.touch):
        make()
        with pytest.raises(DamagedStore, match=r"its log .* is there"):
            SqliteStore(path)
    assert log.read_bytes() == b"commits"


# Damage


@pytest.mark.parametrize("at", [0, 5, -1])
def test_flipped_byte_in_a_record_is_noticed(path, at):
    """A record that is not what was written stops the start, with its number and the file."""
    make_with_journal(path, 3)
    db = sqlite3.connect(path)
    record = bytearray(db.execute("SELECT record FROM journal WHERE seq = 2").fetchone()[0])
    db.close()
    record[at] ^= 1
    edit(path, "UPDATE journal SET record = ? WHERE seq = 2", bytes(record))
    with pytest.raises(DamagedStore, match=r"^record 2 of the journal in '.*store.db': its check"):
        SqliteStore(path)


def test_missing_record_is_noticed(path):
    """Records are numbered without gaps: a gap is damage."""
    make_with_journal(path, 3)
    edit(path, "DELETE FROM journal WHERE seq = 2")
    with pytest.raises(DamagedStore, match=r"^record 2 .*: it is missing$"):
        SqliteStore(path)


def test_damaged_page_is_noticed(path):
    """A page that SQLite cannot make sense of is damage, too."""
    make_with_journal(path, 1)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(DamagedStore, match="is damaged"):
        SqliteStore(path)


def test_damaged_file_can_be_opened_once_it_is_mended(path):
    """A refused start lets go of the file."""
    make_with_journal(path, 3)
    edit(path, "UPDATE journal SET record = x'00' WHERE seq = 3")
    with pytest.raises(DamagedStore):
        SqliteStore(path)
    edit(path, "DELETE FROM journal WHERE seq = 3")
    store = SqliteStore(path)
    assert len(store.scan(UNIT)) == 2
    store.close()


def test_open_store_chooses_by_the_path(path):
    """No path is memory; a path is a file."""
    assert isinstance(open_store(None), MemoryStore)
    store = open_store(path)
    assert isinstance(store, SqliteStore)
    store.close()
