"""A data file that is written whole, beside its place, and put there when it is found right.

Nothing has it open meanwhile, and it is thrown away if anything fails: so it is written without a
log and without syncing, and synced once at its end.
"""

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from coordinate_server.model.changes import DATA, TABLES, Row
from coordinate_server.store.interface import DamagedStore, StoreError
from coordinate_server.store.sqlite.datafile import connect, make_schema, translated_errors
from coordinate_server.store.sqlite.placing import claim_part, place, sync_file
from coordinate_server.store.sqlite.row_checks import checked_rows
from coordinate_server.store.sqlite.statements import read_statements, row_statements

__all__ = ["NewFile"]

_ROWS: Final = row_statements()
_JOURNAL: Final = read_statements("journal")
_SETTINGS: Final = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    f"PRAGMA cache_size = -{16 * 2**10}",
)


class NewFile:
    """A file in the making; leaving the ``with`` before `finish` leaves nothing of it behind.

    It belongs to the thread that made it.

    Arguments:
        path: where it is to be.
        over_empty: whether a file without a byte in it counts as none.

    Raises:
        StoreError: something is there, or the file cannot be made.
    """

    def __init__(self, path: Path, *, over_empty: bool = False) -> None:
        self.path = path.absolute()
        self._over_empty = over_empty
        self._part = claim_part(self.path, over_empty=over_empty)
        try:
            self._db = self._begun()
        except BaseException:
            self._part.unlink(missing_ok=True)
            raise
        self._is_placed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abandon()

    def put(self, table: int, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Write rows, key and value each; a later one takes the place of an earlier one."""
        self.put_checked(table, checked_rows(table, rows))

    def put_checked(self, table: int, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Write rows whose values have their checks, out of another file."""
        with translated_errors(self.path, "write"):
            self._db.executemany(_ROWS[table]["put"], rows)

    def put_all(self, rows: Iterable[Row]) -> None:
        """Write rows of any tables."""
        for table, key, value in rows:
            self.put(table, [(key, value)])

    def append(self, records: Iterable[tuple[int, bytes]]) -> None:
        """Write records of the journal, each with its number."""
        with translated_errors(self.path, "write"):
            self._db.executemany(_JOURNAL["append"], records)

    def forget(self, before: int) -> None:
        """Take back the records with lower numbers."""
        with translated_errors(self.path, "write"):
            self._db.execute(_JOURNAL["forget"], (before,))

    def sync(self) -> None:
        """Have what is written so far on the disk, so that the end has little to wait for.

        All of it at once at the end would make the commits of a server on the same disk wait.
        """
        sync_file(self._part)

    def finish(self, check: Callable[[Path], None] | None = None) -> tuple[int, int]:
        """Check the file, and put it in its place.

        Arguments:
            check: looks at the finished file too, and raises a StoreError if it is not right.

        Returns:
            Its size in bytes, and how many units it has.

        Raises:
            DamagedStore: what was written is not what is there.
            StoreError: it cannot be synced, or something is in its place by now.
        """
        with translated_errors(self.path, "write"):
            self._db.execute("COMMIT")
            self._check()
            (units,) = self._db.execute(f"SELECT count(*) FROM {TABLES[DATA]}").fetchone()  # noqa: S608 - a name of ours
            self._db.close()
        if check is not None:
            check(self._part)
        place(self._part, self.path, over_empty=self._over_empty)
        self._is_placed = True
        return self.path.stat().st_size, units

    def abandon(self) -> None:
        """Throw the file away, unless it is finished."""
        self._db.close()
        if not self._is_placed:
            self._part.unlink(missing_ok=True)

    def _begun(self) -> sqlite3.Connection:
        with translated_errors(self.path, "make"):
            db = connect(self._part)
            for setting in _SETTINGS:
                db.execute(setting)
            db.execute("BEGIN EXCLUSIVE")
            make_schema(db)
        return db

    def _check(self) -> None:
        (found,) = self._db.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise DamagedStore(f"{str(self.path)!r} was not written right: {found}")
        first, last, number = self._db.execute(
            "SELECT coalesce(min(seq), 1), coalesce(max(seq), 0), count(*) FROM journal"
        ).fetchone()
        if last - first + 1 != number:
            raise StoreError(f"{str(self.path)!r} was not written right: a record is missing")
