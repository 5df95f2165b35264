"""The check that each row has in its table: a CRC-32 of the table's number, the key and the value.

It lies behind the value, 4 bytes, little endian: so the CRC-32 of all, check included, is the same
number for every row that is as it was written, and nothing needs to be cut apart to see that.
"""

from collections.abc import Iterable, Sequence
from operator import lt
from pathlib import Path
from struct import Struct
from typing import Final
from zlib import crc32

from coordinate_server.model.changes import TABLES
from coordinate_server.store.interface import DamagedStore
from coordinate_server.store.sqlite.damage import damaged

__all__ = [
    "checked",
    "checked_rows",
    "is_right",
    "plain_rows",
    "require_order",
    "require_right",
    "unordered",
    "value_of",
]

_Pair = tuple[bytes, bytes]

# What the CRC-32 begins with: a row is not right in another table.
_SEEDS: Final = {number: crc32(bytes((number,))) for number in TABLES}
# What the CRC-32 comes to behind itself, whatever it is of.
_RESIDUE: Final = 0x2144DF1C
_CHECK_BYTES: Final = 4
_packed: Final = Struct("<I").pack


def checked(table: int, key: bytes, value: bytes) -> bytes:
    """Give the value with its check, as it is in the file."""
    return value + _packed(crc32(value, crc32(key, _SEEDS[table])))


def checked_rows(table: int, rows: Iterable[_Pair]) -> list[_Pair]:
    """Give rows with the checks behind their values."""
    seed = _SEEDS[table]
    return [(key, value + _packed(crc32(value, crc32(key, seed)))) for key, value in rows]


def is_right(table: int, key: object, value: object) -> bool:
    """Whether a row of the file, whose value has a check, is as it was written."""
    if type(key) is not bytes or type(value) is not bytes:
        return False
    return crc32(value, crc32(key, _SEEDS[table])) == _RESIDUE


def value_of(path: Path, table: int, key: bytes, value: bytes) -> bytes:
    """Give the value of one row of the file, without its check.

    Raises:
        DamagedStore: the row is not as it was written.
    """
    if not is_right(table, key, value):
        raise _bad_row(path, table, key)
    return value[:-_CHECK_BYTES]


def plain_rows(path: Path, table: int, rows: Sequence[_Pair]) -> list[_Pair]:
    """Give rows of the file without their checks.

    Raises:
        DamagedStore: one is not as it was written.
    """
    seed = _SEEDS[table]
    try:
        right = [
            (key, value[:-_CHECK_BYTES])
            for key, value in rows
            if crc32(value, crc32(key, seed)) == _RESIDUE
        ]
    except TypeError:  # one is not made of bytes
        right = []
    if len(right) != len(rows):
        raise _bad_row(path, table, _first_bad(table, rows))
    return right


def require_right(path: Path, table: int, rows: Sequence[_Pair]) -> None:
    """See that rows of the file are as they were written.

    Raises:
        DamagedStore: one is not.
    """
    plain_rows(path, table, rows)


def require_order(path: Path, table: int, last: bytes | None, rows: Sequence[_Pair]) -> bytes:
    """See that the keys of rows ascend: where pages are in each other's place, each row is right.

    Arguments:
        path: the file.
        table: the number of the table.
        last: the key before the first; None for none.
        rows: at least one.

    Returns:
        The last key.

    Raises:
        DamagedStore: they do not.
    """
    keys = [key for key, _ in rows]
    if not all(map(lt, keys, keys[1:])) or (last is not None and keys[0] <= last):
        raise unordered(path, table, keys[0], keys[-1])
    return keys[-1]


def unordered(path: Path, table: int, first: bytes, last: bytes) -> DamagedStore:
    """Make the error of rows, between two keys, that are not in the order of their keys."""
    return damaged(
        path,
        f"the rows of table {TABLES[table]!r} are not in their order,"
        f" between {first!r} and {last!r}",
    )


def _first_bad(table: int, rows: Iterable[tuple[object, object]]) -> object:
    """Give the key of the first row that is not as it was written; None if all are."""
    return next((key for key, value in rows if not is_right(table, key, value)), None)


def _bad_row(path: Path, table: int, key: object) -> DamagedStore:
    """Make the error of a row that is not as it was written."""
    return damaged(path, f"row {key!r} of table {TABLES[table]!r} is not as it was written")
