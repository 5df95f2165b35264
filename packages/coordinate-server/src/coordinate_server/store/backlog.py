"""What is durable in the journal and waits to be written to its place.

Rows wait in the order of the first record that changed them since they were last written, with
their last value. A dropped prefix waits in the same order; what waited under it before is dead,
and is skipped when its turn comes, so that dropping costs the same whatever waits. What is put
under the prefix later waits behind it.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from attrs import Factory, define, field

from coordinate_server.model.changes import DROP, PUT, Change
from coordinate_server.store.keys import KeyRange

__all__ = ["ABSENT", "UNCHANGED", "Backlog", "Slice", "Unchanged"]

_ROW: Final = 0
_DROP: Final = 1

# What waits (a row or a drop), its table, and its key or prefix.
_Place = tuple[int, int, bytes]


class _Waiting(NamedTuple):
    """Attributes: the record that holds the journal back, the turn of the change, the value."""

    seq: int
    turn: int
    value: bytes | None


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

    def add(self, table: int, prefix: bytes, turn: int) -> None:
        self._tables.setdefault(table, {}).setdefault(len(prefix), {})[prefix] = turn

    def remove(self, table: int, prefix: bytes) -> None:
        lengths = self._tables[table]
        del lengths[len(prefix)][prefix]
        if not lengths[len(prefix)]:
            del lengths[len(prefix)]

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
        return next(iter(self._waiting.values())).seq if self._waiting else None

    def add(self, seq: int, changes: Sequence[Change]) -> None:
        """Take in the changes of one record, in their order."""
        for op, table, key, value in changes:
            self._turn += 1
            if op == DROP:
                self._drop(seq, table, key)
            else:
                self._change(seq, table, key, value if op == PUT else ABSENT)

    def _drop(self, seq: int, table: int, prefix: bytes) -> None:
        place = (_DROP, table, prefix)
        self._waiting.pop(place, None)
        self._waiting[place] = _Waiting(seq, self._turn, ABSENT)
        self._drops.add(table, prefix, self._turn)

    def _change(self, seq: int, table: int, key: bytes, value: bytes | None) -> None:
        place = (_ROW, table, key)
        before = self._waiting.get(place)
        if before is None:
            self._waiting[place] = _Waiting(seq, self._turn, value)
        elif self._drops.covering(table, key, before.turn) is None:
            self._waiting[place] = _Waiting(before.seq, self._turn, value)
        else:
            del self._waiting[place]
            self._waiting[place] = _Waiting(seq, self._turn, value)

    def get(self, table: int, key: bytes) -> bytes | Unchanged | None:
        """The value that waits for a row: bytes, `ABSENT`, or `UNCHANGED` if none waits."""
        waiting = self._waiting.get((_ROW, table, key))
        turn = -1 if waiting is None else waiting.turn
        if self._drops.covering(table, key, turn) is not None:
            return ABSENT
        return UNCHANGED if waiting is None else waiting.value

    def covering(self, table: int, key: bytes) -> bytes | None:
        """The prefix, waiting to be dropped, that a written row is under, or None."""
        return self._drops.covering(table, key)

    def within(self, table: int, keys: KeyRange) -> list[tuple[bytes, bytes]]:
        """The rows of a table that wait to be put, in the order of their keys."""
        return sorted(self._alive(table, keys))

    def _alive(self, table: int, keys: KeyRange) -> Iterator[tuple[bytes, bytes]]:
        for (kind, number, key), waiting in self._waiting.items():
            if kind != _ROW or number != table or waiting.value is None or key not in keys:
                continue
            if self._drops.covering(table, key, waiting.turn) is None:
                yield key, waiting.value

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
            waiting = self._waiting.pop(place)
            taken.rows += 1
            if self._drops.covering(table, key, waiting.turn) is None:
                taken.add(table, key, waiting.value)
        return taken
