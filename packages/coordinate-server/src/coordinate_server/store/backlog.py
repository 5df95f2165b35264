"""What is durable in the journal and waits to be written to its place.

Records wait in their order. Of each row only the last change is written, when its record's turn
comes; the earlier ones are passed over. A dropped prefix is dropped in its turn, too, and hides
what was put under it before.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from attrs import Factory, define, field

from coordinate_server.model.changes import DROP, PUT, TABLES, Change
from coordinate_server.store.keys import KeyRange

__all__ = ["ABSENT", "UNCHANGED", "Backlog", "Slice", "Unchanged"]


class Unchanged:
    """The type of `UNCHANGED`."""


# What the backlog says of a row: it is as it was written, or it is not there.
UNCHANGED: Final = Unchanged()
ABSENT: Final = None

_OLDEST: Final = -1


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
    """The prefixes that wait to be dropped, by table and length: how often, and the last turn."""

    _tables: dict[int, dict[int, dict[bytes, tuple[int, int]]]] = field(factory=dict)
    number: int = 0

    def add(self, table: int, prefix: bytes, turn: int) -> None:
        prefixes = self._tables.setdefault(table, {}).setdefault(len(prefix), {})
        times, _ = prefixes.get(prefix, (0, turn))
        prefixes[prefix] = times + 1, turn
        self.number += 1

    def remove(self, table: int, prefix: bytes) -> None:
        lengths = self._tables[table]
        times, turn = lengths[len(prefix)].pop(prefix)
        if times > 1:
            lengths[len(prefix)][prefix] = times - 1, turn
        elif not lengths[len(prefix)]:
            del lengths[len(prefix)]
        self.number -= 1

    def covering(self, table: int, key: bytes, since: int = _OLDEST) -> bytes | None:
        """A prefix of the key that was dropped after a turn, the shortest, or None."""
        lengths = self._tables.get(table, {})
        for length in sorted(lengths):
            found = lengths[length].get(key[:length])
            if found is not None and found[1] > since:
                return key[:length]
        return None


@define
class Backlog:
    """The rows and prefixes that wait, oldest first. Its length counts both."""

    _records: deque[tuple[int, Sequence[Change]]] = Factory(deque)
    # How many changes of the first record are done with.
    _done: int = 0
    # The last change of each row that waits, by table and key.
    _last: tuple[dict[bytes, Change], ...] = Factory(lambda: tuple({} for _ in TABLES))
    _drops: _Drops = Factory(_Drops)
    # When a row was changed last, if a drop waited then: the others are older than all that wait.
    _turns: dict[tuple[int, bytes], int] = Factory(dict)
    _turn: int = 0

    def __len__(self) -> int:
        return sum(map(len, self._last)) + self._drops.number

    @property
    def oldest(self) -> int | None:
        """The first record of the journal that is still needed, or None if none is."""
        return self._records[0][0] if self._records else None

    def add(self, seq: int, changes: Sequence[Change]) -> None:
        """Take in the changes of one record, in their order."""
        self._records.append((seq, changes))
        last = self._last
        for change in changes:
            op, table, key, _ = change
            if op == DROP:
                self._turn += 1
                self._drops.add(table, key, self._turn)
            else:
                last[table][key] = change
                if self._drops.number:
                    self._turn += 1
                    self._turns[table, key] = self._turn

    def get(self, table: int, key: bytes) -> bytes | Unchanged | None:
        """The value that waits for a row: bytes, `ABSENT`, or `UNCHANGED` if none waits."""
        change = self._last[table].get(key)
        if self._is_dropped(table, key):
            return ABSENT
        if change is None:
            return UNCHANGED
        return change[3] if change[0] == PUT else ABSENT

    def _is_dropped(self, table: int, key: bytes) -> bool:
        """Whether a drop that waits takes a row away, as it was changed last."""
        if not self._drops.number:
            return False
        turn = self._turns.get((table, key), _OLDEST)
        return self._drops.covering(table, key, turn) is not None

    def covering(self, table: int, key: bytes) -> bytes | None:
        """The prefix, waiting to be dropped, that a written row is under, or None."""
        return self._drops.covering(table, key)

    def within(self, table: int, keys: KeyRange) -> list[tuple[bytes, bytes]]:
        """The rows of a table that wait to be put, in the order of their keys."""
        return sorted(self._alive(table, keys))

    def _alive(self, table: int, keys: KeyRange) -> Iterator[tuple[bytes, bytes]]:
        for key, (op, _, _, value) in self._last[table].items():
            if op == PUT and key in keys and not self._is_dropped(table, key):
                yield key, value

    def next_drop(self) -> tuple[int, bytes] | None:
        """The table and the prefix to drop, if that is what has waited longest."""
        self._pass_over()
        op, table, key, _ = self._records[0][1][self._done]
        return (table, key) if op == DROP else None

    def dropped(self, table: int, prefix: bytes) -> None:
        """Nothing is left under the prefix that `next_drop` gave."""
        self._drops.remove(table, prefix)
        if not self._drops.number:
            self._turns.clear()
        self._done += 1
        self._pass_over()

    def take(self, rows: int, size: int) -> Slice:
        """Take out the rows that have waited longest, up to the next drop, and at least one.

        Args:
            rows: the most rows.
            size: how many bytes of values are enough.
        """
        taken = Slice()
        while self._records and self._take_of_first(taken, rows, size):
            self._records.popleft()
            self._done = 0
        self._pass_over()
        return taken

    def _take_of_first(self, taken: Slice, rows: int, size: int) -> bool:
        """Take rows of the first record; whether it is done with."""
        changes, last = self._records[0][1], self._last
        for change in islice(changes, self._done, None):
            op, table, key, value = change
            if op == DROP or taken.rows >= rows or taken.size >= size:
                return False
            self._done += 1
            if last[table].get(key) is change:
                del last[table][key]
                taken.rows += 1
                if not self._drops.number or not self._is_dropped(table, key):
                    taken.add(table, key, value if op == PUT else ABSENT)
        return True

    def _pass_over(self) -> None:
        """Go to the first change that is to be written: no later one is of the same row."""
        last, done = self._last, self._done
        while self._records:
            changes = self._records[0][1]
            while done < len(changes):
                change = changes[done]
                if change[0] == DROP or last[change[1]].get(change[2]) is change:
                    self._done = done
                    return
                done += 1
            self._records.popleft()
            done = 0
        self._done = 0
