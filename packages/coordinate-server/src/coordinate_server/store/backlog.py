"""What is durable in the journal and waits to be written to its place.

Rows wait in the order of the first record that changed them since they were last written, with
their last value. A dropped prefix waits in the same order; what waited under it before is dead,
and is skipped when its turn comes, so that dropping costs the same whatever waits. What is put
under the prefix later waits behind it.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final

from attrs import Factory, define, field

from coordinate_server.model.changes import DROP, PUT, Change
from coordinate_server.store.keys import KeyRange

__all__ = ["ABSENT", "UNCHANGED", "Backlog", "Slice", "Unchanged"]

_ROW: Final = 0
_DROP: Final = 1

# What waits (a row or a drop), its table, and its key or prefix.
_Place = tuple[int, int, bytes]


# The record that holds the journal back, the turn of the change, and the value: plain tuples, for
# one is made for every row of every commit.
_Waiting = tuple[int, int, bytes | None]


class Unchanged:
    """The type of `UNCHANGED`."""


# What the backlog says of a row: it is as it was written, or it is not there.
UNCHANGED: Final = Unchanged()
ABSENT: Final = None


@define
class Slice:
    """Rows to write, by table: no two of them are the same row, so that their order is free."""

    puts: dict[int, list[tuple[bytes, bytes]]] = field(factory=dict)
    deletes: dict[int, list[tuple[bytes]]] = field(factory=dict)
    rows: int = 0
    size: int = 0

    def add(self, table: int, key: bytes, value: bytes | None) -> None:
        """Take in one row, with its value, or None if it is to go."""
        if value is None:
            self.deletes.setdefault(table, []).append((key,))
        else:
            self.puts.setdefault(table, []).append((key, value))
            self.size += len(value)


@define
class _Drops:
    """The prefixes that wait to be dropped, by table and by length, with their turns."""

    _tables: dict[int, dict[int, dict[bytes, int]]] = field(factory=dict)

    def __bool__(self) -> bool:
        return bool(self._tables)

    def add(self, table: int, prefix: bytes, turn: int) -> None:
        self._tables.setdefault(table, {}).setdefault(len(prefix), {})[prefix] = turn

    def remove(self, table: int, prefix: bytes) -> None:
        lengths = self._tables[table]
        del lengths[len(prefix)][prefix]
        if not lengths[len(prefix)]:
            del lengths[len(prefix)]
        if not lengths:
            del self._tables[table]

    def covering(self, table: int, key: bytes, since: int = -1) -> bytes | None:
        """A prefix of the key that was dropped after a turn, the shortest, or None."""
        lengths = self._tables.get(table)
        if lengths:
            for length in sorted(lengths):
                if lengths[length].get(key[:length], -1) > since:
                    return key[:length]
        return None


@define
class Backlog:
    """The rows and prefixes that wait, oldest first. Its length counts both."""

    _waiting: OrderedDict[_Place, _Waiting] = Factory(OrderedDict)
    _drops: _Drops = Factory(_Drops)
    _turn: int = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def oldest(self) -> int | None:
        """The first record of the journal that is still needed, or None if none is."""
        return next(iter(self._waiting.values()))[0] if self._waiting else None

    def add(self, seq: int, changes: Sequence[Change]) -> None:
        """Take in the changes of one record, in their order."""
        waiting = self._waiting
        for turn, (op, table, key, value) in enumerate(changes, self._turn + 1):
            if op == DROP:
                self._drop(seq, turn, table, key)
                continue
            place = (_ROW, table, key)
            before, since = waiting.get(place), seq
            if before is not None:
                since = self._since(seq, place, before)
            waiting[place] = (since, turn, value if op == PUT else ABSENT)
        self._turn += len(changes)

    def _drop(self, seq: int, turn: int, table: int, prefix: bytes) -> None:
        place = (_DROP, table, prefix)
        self._waiting.pop(place, None)
        self._waiting[place] = (seq, turn, ABSENT)
        self._drops.add(table, prefix, turn)

    def _since(self, seq: int, place: _Place, before: _Waiting) -> int:
        """The first record that a changed row needs; one that was dropped meanwhile begins anew."""
        if not self._drops or self._drops.covering(*place[1:], before[1]) is None:
            return before[0]
        del self._waiting[place]
        return seq

    def get(self, table: int, key: bytes) -> bytes | Unchanged | None:
        """The value that waits for a row: bytes, `ABSENT`, or `UNCHANGED` if none waits."""
        waiting = self._waiting.get((_ROW, table, key))
        turn = -1 if waiting is None else waiting[1]
        if self._drops.covering(table, key, turn) is not None:
            return ABSENT
        return UNCHANGED if waiting is None else waiting[2]

    def covering(self, table: int, key: bytes) -> bytes | None:
        """The prefix, waiting to be dropped, that a written row is under, or None."""
        return self._drops.covering(table, key)

    def within(self, table: int, keys: KeyRange) -> list[tuple[bytes, bytes]]:
        """The rows of a table that wait to be put, in the order of their keys."""
        return sorted(self._alive(table, keys))

    def _alive(self, table: int, keys: KeyRange) -> Iterator[tuple[bytes, bytes]]:
        for (kind, number, key), (_, turn, value) in self._waiting.items():
            if kind != _ROW or number != table or value is None or key not in keys:
                continue
            if self._drops.covering(table, key, turn) is None:
                yield key, value

    def next_drop(self) -> tuple[int, bytes] | None:
        """The table and the prefix to drop, if that is what has waited longest."""
        kind, table, prefix = next(iter(self._waiting))
        return (table, prefix) if kind == _DROP else None

    def dropped(self, table: int, prefix: bytes) -> None:
        """Nothing is left under the prefix that `next_drop` gave."""
        del self._waiting[_DROP, table, prefix]
        self._drops.remove(table, prefix)

    def take(self, rows: int, size: int) -> Slice:
        """Take out the rows that have waited longest, up to the next drop, and at least one.

        Args:
            rows: the most rows.
            size: how many bytes of values are enough.
        """
        taken = Slice()
        while self._waiting and taken.rows < rows and taken.size < size:
            kind, table, key = place = next(iter(self._waiting))
            if kind == _DROP:
                break
            _, turn, value = self._waiting.pop(place)
            taken.rows += 1
            if self._drops.covering(table, key, turn) is None:
                taken.add(table, key, value)
        return taken
