"""A whole copy of a database that nobody changes meanwhile."""

import os
import sqlite3
from itertools import count
from pathlib import Path

from coordinate_server.store.sqlite.placing import claim_part, part_of, place

__all__ = ["copy_database", "keep_copy"]


def copy_database(db: sqlite3.Connection, path: Path) -> None:
    """Write all that a connection sees to a new file, durably.

    Arguments:
        db: a connection that is in no transaction.
        path: where nothing is yet.

    Raises:
        StoreError: something is there, or it cannot be written.
        sqlite3.Error: the database cannot be read.
    """
    part = claim_part(path)
    try:
        db.execute("VACUUM INTO ?", (str(part),))
        place(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def keep_copy(db: sqlite3.Connection, path: Path, schema: int) -> Path:
    """Keep a copy of a file of an older schema beside it.

    Returns:
        The copy: ``FILE.schema-N``, or that with a number where it is taken.
    """
    copy = _free_name(path.absolute(), f"schema-{schema}")
    copy_database(db, copy)
    return copy


def _free_name(path: Path, ending: str) -> Path:
    names = (f"{path.name}.{ending}" + (f".{n}" if n else "") for n in count())
    candidates = (path.with_name(name) for name in names)
    return next(name for name in candidates if not _is_taken(name))


def _is_taken(path: Path) -> bool:
    return any(
        os.path.lexists(name) for name in (path, part_of(path), path.with_name(f"{path.name}-wal"))
    )
