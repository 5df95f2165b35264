"""The SQLite file: making it, seeing that it is whole, and having it alone."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from attrs import define

from coordinate_server.store.interface import DamagedStore, StoreError
from coordinate_server.store.sqlite.damage import ADVICE, damaged
from coordinate_server.store.sqlite.file_header import (
    APPLICATION_ID,
    SCHEMA,
    check_header,
    check_marks,
    refuse_lone_log,
    schema_in,
)
from coordinate_server.store.sqlite.file_lock import busy, open_locked
from coordinate_server.store.sqlite.log_check import (
    CHECKED_SCHEMA,
    clear_rest,
    lengthen_log,
    log_of,
    look_at_log,
)
from coordinate_server.store.sqlite.placing import sync_directory
from coordinate_server.store.sqlite.statements import read_script
from coordinate_server.store.sqlite.upgrading import upgrade

__all__ = [
    "DataFile",
    "connect",
    "is_held",
    "make_schema",
    "open_data_file",
    "told",
    "translated_errors",
]

# FULL: with NORMAL a commit returns before the log is synced, so a power cut takes acknowledged
# changes with it. fullfsync is what durable means on macOS; elsewhere it does nothing.
_SETTINGS: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA wal_autocheckpoint = 250",
    f"PRAGMA journal_size_limit = {64 * 2**20}",
    f"PRAGMA cache_size = -{32 * 2**10}",
)

# Device and inode of every file that this process has open. POSIX drops all of a process's locks on
# a file when any descriptor of it is closed, so reading the header again would free a held file.
_held: Final[set[tuple[int, int]]] = set()


@define
class DataFile:
    """A file of ours, locked for this process.

    Attributes:
        path: where it is.
        db: the one connection to it, without transactions of its own.
    """

    path: Path
    db: sqlite3.Connection
    _identity: tuple[int, int]
    _is_closed: bool = False

    def close(self) -> None:
        """Write the log back and let go of the file.

        Raises:
            StoreError: SQLite could not finish; what was committed is in the file and its log.
        """
        if self._is_closed:
            return
        with translated_errors(self.path, "close"):
            self.db.close()
        self._is_closed = True
        _held.discard(self._identity)


def open_data_file(path: Path) -> DataFile:
    """Open the file, or make it, and lock it.

    Raises:
        NotOurFile: it holds something else, which stays as it is.
        StoreBusy: it is open elsewhere.
        UnknownSchema: its schema is newer than ours.
        StoreError: it cannot be made, read or written.
    """
    identity = _claim(path)
    try:
        return DataFile(path, _connect(path), identity)
    except BaseException:
        _held.discard(identity)
        raise


@contextmanager
def translated_errors(path: Path, action: str) -> Iterator[None]:
    """Turn SQLite's errors into the store's, with the name of the file in them."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(path, action, error) from error
    except UnicodeDecodeError as error:  # a name of SQLite's own that is not text any more
        raise damaged(path, error) from error


def _translated(path: Path, action: str, error: sqlite3.Error) -> StoreError:
    # The low byte is the kind, the others say more of it.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_BUSY:
        return busy(path)
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return damaged(path, error)
    return StoreError(f"cannot {action} {str(path)!r}: {error}")


def is_held(status: os.stat_result) -> bool:
    """Whether this process has the file open as its store."""
    return (status.st_dev, status.st_ino) in _held


def _claim(path: Path) -> tuple[int, int]:
    """See, without a trace, that the file is ours or empty, and hold it in this process."""
    try:
        _create(path)
        status = path.stat()
        identity = (status.st_dev, status.st_ino)
        if identity in _held:
            raise busy(path)
        check_header(path, status)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StoreError(f"cannot open {str(path)!r}: {reason}") from error
    _held.add(identity)
    return identity


def _create(path: Path) -> None:
    """Make an empty file, for nobody else to read, unless there is one."""
    if not path.parent.is_dir():
        raise StoreError(f"cannot open {str(path)!r}: no directory {str(path.parent)!r}")
    if path.exists():
        return
    refuse_lone_log(path)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    sync_directory(path.parent)


def connect(path: Path, options: str = "mode=rw") -> sqlite3.Connection:
    """Open a file that is there, with SQLite's options for it, and no transaction."""
    # psow: a write changes no bytes beside its own. So a commit ends with one frame in the log.
    # mode=rw: SQLite would make a file that vanished meanwhile readable to others.
    address = f"file:{quote(str(path.absolute()))}?psow=1&{options}"
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=0)


def _connect(path: Path) -> sqlite3.Connection:
    # Before SQLite sees the log: closing the file again would write it back and remove it.
    is_older = _prepare_log(path)
    with translated_errors(path, "open"):
        db = connect(path)
        try:
            _take(path, db)
            if is_older:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            # SQLite makes the log when it first looks for something in it.
            _pragma(db, "user_version")
            lengthen_log(path)
        except BaseException:
            db.close()
            raise
        return db


def _prepare_log(path: Path) -> bool:
    """See that the log of a file that nobody else has is whole, but for a commit that was torn.

    Returns:
        Whether it is an older server's: then it cannot be known, and the log is to be emptied.

    Raises:
        DamagedStore: it is damaged.
    """
    if not log_of(path).exists():
        return False
    descriptor = open_locked(path)
    try:
        if schema_in(descriptor) < CHECKED_SCHEMA:
            return True
        state = look_at_log(path)
        if state.fault is not None:
            raise DamagedStore(f"{state.fault}; {ADVICE}")
        clear_rest(path, state.rest)
        return False
    finally:
        os.close(descriptor)


def _take(path: Path, db: sqlite3.Connection) -> None:
    """Lock the file for as long as the connection lives, and have the schema in it."""
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    if _is_empty(db):
        make_schema(db)
    schema = _pragma(db, "user_version")
    check_marks(path, _pragma(db, "application_id"), schema)
    _check_structure(path, db)
    db.execute("COMMIT")
    if schema < SCHEMA:
        if log_of(path).exists():
            lengthen_log(path)
        with translated_errors(path, "upgrade"):
            upgrade(path, db, schema, SCHEMA)
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreError(f"cannot open {str(path)!r}: no write-ahead log there, only {mode!r}")
    for setting in _SETTINGS:
        db.execute(setting)


def _check_structure(path: Path, db: sqlite3.Connection) -> None:
    """Have SQLite look for pages and cells that are lost, which no check of a row can find."""
    (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise damaged(path, told(found))


def told(found: str) -> str:
    """Give what SQLite's check of a file says in one line."""
    return " ".join(found.removeprefix("*** in database main ***").split())


def _is_empty(db: sqlite3.Connection) -> bool:
    (things,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return bool(things == 0)


def _pragma(db: sqlite3.Connection, name: str) -> int:
    (value,) = db.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def make_schema(db: sqlite3.Connection) -> None:
    """Make the tables and the marks of a file of ours."""
    # In the transaction that the file begins with, and before there is a write-ahead log: after a
    # crash the header would be there without the marks, and say that the file is not ours.
    for statement in read_script("schema").split(";"):
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA}")
