"""Reading a data file that nobody uses, without changing a byte of it or of its log.

SQLite would write the log back when the last connection to a file is closed, and would need a file
for its index. Both are avoided by a connection that cannot write and takes no locks (the variant
``unix-none``), while a lock of our own on the bytes that SQLite locks keeps servers away.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from heapq import merge
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from coordinate_server.model.changes import TABLES, Change, Row
from coordinate_server.store.backlog import Backlog, Unchanged
from coordinate_server.store.interface import StoreError
from coordinate_server.store.journal import BadRecord, decode_record
from coordinate_server.store.keys import KeyRange
from coordinate_server.store.sqlite.copying import copy_database
from coordinate_server.store.sqlite.datafile import connect, is_held, told, translated_errors
from coordinate_server.store.sqlite.file_header import SCHEMA, check_header, schema_in
from coordinate_server.store.sqlite.file_lock import busy, open_locked
from coordinate_server.store.sqlite.log_check import CHECKED_SCHEMA, look_at_log
from coordinate_server.store.sqlite.row_checks import is_right, value_of
from coordinate_server.store.sqlite.statements import read_statements, row_statements

__all__ = ["Inspection"]

_JOURNAL: Final = read_statements("journal")["read"]
_ROWS: Final = row_statements()
# Those of a file whose rows have no checks.
_OLD_ROWS: Final = row_statements("value")
# A thing that is broken everywhere says so this often, and no more.
_MOST_FAULTS: Final = 100

_Pair = tuple[bytes, bytes]


class Inspection:
    """A data file open for reading, for as long as the ``with``.

    Arguments:
        path: the file, which must be there.

    Attributes:
        faults: what was found wrong so far, one line each.
        schema: its schema.
        records: how many records of its journal were read.
        bad: tables and keys of rows that are not as they were written.
        gaps: tables, and where in them nothing could be read.

    Raises:
        StoreError: it cannot be read, is in use, not ours, or of a newer schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[str] = []
        self._has_bad_pages = False
        self.bad: set[tuple[int, bytes]] = set()
        self.gaps: list[tuple[int, KeyRange]] = []
        self._lock = _locked(path)
        try:
            self._db = _reading(path)
        except BaseException:
            os.close(self._lock)
            raise
        try:
            with translated_errors(path, "open"):
                (self.schema,) = self._db.execute("PRAGMA user_version").fetchone()
                self._tables = {
                    name for (name,) in self._db.execute("SELECT name FROM sqlite_master")
                }
        except BaseException:
            self._db.close()
            os.close(self._lock)
            raise
        self._rows = _ROWS if self.schema >= CHECKED_SCHEMA else _OLD_ROWS
        self._backlog = Backlog()
        self._last = 0
        self.records = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()
        os.close(self._lock)

    def check_log(self) -> None:
        """See whether the log is whole; what is wrong is among the faults."""
        if schema_in(self._lock) < CHECKED_SCHEMA:
            return
        state = look_at_log(self.path)
        if state.fault is not None:
            self.faults.append(f"{state.fault}; what is in the log from there on is lost")

    def check_pages(self) -> None:
        """Have SQLite look at every page; what is wrong is among the faults."""
        before = len(self.faults)
        with self._noting("its pages"):
            for (line,) in self._db.execute(f"PRAGMA integrity_check({_MOST_FAULTS})"):
                if line != "ok":
                    self.faults.append(told(line))
        self._has_bad_pages = len(self.faults) > before

    def read_journal(self) -> None:
        """Lay the journal over the rows, up to its first fault: what follows may rest on it."""
        with self._noting("the journal"):
            for seq, record in self._db.execute(_JOURNAL):
                fault = self._add(seq, record)
                if fault is not None:
                    self.faults.append(
                        f"record {seq} of the journal: {fault}; it and all after it are lost"
                    )
                    return

    def rows(self) -> Iterator[Row]:
        """All rows with the journal over them, by table and then by key.

        What cannot be read is left out, and among the faults.
        """
        for table in sorted(TABLES):
            for key, value in self.table(table):
                yield table, key, value

    def table(self, number: int) -> Iterator[_Pair]:
        """The rows of one table, as `rows` gives them."""
        waiting = self._backlog.within(number, KeyRange.page(b""))
        return merge(waiting, self._unchanged(number))

    def may_lack(self, table: int, key: bytes) -> bool:
        """Whether the file may have had a row of which nothing could be read."""
        return (table, key) in self.bad or any(
            number == table and key in keys for number, keys in self.gaps
        )

    def may_lack_any(self, table: int) -> bool:
        """Whether rows may be missing from a table, and nobody knows where."""
        if not self._has_bad_pages or any(number == table for number, _ in self.gaps):
            return False
        try:
            (found,) = self._db.execute(f"PRAGMA quick_check({TABLES[table]})").fetchone()
        except sqlite3.DatabaseError:
            return True
        return bool(found != "ok")

    def copy(self, path: Path) -> int:
        """Write all of it to a new file, durably.

        Returns:
            The size of the file, bytes.

        Raises:
            StoreError: something is there, or it cannot be written or read.
        """
        with translated_errors(self.path, "copy"):
            copy_database(self._db, path)
        return path.stat().st_size

    def _add(self, seq: int, record: bytes) -> str | None:
        if self.records and seq != self._last + 1:
            return f"{self._last + 1} is missing"
        try:
            changes: list[Change] = decode_record(record)
        except BadRecord as error:
            return str(error)
        self._backlog.add(seq, changes)
        self._last = seq
        self.records += 1
        return None

    def _unchanged(self, table: int) -> Iterator[_Pair]:
        for key, value in self._written(table):
            if isinstance(self._backlog.get(table, key), Unchanged):
                yield key, value

    def _written(self, table: int) -> Iterator[_Pair]:
        """The rows from the lowest key up; where that breaks, the others from the highest down."""
        name = TABLES[table]
        if name not in self._tables:
            if self.schema == SCHEMA:
                self.faults.append(f"there is no table {name!r}")
                self.gaps.append((table, KeyRange.page(b"")))
            return
        last, is_whole = b"", False
        with self._noting(f"table {name!r}"):
            for key, value in self._db.execute(self._rows[table]["scan_open"], (b"",)):
                last = key if type(key) is bytes else last
                yield from self._right(table, key, value)
            is_whole = True
        if not is_whole:
            yield from self._beyond(table, last)

    def _beyond(self, table: int, last: bytes) -> list[_Pair]:
        found: list[_Pair] = []
        first: bytes | None = None
        with self._noting(f"table {TABLES[table]!r}, from its end"):
            for key, value in self._db.execute(self._rows[table]["scan_down"], (last,)):
                first = key if type(key) is bytes else first
                found.extend(self._right(table, key, value))
        self.gaps.append((table, KeyRange(last + b"\0", first)))
        return found[::-1]

    def _right(self, table: int, key: object, value: object) -> list[_Pair]:
        """Give a row without its check, or nothing if it is not as it was written."""
        if type(key) is bytes and type(value) is bytes:
            if self._rows is _OLD_ROWS:
                return [(key, value)]
            if is_right(table, key, value):
                return [(key, value_of(self.path, table, key, value))]
        self.faults.append(f"row {key!r} of table {TABLES[table]!r} is not as it was written")
        if type(key) is bytes and isinstance(self._backlog.get(table, key), Unchanged):
            self.bad.add((table, key))
        return []

    @contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            self.faults.append(f"{what} cannot be read: {error}")


def _reading(path: Path) -> sqlite3.Connection:
    with translated_errors(path, "open"):
        db = connect(path, "mode=ro&vfs=unix-none")
    # With it, the index of the log is in memory, not in a file.
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    return db


def _locked(path: Path) -> int:
    """Open the file, if it is ours, with a lock that a server's lock excludes."""
    try:
        status = path.stat()
        if is_held(status):
            raise busy(path)
        check_header(path, status)
        if not status.st_size:
            raise StoreError(f"{str(path)!r} is empty: a data file has at least its tables")
        return open_locked(path)
    except OSError as error:
        raise StoreError(
            f"cannot open {str(path)!r}: {(error.strerror or str(error)).lower()}"
        ) from error
