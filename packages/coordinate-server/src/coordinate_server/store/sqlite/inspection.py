"""Reading a data file that nobody uses, without changing a byte of it or of its log.

SQLite would write the log back when the last connection to a file is closed, and would need a file
for its index. Both are avoided by a connection that cannot write and takes no locks (the variant
``unix-none``), while a lock of our own on the bytes that SQLite locks keeps servers away.
"""

import fcntl
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
from coordinate_server.store.sqlite.datafile import (
    SCHEMA,
    busy,
    check_header,
    connect,
    is_held,
    translated_errors,
)
from coordinate_server.store.sqlite.statements import read_statements

__all__ = ["Inspection"]

_JOURNAL: Final = read_statements("journal")["read"]
_ROWS: Final = {number: read_statements("rows", table=name) for number, name in TABLES.items()}
# Where SQLite's locks are: https://www.sqlite.org/src/file/src/os.h, SHARED_FIRST and SHARED_SIZE.
_LOCK_START: Final = 0x40000002
_LOCK_SIZE: Final = 510
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

    Raises:
        StoreError: it cannot be read, is in use, not ours, or of a newer schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[str] = []
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

    def check_pages(self) -> None:
        """Have SQLite look at every page; what is wrong is among the faults."""
        with self._noting("its pages"):
            for (line,) in self._db.execute(f"PRAGMA integrity_check({_MOST_FAULTS})"):
                if line != "ok":
                    self.faults.append(
                        " ".join(line.removeprefix("*** in database main ***").split())
                    )

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
            return
        last = b""
        before = len(self.faults)
        with self._noting(f"table {name!r}"):
            for key, value in self._db.execute(_ROWS[table]["scan_open"], (b"",)):
                if _is_row(key, value):
                    last = key
                    yield key, value
                else:
                    self.faults.append(f"row {key!r} of table {name!r} is not made of bytes")
        if len(self.faults) > before:
            yield from self._beyond(table, last)

    def _beyond(self, table: int, last: bytes) -> list[_Pair]:
        found: list[_Pair] = []
        with self._noting(f"table {TABLES[table]!r}, from its end"):
            for key, value in self._db.execute(_ROWS[table]["scan_down"], (last,)):
                if _is_row(key, value):
                    found.append((key, value))
        return found[::-1]

    @contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            self.faults.append(f"{what} cannot be read: {error}")


def _is_row(key: object, value: object) -> bool:
    return type(key) is bytes and type(value) is bytes


def _reading(path: Path) -> sqlite3.Connection:
    with translated_errors(path, "open"):
        db = connect(path, "mode=ro&vfs=unix-none")
    # With it, the index of the log is in memory, not in a file.
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    return db


def _locked(path: Path) -> int:
    """Open the file with a lock that a server's lock excludes, and the other way round."""
    try:
        status = path.stat()
        if is_held(status):
            raise busy(path)
        check_header(path, status)
        if not status.st_size:
            raise StoreError(f"{str(path)!r} is empty: a data file has at least its tables")
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise StoreError(
            f"cannot open {str(path)!r}: {(error.strerror or str(error)).lower()}"
        ) from error
    try:
        _take_lock(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _take_lock(path: Path, descriptor: int) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, _LOCK_SIZE, _LOCK_START)
    except (BlockingIOError, PermissionError):
        raise busy(path) from None
