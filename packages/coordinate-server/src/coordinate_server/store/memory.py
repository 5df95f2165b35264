"""The store that keeps its rows in memory, and nothing when the process ends."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from attrs import define, field

from coordinate_server.model.changes import DELETE, DROP, PUT, TABLES, Change
from coordinate_server.store.interface import Row, Shortage, StoreError
from coordinate_server.store.keys import KeyRange
from coordinate_server.store.requests import check_changes, check_slice, check_table

__all__ = ["MemoryStore"]

# Rows are kept by the first 8 bytes of their keys, the id of a spec in the tables of units, so that
# dropping a spec costs nothing.
_STEM: Final = 8


@define
class _Shelf:
    """Rows whose keys share their first bytes; their order is made when it is asked for."""

    rows: dict[bytes, bytes] = field(factory=dict)
    _order: list[bytes] | None = None

    def put(self, key: bytes, value: bytes) -> None:
        if key not in self.rows:
            self._order = None
        self.rows[key] = value

    def delete(self, key: bytes) -> None:
        if self.rows.pop(key, None) is not None:
            self._order = None

    def drop(self, prefix: bytes) -> None:
        self.rows = {key: value for key, value in self.rows.items() if not key.startswith(prefix)}
        self._order = None

    def within(self, keys: KeyRange) -> Iterator[tuple[bytes, bytes]]:
        if self._order is None:
            self._order = sorted(self.rows)
        for at in range(bisect_left(self._order, keys.low), len(self._order)):
            key = self._order[at]
            if key not in keys:
                return
            yield key, self.rows[key]


@define
class _Table:
    """All rows of one kind."""

    _shelves: dict[bytes, _Shelf] = field(factory=dict)

    def get(self, key: bytes) -> bytes | None:
        shelf = self._shelves.get(key[:_STEM])
        return None if shelf is None else shelf.rows.get(key)

    def apply(self, op: int, key: bytes, value: bytes) -> None:
        if op == PUT:
            self._shelves.setdefault(key[:_STEM], _Shelf()).put(key, value)
        elif op == DELETE:
            self._delete(key)
        elif op == DROP:
            self._drop(key)

    def _delete(self, key: bytes) -> None:
        shelf = self._shelves.get(key[:_STEM])
        if shelf is not None:
            shelf.delete(key)
            if not shelf.rows:
                del self._shelves[key[:_STEM]]

    def _drop(self, prefix: bytes) -> None:
        stem = prefix[:_STEM]
        if len(prefix) > _STEM:
            if stem in self._shelves:
                self._shelves[stem].drop(prefix)
        elif len(prefix) == _STEM:
            self._shelves.pop(prefix, None)
        else:
            for stem in [stem for stem in self._shelves if stem.startswith(prefix)]:
                del self._shelves[stem]

    def within(self, prefix: bytes, keys: KeyRange) -> Iterator[tuple[bytes, bytes]]:
        stem = prefix[:_STEM]
        for name in sorted(self._stems(stem)):
            yield from self._shelves[name].within(keys)

    def _stems(self, stem: bytes) -> list[bytes]:
        if len(stem) == _STEM:
            return [stem] if stem in self._shelves else []
        return [name for name in self._shelves if name.startswith(stem)]


class MemoryStore:
    """A store without a file: a commit is durable for as long as the process lives."""

    def __init__(self) -> None:
        self._tables = {number: _Table() for number in TABLES}
        self._open = True

    @property
    def backlog(self) -> int:
        """Always 0: there is no journal."""
        return 0

    @property
    def shortage(self) -> Shortage | None:
        """Always None: nobody can say how much memory others will take."""

    def look(self) -> None:
        """See `Store.look`."""

    def load(self) -> Iterator[Row]:
        """See `Store.load`."""
        self._check_open()
        return (
            (number, key, value)
            for number in sorted(self._tables)
            for key, value in self._tables[number].within(b"", KeyRange.page(b""))
        )

    def pages(self, table: int) -> Iterator[Sequence[tuple[bytes, bytes]]]:
        """See `Store.pages`."""
        self._check_open()
        check_table(table)
        rows = list(self._tables[table].within(b"", KeyRange.page(b"")))
        if rows:
            yield rows

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        self._check_open()
        check_changes(changes)
        for op, table, key, value in changes:
            self._tables[table].apply(op, key, value)

    def settle(self, rows: int) -> int:
        """See `Store.settle`; nothing ever waits."""
        self._check_open()
        check_slice(rows)
        return 0

    def get(self, table: int, key: bytes) -> bytes | None:
        """See `Store.get`."""
        self._check_open()
        check_table(table)
        return self._tables[table].get(key)

    def scan(
        self, table: int, prefix: bytes = b"", after: bytes | None = None, limit: int = 1000
    ) -> list[tuple[bytes, bytes]]:
        """See `Store.scan`."""
        self._check_open()
        check_table(table)
        found = self._tables[table].within(prefix, KeyRange.page(prefix, after))
        return list(islice(found, limit))

    def close(self) -> None:
        """See `Store.close`; with this store the rows are gone as well."""
        self._open = False
        self._tables.clear()

    def _check_open(self) -> None:
        if not self._open:
            raise StoreError("the store is closed")
