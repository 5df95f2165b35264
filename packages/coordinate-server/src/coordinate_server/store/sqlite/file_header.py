"""The header of an SQLite file, by which it is told whose the file is before it is touched.

It is described in https://www.sqlite.org/fileformat2.html: 100 bytes, of which the first 16 are a
fixed text, the user version is at 60 and the application id at 68, both 4 bytes, big endian. A file
of ours has them from the transaction that made it.
"""

import os
import stat
from pathlib import Path
from typing import Final

from coordinate_server.store.interface import DamagedStore, NotOurFile, UnknownSchema
from coordinate_server.store.sqlite.log_check import log_of

__all__ = [
    "APPLICATION_ID",
    "SCHEMA",
    "check_header",
    "check_marks",
    "refuse_lone_log",
    "schema_in",
]

# "coor" in ASCII. file(1) and others know a file by it.
APPLICATION_ID: Final = 0x636F6F72
SCHEMA: Final = 5

_HEADER_BYTES: Final = 100
_MAGIC: Final = b"SQLite format 3\0"
_JOURNAL_MAGIC: Final = bytes.fromhex("d9d505f920a163d7")


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
        refuse_lone_log(path)
    elif not any(header) and _is_half_made(path):
        # SQLite takes it back to nothing, and it is made anew.
        return
    elif len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise _not_ours(path, "no SQLite database")
    else:
        check_marks(path, _number(header, 68), _number(header, 60))


def _is_half_made(path: Path) -> bool:
    """Whether a file without its first page is one whose making the power ended."""
    try:
        with Path(f"{path}-journal").open("rb") as file:
            return file.read(len(_JOURNAL_MAGIC)) == _JOURNAL_MAGIC
    except FileNotFoundError:
        return False


def schema_in(descriptor: int) -> int:
    """Read the schema out of a file's header, where the latest commits may not have come yet."""
    return _number(os.pread(descriptor, _HEADER_BYTES, 0), 60)


def _number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "big")


def check_marks(path: Path, application_id: int, schema: int) -> None:
    """See that a file with these marks is ours.

    Raises:
        NotOurFile: it is not.
        UnknownSchema: its schema is newer than ours.
    """
    if application_id != APPLICATION_ID:
        raise _not_ours(path, f"an SQLite database of another program (id {application_id:#x})")
    if schema > SCHEMA:
        raise UnknownSchema(
            f"{str(path)!r} has schema {schema}, of a newer coordinated: this one knows {SCHEMA}"
        )


def refuse_lone_log(path: Path) -> None:
    """SQLite deletes the log of an empty file; if it holds anything, that would be lost.

    Raises:
        DamagedStore: there is such a log beside the file, which is empty or not there.
    """
    log = log_of(path)
    if log.exists() and log.stat().st_size:
        raise DamagedStore(
            f"{str(path)!r} is missing or empty but its log {str(log)!r} is there:"
            " put the file back, or move the log away"
        )


def _not_ours(path: Path, what: str) -> NotOurFile:
    return NotOurFile(
        f"{str(path)!r} is not a data file of coordinated but {what}: it is left as it is"
    )
