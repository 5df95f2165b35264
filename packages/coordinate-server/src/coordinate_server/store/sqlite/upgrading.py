"""Bringing a file of an older schema up to date, when it is opened."""

import logging
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from coordinate_server.store.interface import StoreError
from coordinate_server.store.sqlite.copying import keep_copy
from coordinate_server.store.sqlite.log_check import log_of
from coordinate_server.store.sqlite.row_checks import checked
from coordinate_server.store.sqlite.statements import read_script

__all__ = ["upgrade"]

_LOG = logging.getLogger("coordinate.server")

# The first schema whose rows have checks: on the way to it all rows are written anew.
_CHECKED: Final = 5
# The copy, the log of what is written anew, and that in the file itself, beside what it was.
_SIZES: Final = 3
# What `os.stat` counts blocks in.
_BLOCK: Final = 512


def upgrade(path: Path, db: sqlite3.Connection, schema: int, latest: int) -> None:
    """Go from one schema to the next, and on to the latest, all in one transaction.

    A copy of the file as it was is kept: an older server refuses what is made of it.

    Arguments:
        path: the file.
        db: the connection that has it, in no transaction.
        schema: what the file has.
        latest: what it is to have.

    Raises:
        StoreError: there is no room for it, or for the copy; the file is as it was.
        sqlite3.Error: it cannot be done; the file is as it was.
    """
    if schema < _CHECKED:
        _require_room(path)
    copy = keep_copy(db, path, schema)
    _LOG.warning(
        "%r has schema %s and gets schema %s; a copy of it as it was is %r",
        *(str(path), schema, latest, str(copy)),
    )
    try:
        _run(db, range(schema + 1, latest + 1))
    except BaseException:
        # Nothing of it is in the file, and a full disk needs the room.
        with suppress(sqlite3.Error):
            db.rollback()
        copy.unlink(missing_ok=True)
        raise
    db.execute("COMMIT")
    # All rows went through the log.
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _run(db: sqlite3.Connection, schemas: range) -> None:
    db.create_function("checked", 3, checked, deterministic=True)
    db.execute("BEGIN EXCLUSIVE")
    for number in schemas:
        for statement in read_script(f"upgrade_{number}").split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {number}")


def _require_room(path: Path) -> None:
    log = log_of(path)
    size = path.stat().st_size + (log.stat().st_blocks * _BLOCK if log.exists() else 0)
    room, needed = shutil.disk_usage(path.absolute().parent).free, _SIZES * size
    if room < needed:
        raise StoreError(
            f"cannot upgrade {str(path)!r}: its disk has {_mib(room)} MiB left, and"
            f" {_mib(needed)} MiB are needed meanwhile; the file is as it was"
        )


def _mib(size: int) -> int:
    return -(-size // 2**20)
