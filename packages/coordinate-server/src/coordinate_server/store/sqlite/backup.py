"""A copy of a data file that is in use, taken in steps between the commits.

The truth of a file is its rows with the journal over them, and the journal may be applied to rows
that have some of it already. So a copy needs no single moment: the rows may be read one slice after
another while commits change them, if the copy also has every record from the oldest one that the
journal held when it began to the last one that came before it ended.

The store's own connection reads, in the store's thread; what it read goes to a thread of the
backup's own, which writes the copy. No other connection ever touches the file.
"""

import os
import shutil
import sqlite3
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final

from attrs import define, field

from coordinate_server.model.changes import TABLES
from coordinate_server.store.interface import StoreError
from coordinate_server.store.sqlite.datafile import translated_errors
from coordinate_server.store.sqlite.newfile import NewFile
from coordinate_server.store.sqlite.placing import refuse_existing
from coordinate_server.store.sqlite.row_checks import require_right
from coordinate_server.store.sqlite.statements import read_statements, row_statements

__all__ = ["Backup"]

# A slice takes a millisecond or two to read.
_SLICE_ROWS: Final = 1000
_SLICE_BYTES: Final = 2**20
# What waits for a slow writer: beyond the first, no rows are read; beyond the second, the commits
# alone outran it, and it fails rather than take the server's memory.
_ENOUGH_BYTES: Final = 8 * 2**20
_MOST_BYTES: Final = 128 * 2**20
# What is written between two syncs, for which the commits may have to wait; and what is left on the
# disk.
_SYNC_BYTES: Final = 2**20
_ROOM_BYTES: Final = 128 * 2**20

_NICENESS: Final = 15

_ROWS: Final = row_statements()
_PAGE: Final = read_statements("journal")["page"]

_Item = tuple[bytes, bytes] | tuple[int, bytes]


@define
class _Batch:
    """Rows of a table, or records of the journal where the table is None.

    Records with lower numbers than ``before`` are not needed any more.
    """

    table: int | None
    items: list[_Item]
    size: int
    before: int = 0


@define
class _Queue:
    """What waits for the writer, from one thread to another; None ends it."""

    size: int = 0
    _batches: deque[_Batch | None] = field(factory=deque)
    _changed: threading.Condition = field(factory=threading.Condition)

    def put(self, batch: _Batch | None) -> None:
        with self._changed:
            self._batches.append(batch)
            self.size += 0 if batch is None else batch.size
            self._changed.notify()

    def take(self) -> _Batch | None:
        with self._changed:
            while not self._batches:
                self._changed.wait()
            batch = self._batches.popleft()
            self.size -= 0 if batch is None else batch.size
            return batch


