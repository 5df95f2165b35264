"""Rows have checks: one that is not as it was written is never given out."""

import asyncio
import sqlite3
from contextlib import closing
from zlib import crc32

import pytest

from coordinate_server.backups import backup
from coordinate_server.checking import check
from coordinate_server.model.changes import DATA, META, PUT, TABLES, UNIT
from coordinate_server.store import DamagedStore, SqliteStore
from coordinate_server.store.sqlite.row_checks import checked, checked_rows, is_right, plain_rows
from tests.store.test_sqlite import edit

KEY = b"unit-1"


def test_the_check_is_the_crc_of_table_key_and_value():
    for table in TABLES:
        check = crc32(bytes([table]) + b"key" + b"value").to_bytes(4, "little")
        assert checked(table, b"key", b"value") == b"value" + check


def test_what_is_written_is_what_is_read(path):
    rows = [(b"", b""), (b"a", bytes(70_000)), (b"b" * 500, b"\xff")]
    assert plain_rows(path, UNIT, checked_rows(UNIT, rows)) == rows


@pytest.mark.parametrize("bit", range(88))
def test_a_bit_of_the_key_or_the_value_or_the_check_makes_it_wrong(bit):
    row = bytearray(b"key" + checked(UNIT, b"key", b"data"))
    row[bit // 8] ^= 1 << bit % 8
    assert not is_right(UNIT, bytes(row[:3]), bytes(row[3:]))


def test_a_row_of_another_table_is_wrong():
    assert not is_right(META, KEY, checked(UNIT, KEY, b"data"))
    assert is_right(UNIT, KEY, checked(UNIT, KEY, b"data"))


@pytest.mark.parametrize("value", [None, 5, "text", b"", b"abc"])
def test_what_never_was_a_row_is_wrong(path, value):
    assert not is_right(UNIT, KEY, value)
    with pytest.raises(DamagedStore):
        plain_rows(path, UNIT, [(KEY, value)])


# In the store


@pytest.fixture
def bad(path):
    """A store with three units; the data of the second are other ones."""
    with closing(SqliteStore(path)) as store:
        store.commit([(PUT, DATA, b"unit-%d" % n, b"data %d" % n) for n in range(3)])
        store.settle(10)
    other = checked(DATA, KEY, b"data 1").replace(b"1", b"7")
    edit(path, "UPDATE data SET checked = ? WHERE key = ?", other, KEY)
    store = SqliteStore(path)
    yield store
    store.close()


WAYS = {
    "get": lambda store: store.get(DATA, KEY),
    "scan": lambda store: store.scan(DATA),
    "load": lambda store: list(store.load()),
    "pages": lambda store: list(store.pages(DATA)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("waiting", [False, True])
def test_a_bad_row_is_not_given_out(bad, way, waiting):
    """With and without a journal over the rows."""
    if waiting:
        bad.commit([(PUT, DATA, b"unit-9", b"")])
    with pytest.raises(DamagedStore, match=r"row b'unit-1' of table 'data' is not as it was"):
        WAYS[way](bad)


def test_the_rows_beside_it_are(bad):
    assert bad.get(DATA, b"unit-0") == b"data 0"
    assert bad.scan(DATA, b"unit-2") == [(b"unit-2", b"data 2")]


def test_a_bad_row_that_is_written_anew_is_right(bad):
    bad.commit([(PUT, DATA, KEY, b"new")])
    assert bad.get(DATA, KEY) == b"new"
    assert bad.settle(10) == 0
    assert [value for _, value in bad.scan(DATA)] == [b"data 0", b"new", b"data 2"]


def test_a_bad_row_gets_into_no_backup(bad, tmp_path):
    with pytest.raises(DamagedStore, match="unit-1"):
        asyncio.run(backup(bad, tmp_path / "copy.db", pause=0))
    assert not (tmp_path / "copy.db").exists()


# In its pages, where no check of a row sees it


def test_a_row_that_its_page_does_not_count_is_missed(path):
    """A page says how many rows it has: with one less, the last is as if it had never been."""
    with closing(SqliteStore(path)) as store:
        store.commit([(PUT, DATA, b"unit-%d" % n, b"") for n in range(3)])
        store.settle(10)
    at = 4096 * (root_of(path, "data") - 1)
    content = bytearray(path.read_bytes())
    assert content[at] == 10  # a leaf of an index
    assert content[at + 3 : at + 5] == b"\0\3"
    content[at + 4] = 2
    path.write_bytes(content)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM data").fetchone() == (2,)
    with pytest.raises(DamagedStore, match=r"is damaged: .*[Pp]age \d+"):
        SqliteStore(path)


def test_pages_in_each_others_place_are_noticed(path):
    """Each row of them is right, and SQLite's quick check sees nothing, but they do not ascend."""
    with closing(SqliteStore(path)) as store:
        store.commit([(PUT, DATA, b"unit-%04d" % n, bytes(30)) for n in range(1000)])
        store.settle(2000)
    at = 4096 * (root_of(path, "data") - 1)
    content = bytearray(path.read_bytes())
    assert content[at] == 2  # the page above leaves of an index: its cells begin with their pages
    places = [int.from_bytes(content[at + n : at + n + 2], "big") + at for n in (12, 16)]
    first, second = (content[place : place + 4] for place in places)
    content[places[0] : places[0] + 4], content[places[1] : places[1] + 4] = second, first
    path.write_bytes(content)
    with closing(SqliteStore(path)) as store:
        with pytest.raises(DamagedStore, match="table 'data' are not in their order"):
            list(store.pages(DATA))
        with pytest.raises(DamagedStore, match="table 'data' are not in their order"):
            list(store.load())
    assert any("order" in fault for fault in check(path).faults)


def root_of(path, table):
    """Give the number of a table's first page."""
    with closing(sqlite3.connect(path)) as db:
        found = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,))
        return found.fetchone()[0]
