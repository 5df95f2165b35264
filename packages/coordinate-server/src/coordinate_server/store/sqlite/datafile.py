"""The SQLite file: telling whose it is before it is touched, making it, and having it alone.

The header of an SQLite file is described in https://www.sqlite.org/fileformat2.html: 100 bytes, of
which the first 16 are a fixed text, the user version is at 60 and the application id at 68, both
4 bytes, big endian. A file of ours has them from the transaction that made it.
"""

import logging
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from attrs import define

from coordinate_server.store.interface import (
    DamagedStore,
    NotOurFile,
    StoreBusy,
    StoreError,
    UnknownSchema,
)
from coordinate_server.store.sqlite.copying import keep_copy
from coordinate_server.store.sqlite.placing import sync_directory
from coordinate_server.store.sqlite.statements import read_script

__all__ = [
    "APPLICATION_ID",
    "SCHEMA",
    "DataFile",
    "busy",
    "check_header",
    "connect",
    "is_held",
    "make_schema",
    "open_data_file",
    "translated_errors",
]

_LOG = logging.getLogger("coordinate.server")

# "coor" in ASCII. file(1) and others know a file by it.
APPLICATION_ID: Final = 0x636F6F72
SCHEMA: Final = 4

_HEADER_BYTES: Final = 100
_MAGIC: Final = b"SQLite format 3\0"
_JOURNAL_MAGIC: Final = bytes.fromhex("d9d505f920a163d7")

# FULL: with NORMAL a commit returns before the log is synced, so a power cut takes acknowledged
# changes with it. fullfsync is what durable means on macOS; elsewhere it does nothing.
_SETTINGS: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA wal_autocheckpoint = 1000",
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
        raise DamagedStore(f"{str(path)!r} is damaged: {error}") from error


def _translated(path: Path, action: str, error: sqlite3.Error) -> StoreError:
    # The low byte is the kind, the others say more of it.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_BUSY:
        return busy(path)
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return DamagedStore(f"{str(path)!r} is damaged: {error}")
    return StoreError(f"cannot {action} {str(path)!r}: {error}")


def busy(path: Path) -> StoreBusy:
    """The error of a file that somebody else has."""
    return StoreBusy(f"{str(path)!r} is in use by another coordinated")


def _not_ours(path: Path, what: str) -> NotOurFile:
    return NotOurFile(
        f"{str(path)!r} is not a data file of coordinated but {what}: it is left as it is"
    )


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
    _refuse_lone_log(path)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    sync_directory(path.parent)


def _refuse_lone_log(path: Path) -> None:
    """SQLite deletes the log of an empty file; if it holds anything, that would be lost."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise DamagedStore(
            f"{str(path)!r} is missing or empty but its log {str(log)!r} is there:"
            " put the file back, or move the log away"
        )


def check_header(path: Path, status: os.stat_result) -> None:
    """See, without SQLite, that a file is ours, or empty.

    Raises:
        NotOurFile: it is neither.
        UnknownSchema: its schema is newer than ours.
    """
    if not stat.S_ISREG(status.st_mode):
        raise _not_ours(path, "not a regular file")
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if not header:
        _refuse_lone_log(path)
    elif not any(header) and _is_half_made(path):
        # SQLite takes it back to nothing, and it is made anew.
        return
    elif len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise _not_ours(path, "no SQLite database")
    else:
        _check_marks(path, _number(header, 68), _number(header, 60))


def _is_half_made(path: Path) -> bool:
    """Whether a file without its first page is one whose making the power ended."""
    try:
        with Path(f"{path}-journal").open("rb") as file:
            return file.read(len(_JOURNAL_MAGIC)) == _JOURNAL_MAGIC
    except FileNotFoundError:
        return False


def _number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "big")


def _check_marks(path: Path, application_id: int, schema: int) -> None:
    if application_id != APPLICATION_ID:
        raise _not_ours(path, f"an SQLite database of another program (id {application_id:#x})")
    if schema > SCHEMA:
        raise UnknownSchema(
            f"{str(path)!r} has schema {schema}, of a newer coordinated: this one knows {SCHEMA}"
        )


def connect(path: Path, options: str = "mode=rw") -> sqlite3.Connection:
    """Open a file that is there, with SQLite's options for it, and no transaction."""
    # mode=rw: SQLite would make a file that vanished meanwhile readable to others.
    address = f"file:{quote(str(path.absolute()))}?{options}"
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=0)


def _connect(path: Path) -> sqlite3.Connection:
    with translated_errors(path, "open"):
        db = connect(path)
        try:
            _take(path, db)
        except BaseException:
            db.close()
            raise
        return db


def _take(path: Path, db: sqlite3.Connection) -> None:
    """Lock the file for as long as the connection lives, and have the schema in it."""
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    if _is_empty(db):
        make_schema(db)
    schema = _pragma(db, "user_version")
    _check_marks(path, _pragma(db, "application_id"), schema)
    db.execute("COMMIT")
    if schema < SCHEMA:
        _upgrade(path, db, schema)
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreError(f"cannot open {str(path)!r}: no write-ahead log there, only {mode!r}")
    for setting in _SETTINGS:
        db.execute(setting)


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


def _upgrade(path: Path, db: sqlite3.Connection, schema: int) -> None:
    """Bring an older file up to date, one schema after another, all in one transaction.

    A copy of it as it was is kept: an older server refuses what is made of it.
    """
    copy = keep_copy(db, path, schema)
    _LOG.warning(
        "%r has schema %s and gets schema %s; a copy of it as it was is %r",
        *(str(path), schema, SCHEMA, str(copy)),
    )
    db.execute("BEGIN EXCLUSIVE")
    for number in range(schema + 1, SCHEMA + 1):
        for statement in read_script(f"upgrade_{number}").split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {number}")
    db.execute("COMMIT")