class Backup:
    """A copy in the making. All methods but `finish` are for the store's thread.

    `step` until it says that nothing is left, `end` it, then `finish` it, which waits for the disk
    and may be called in any thread. Or `abandon` it at any moment.

    Arguments:
        db: the store's connection.
        source: the file that it is of.
        path: where the copy is to be.
        last: the number of the last record in the journal so far.

    Raises:
        StoreError: something is there.
    """

    def __init__(self, db: sqlite3.Connection, source: Path, path: Path, last: int) -> None:
        refuse_existing(path)
        self._db, self._source, self._path, self._last = db, source, path, last
        self._queue = _Queue()
        self._slices = self._read()
        self._failure: Exception | None = None
        self._result: tuple[int, int] | None = None
        self._is_over = self._is_abandoned = False
        self._writer = threading.Thread(target=self._write, name="backup", daemon=True)
        self._writer.start()

    @property
    def is_over(self) -> bool:
        """Whether it wants no more records."""
        return self._is_over or self._failure is not None

    def record(self, seq: int, record: bytes) -> None:
        """The journal got a record; too much that waits for the disk fails the backup."""
        if self._queue.size > _MOST_BYTES:
            self._failure = StoreError(
                f"cannot write {str(self._path)!r}: its disk is slower than the changes that come"
            )
        if not self.is_over:
            self._queue.put(_Batch(None, [(seq, record)], len(record)))

    def step(self) -> bool:
        """Read a slice, unless enough waits to be written.

        Returns:
            Whether there is more to read.

        Raises:
            StoreError: the copy cannot be written, or the file not read.
        """
        self._check()
        if self._queue.size > _ENOUGH_BYTES:
            return True
        batch = next(self._slices, None)
        if batch is not None:
            self._queue.put(batch)
        return batch is not None

    def end(self) -> None:
        """No more records: what is committed from now on is not in the copy."""
        self._is_over = True
        self._queue.put(None)

    def finish(self) -> tuple[int, int]:
        """Wait until the copy is checked, durable and in its place.

        Returns:
            Its size in bytes, and how many units it has rows of.

        Raises:
            StoreError: it cannot be written; nothing is left of it.
        """
        self._writer.join()
        self._check()
        if self._result is None:
            raise StoreError(f"the backup to {str(self._path)!r} was given up")
        return self._result

    def abandon(self) -> None:
        """Give it up; nothing is left of it, soon."""
        self._is_abandoned = True
        self.end()

    def wait(self, seconds: float) -> None:
        """Wait until its thread has ended, and with it the part that it wrote is gone."""
        self._writer.join(seconds)

    def _check(self) -> None:
        if self._failure is not None:
            self.abandon()
            raise self._failure

    # Reading, in the store's thread

    def _read(self) -> Iterator[_Batch]:
        """The journal as it is first, for a row that is read later may have lost its record."""
        yield from self._read_journal()
        for table in sorted(TABLES):
            yield from self._read_table(table)

    def _read_journal(self) -> Iterator[_Batch]:
        after = -1
        while after < self._last:
            batch = self._slice(None, _PAGE, (after, self._last))
            first = int(batch.items[0][0]) if batch.items else self._last + 1
            if first != after + 1:
                # The journal has dropped what came before, also of what was read: it is in the
                # rows, which are read after this.
                batch.before = first
            after = int(batch.items[-1][0]) if batch.items else self._last
            yield batch

    def _read_table(self, table: int) -> Iterator[_Batch]:
        low = b""
        while True:
            batch = self._slice(table, _ROWS[table]["scan_open"], (low,))
            if not batch.items:
                return
            low = bytes(batch.items[-1][0]) + b"\0"
            yield batch

    def _slice(self, table: int | None, statement: str, values: tuple[object, ...]) -> _Batch:
        batch = _Batch(table, [], 0)
        with (
            translated_errors(self._source, "read"),
            closing(self._db.execute(statement, values)) as found,
        ):
            for item in islice(found, _SLICE_ROWS):
                batch.items.append(item)
                batch.size += len(item[1]) + 64
                if batch.size >= _SLICE_BYTES:
                    break
        return batch

    # Writing, in its own

    def _write(self) -> None:
        _give_way()
        try:
            with NewFile(self._path) as file:
                self._write_batches(file)
                if not self._is_abandoned:
                    self._result = file.finish()
        except Exception as error:  # noqa: BLE001 - it is raised again where the backup was asked for
            self._failure = error

    def _write_batches(self, file: NewFile) -> None:
        unsynced = 0
        while (batch := self._queue.take()) is not None:
            if self._is_abandoned:
                return
            if batch.before:
                file.forget(batch.before)
            if batch.table is None:
                file.append(batch.items)  # type: ignore[arg-type] # numbered, where there is no table
            else:
                self._copy_rows(file, batch.table, batch.items)  # type: ignore[arg-type] # rows, where there is one
            unsynced += batch.size
            if unsynced >= _SYNC_BYTES:
                file.sync()
                self._check_room()
                unsynced = 0

    def _copy_rows(self, file: NewFile, table: int, rows: list[tuple[bytes, bytes]]) -> None:
        """Write rows with their checks as they are, if they are right."""
        require_right(self._source, table, rows)
        file.put_checked(table, rows)

    def _check_room(self) -> None:
        """See that the disk has room for others: the file that is copied may be on it."""
        room = shutil.disk_usage(self._path.parent).free
        if room < _ROOM_BYTES:
            raise StoreError(
                f"cannot write {str(self._path)!r}: its disk has {room // 2**20} MiB left, and a"
                f" backup leaves {_ROOM_BYTES // 2**20} to others"
            )


def _give_way() -> None:
    """Have this thread wait where others want the processor: a copy may take its time."""
    # On Linux a thread has a niceness of its own; elsewhere that of its process would change.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
