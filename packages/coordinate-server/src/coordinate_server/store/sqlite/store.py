"""The store that keeps its rows in one SQLite file.

A commit appends one record to the journal, and that is all that a caller waits for. The rows that
it changed are written to their tables later, by `SqliteStore.settle`, each once for any number of
changes; then the records that no waiting row needs are deleted. The file is described in
``docs/storage.md``.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Final

from coordinate_server.model.changes import TABLES, Change
from coordinate_server.store.backlog import Backlog, Slice, Unchanged
from coordinate_server.store.interface import CommitError, DamagedStore, Row, Shortage, StoreError
from coordinate_server.store.journal import BadRecord, Retained, decode_record, encode_record
from coordinate_server.store.keys import KeyRange, successor
from coordinate_server.store.requests import check_changes, check_slice, check_table
from coordinate_server.store.sqlite.backup import Backup
from coordinate_server.store.sqlite.datafile import open_data_file, translated_errors
from coordinate_server.store.sqlite.reserve import Reserve
from coordinate_server.store.sqlite.row_checks import (
    checked_rows,
    plain_rows,
    require_order,
    unordered,
    value_of,
)
from coordinate_server.store.sqlite.statements import read_statements, row_statements

__all__ = ["SqliteStore"]

# Values written in one slice: about what a disk takes in the time of a few commits.
_SLICE_BYTES: Final = 4 * 2**20
# How long closing waits for a backup that is given up to remove what it wrote.
_PART_SECONDS: Final = 10.0
# A row deleted with its neighbours costs about an eighth of one written.
_DELETES_PER_WRITE: Final = 8

_PAGE_ROWS: Final = 1000

_JOURNAL: Final = read_statements("journal")
_ROWS: Final = row_statements()


class SqliteStore:
    """A store in an SQLite file, which it has alone.

    Args:
        path: the file; it is made if there is none in its directory.
        backlog_rows: how many rows, and how many records, may wait; beyond it, each commit writes
            more rows than it adds.
        backlog_bytes: the same for the bytes of the records.
        lag_rows: how many rows wait before each commit writes as many as it adds: so that what is
            changed again soon, as a unit that is handed out and finished, is written once.
        reserve: the room held back for when the disk is full; None for as much as usual.

    Raises:
        StoreError: the file cannot be had; see `coordinate_server.store.interface`.
    """

    def __init__(
        self,
        path: Path,
        *,
        backlog_rows: int = 50_000,
        backlog_bytes: int = 256 * 2**20,
        lag_rows: int = 5_000,
        reserve: Reserve | None = None,
    ) -> None:
        self._backlog_rows = backlog_rows
        self._backlog_bytes = backlog_bytes
        self._lag_rows = lag_rows
        self._backlog = Backlog()
        self._journal = Retained()
        self._refusal: str | None = None
        self._backup: Backup | None = None
        self._path = path
        self._file = open_data_file(path)
        self._db = self._file.db
        self._reserve = reserve or Reserve(path)
        try:
            self._replay()
            self.look()
        except BaseException:
            self._file.close()
            raise

    @property
    def backlog(self) -> int:
        """See `Store.backlog`."""
        return len(self._backlog)

    @property
    def shortage(self) -> Shortage | None:
        """See `Store.shortage`."""
        return self._reserve.shortage

    def look(self) -> None:
        """See `Store.look`."""
        try:
            self._reserve.look()
        except OSError as error:
            raise StoreError(
                f"cannot hold back room for {str(self._path)!r}: {error.strerror}"
            ) from error

    def load(self) -> Iterator[Row]:
        """See `Store.load`."""
        self._check_usable()
        return (
            (table, key, value)
            for table in sorted(TABLES)
            for key, value in self._committed(table, KeyRange.page(b""))
        )

    def pages(self, table: int) -> Iterator[Sequence[tuple[bytes, bytes]]]:
        """See `Store.pages`."""
        self._check_usable()
        check_table(table)
        keys = KeyRange.page(b"")
        if self._backlog:
            rows = self._committed(table, keys)
            return iter(lambda: list(islice(rows, _PAGE_ROWS)), [])
        return self._written_pages(table, keys)

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        self._check_usable()
        check_changes(changes)
        if not changes:
            return
        record = encode_record(changes)
        # Before: what others took since the last one may be what this one needs of the reserve.
        self.look()
        with self._writing():
            # In proportion to the commit, so that no caller pays for another.
            if self._is_over():
                # More than it adds, so that the backlog shrinks: in rows, and in bytes.
                rows = 64 + 2 * len(changes) + len(record) // 512
                self._append_and_write(changes, record, rows, 2**20 + 2 * len(record))
            elif len(self._backlog) > self._lag_rows:
                self._append_and_write(changes, record, len(changes), _SLICE_BYTES)
            else:
                self._append(changes, record)

    def _append_and_write(
        self, changes: Sequence[Change], record: bytes, rows: int, size: int
    ) -> None:
        """Write some rows with a record: one sync is for both."""
        self._db.execute("BEGIN IMMEDIATE")
        self._append(changes, record)
        self._write(rows, size)
        self._db.execute("COMMIT")

    def settle(self, rows: int) -> int:
        """See `Store.settle`."""
        self._check_usable()
        check_slice(rows)
        # With next to no room left, what there is is for the journal.
        if self._journal and not (self.shortage and self.shortage.dire):
            with self._writing():
                self._db.execute("BEGIN IMMEDIATE")
                self._write(rows, _SLICE_BYTES)
                self._db.execute("COMMIT")
        return len(self._backlog)

    def get(self, table: int, key: bytes) -> bytes | None:
        """See `Store.get`."""
        self._check_usable()
        check_table(table)
        waiting = self._backlog.get(table, key)
        if not isinstance(waiting, Unchanged):
            return waiting
        with translated_errors(self._path, "read"):
            row = self._db.execute(_ROWS[table]["get"], (key,)).fetchone()
        return None if row is None else value_of(self._path, table, key, row[0])

    def scan(
        self, table: int, prefix: bytes = b"", after: bytes | None = None, limit: int = 1000
    ) -> list[tuple[bytes, bytes]]:
        """See `Store.scan`."""
        self._check_usable()
        check_table(table)
        return list(islice(self._committed(table, KeyRange.page(prefix, after)), limit))

    def backup(self, path: Path) -> Backup:
        """Begin a copy of the file, which goes on while the store is used.

        Arguments:
            path: where the copy is to be.

        Raises:
            StoreError: something is there, or another copy is being made.
        """
        self._check_usable()
        if self._backup is not None and not self._backup.is_over:
            raise StoreError(f"a backup of {str(self._path)!r} is being made already: wait for it")
        last = self._journal.next_seq - 1
        self._backup = Backup(self._db, self._path, path, last)
        return self._backup

    def close(self) -> None:
        """See `Store.close`. What waits stays in the journal, for the next start."""
        if self._refusal is None:
            self._refusal = "it is closed"
            with suppress(OSError):
                self._reserve.release()
        if self._backup is not None:
            self._backup.abandon()
            self._backup.wait(_PART_SECONDS)
        self._file.close()

    def _check_usable(self) -> None:
        if self._refusal is not None:
            raise StoreError(f"the store in {str(self._path)!r} cannot be used: {self._refusal}")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """After a failure the connection may not tell what is in the file, so it tells nothing."""
        try:
            yield
        except sqlite3.Error as error:
            self._refusal = "stopped after a failed commit"
            raise CommitError(
                f"cannot write to {str(self._path)!r}: {error}; start again to recover"
            ) from error
        except BaseException:
            self._refusal = "stopped after a failed commit"
            raise

    # The journal

    def _replay(self) -> None:
        """Take what the journal holds for the backlog."""
        with translated_errors(self._path, "read"):
            for seq, record in self._db.execute(_JOURNAL["read"]):
                if self._journal and seq != self._journal.next_seq:
                    raise self._damaged(self._journal.next_seq, "it is missing")
                self._backlog.add(seq, self._decoded(seq, record))
                self._journal.next_seq = seq
                self._journal.add(len(record))

    def _decoded(self, seq: int, record: bytes) -> list[Change]:
        try:
            return decode_record(record)
        except BadRecord as error:
            raise self._damaged(seq, str(error)) from error

    def _damaged(self, seq: int, reason: str) -> DamagedStore:
        return DamagedStore(f"record {seq} of the journal in {str(self._path)!r}: {reason}")

    def _append(self, changes: Sequence[Change], record: bytes) -> None:
        seq = self._journal.next_seq
        self._db.execute(_JOURNAL["append"], (seq, record))
        self._journal.add(len(record))
        self._backlog.add(seq, changes)
        if self._backup is not None:
            self._copy_record(self._backup, seq, record)

    def _copy_record(self, backup: Backup, seq: int, record: bytes) -> None:
        if backup.is_over:
            self._backup = None
        else:
            backup.record(seq, record)

    def _is_over(self) -> bool:
        return (
            len(self._backlog) >= self._backlog_rows
            or len(self._journal) >= self._backlog_rows
            or self._journal.size >= self._backlog_bytes
        )

    # From the backlog to the tables

    def _write(self, rows: int, size: int) -> None:
        """Write what has waited longest, at least one row, and drop the journal before the rest."""
        while rows > 0 and size > 0 and self._backlog:
            drop = self._backlog.next_drop()
            if drop is None:
                taken = self._backlog.take(rows, size)
                self._write_slice(taken)
                rows -= taken.rows
                size -= taken.size
            else:
                rows -= self._clear_some(*drop, rows)
        oldest = self._backlog.oldest
        before = self._journal.next_seq if oldest is None else oldest
        self._db.execute(_JOURNAL["forget"], (before,))
        self._journal.forget(before)

    def _write_slice(self, taken: Slice) -> None:
        for table, puts in taken.puts.items():
            self._db.executemany(_ROWS[table]["put"], checked_rows(table, sorted(puts)))
        for table, deletes in taken.deletes.items():
            self._db.executemany(_ROWS[table]["delete"], sorted(deletes))

    def _clear_some(self, table: int, prefix: bytes, rows: int) -> int:
        """Delete rows under a prefix; the cost of it, in rows written."""
        keys = KeyRange.page(prefix)
        cut = self._cut(table, keys, rows * _DELETES_PER_WRITE)
        if cut is not None:
            self._select(table, "clear", KeyRange(keys.low, cut))
            return rows
        deleted = self._select(table, "clear", keys).rowcount
        self._backlog.dropped(table, prefix)
        return deleted // _DELETES_PER_WRITE + 1

    def _cut(self, table: int, keys: KeyRange, rows: int) -> bytes | None:
        """The first key that is left for the next slice, or None if all can go in this one."""
        size = _SLICE_BYTES * _DELETES_PER_WRITE
        with closing(self._select(table, "sizes", keys)) as found:
            for key, length in found:
                if rows <= 0 or size <= 0:
                    return bytes(key)
                rows -= 1
                size -= length
        return None

    # From the tables, under the backlog

    def _select(self, table: int, name: str, keys: KeyRange) -> sqlite3.Cursor:
        if keys.high is None:
            return self._db.execute(_ROWS[table][f"{name}_open"], (keys.low,))
        return self._db.execute(_ROWS[table][name], (keys.low, keys.high))

    def _committed(self, table: int, keys: KeyRange) -> Iterator[tuple[bytes, bytes]]:
        """The rows in a range as commits made them, in the order of their keys."""
        if not self._backlog:
            return self._written(table, keys)
        return merge(self._backlog.within(table, keys), self._unchanged(table, keys))

    def _written(self, table: int, keys: KeyRange) -> Iterator[tuple[bytes, bytes]]:
        with (
            translated_errors(self._path, "read"),
            closing(self._select(table, "scan", keys)) as found,
        ):
            last = None
            for key, value in found:
                plain = value_of(self._path, table, key, value)
                if last is not None and key <= last:
                    raise unordered(self._path, table, last, key)
                last = key
                yield key, plain

    def _written_pages(self, table: int, keys: KeyRange) -> Iterator[list[tuple[bytes, bytes]]]:
        with (
            translated_errors(self._path, "read"),
            closing(self._select(table, "scan", keys)) as found,
        ):
            last = None
            while page := found.fetchmany(_PAGE_ROWS):
                rows = plain_rows(self._path, table, page)
                last = require_order(self._path, table, last, rows)
                yield rows

    def _unchanged(self, table: int, keys: KeyRange) -> Iterator[tuple[bytes, bytes]]:
        """The written rows that nothing waits for; what is dropped is skipped, not read."""
        rest: KeyRange | None = keys
        while rest is not None:
            within, rest = rest, None
            for key, value in self._written(table, within):
                prefix = self._backlog.covering(table, key)
                if prefix is not None:
                    low = successor(prefix)
                    rest = None if low is None else KeyRange(low, keys.high)
                    break
                if isinstance(self._backlog.get(table, key), Unchanged):
                    yield key, value
