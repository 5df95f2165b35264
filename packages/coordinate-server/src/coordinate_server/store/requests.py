"""What a store is asked for: checks that come before anything is done."""

from collections.abc import Sequence
from typing import Final

from coordinate_server.model.changes import DELETE, DROP, PUT, TABLES, Change
from coordinate_server.store.interface import StoreError

__all__ = ["check_changes", "check_slice", "check_table"]

_OPERATIONS: Final = frozenset((PUT, DELETE, DROP))
_TABLES: Final = frozenset(TABLES)
_KINDS: Final = {bytes}


def check_table(table: int) -> None:
    """Refuse a table that there is not.

    Raises:
        StoreError: naming the table.
    """
    if table not in TABLES:
        raise _unknown_table(table)


def _unknown_table(table: object) -> StoreError:
    return StoreError(f"unknown table {table!r}: tables are 0 to {max(TABLES)}")


def check_changes(changes: Sequence[Change]) -> None:
    """Refuse changes of a kind that there is not, before any of them is applied.

    Raises:
        StoreError: naming the operation, the table, or what is not bytes.
    """
    if changes:
        ops, tables, keys, values = zip(*changes, strict=True)
        kinds = {*map(type, keys), *map(type, values)}
        if not (_OPERATIONS.issuperset(ops) and _TABLES.issuperset(tables) and kinds == _KINDS):
            _refuse(changes)


def _refuse(changes: Sequence[Change]) -> None:
    """Say which of the changes is of no kind that there is."""
    for op, table, key, value in changes:
        if table not in TABLES or op not in _OPERATIONS or not type(key) is type(value) is bytes:
            raise _refusal(op, table, key)


def _refusal(op: object, table: int, key: object) -> StoreError:
    if op not in _OPERATIONS:
        return StoreError(f"unknown operation {op!r}: operations are 0 to {max(_OPERATIONS)}")
    if table not in TABLES:
        return _unknown_table(table)
    return StoreError(f"change of {key!r} in table {table!r} is not of bytes")


def check_slice(rows: int) -> None:
    """Refuse to settle no rows, which would never come to an end.

    Raises:
        StoreError: naming the number.
    """
    if rows < 1:
        raise StoreError(f"cannot settle {rows!r} rows: at least 1")
