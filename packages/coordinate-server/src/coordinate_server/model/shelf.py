"""The units of one spec that have ended and are rows alone: no memory knows them but a filter."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from attrs import define, frozen

from coordinate_protocol.constants import FAILED, FINISHED
from coordinate_server.model.changes import ATTEMPT, DATA, TABLES, UNIT
from coordinate_server.model.errors import DamagedRow
from coordinate_server.model.history import ATTEMPTS_KEPT
from coordinate_server.model.keyfilter import KeyFilter
from coordinate_server.model.ledger import Ledger
from coordinate_server.model.rows import (
    ENDED_HEADS,
    ID_BYTES,
    attempts_key,
    ended_heads,
    read_attempt,
    read_unit,
)
from coordinate_server.model.statuses import ENDED
from coordinate_server.model.unit import Unit

__all__ = ["CommittedRows", "Reader", "Shelf"]

_FIRST_PAGE: Final = 32
_PAGE: Final = 1000

_Page = Sequence[tuple[bytes, bytes]]
_IsHere = Callable[[bytes], bool]


class Reader(Protocol):
    """Gives rows that are committed, at once; ``store.interface.Store`` is one."""

    def get(self, table: int, key: bytes) -> bytes | None:
        """Give the value of one row, or None."""

    def scan(
        self, table: int, prefix: bytes = b"", after: bytes | None = None, limit: int = 1000
    ) -> Sequence[tuple[bytes, bytes]]:
        """Give the next rows whose keys begin with the prefix, in the order of their keys."""


@define(eq=False)
class CommittedRows:
    """Where ended units are that are not in memory: rows of a store.

    Arguments:
        reader: gives their rows.
        ledger: knows which of them are gone, though their rows are there until the next commit.
        failure: why a row could not be read; nothing of what is going on then may be committed.
    """

    reader: Reader
    ledger: Ledger
    failure: Exception | None = None

    def reading(self) -> "_Reading":
        """Read within it; an error is remembered, for a call may have changed half of something."""
        return _Reading(self)


@frozen
class _Reading:
    """What is read, or fails to be."""

    _committed: CommittedRows

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Remember what failed."""
        if isinstance(error, Exception):
            self._committed.failure = error


class Shelf:
    """The ended units of a spec that are not in memory.

    It is asked only for keys of which there is no unit in memory: a row under such a key, unless it
    is about to be deleted, is that of a unit that is here.

    Arguments:
        committed: where the rows are.
        spec_key: what they begin with.
    """

    __slots__ = ("_committed", "_filter", "_numbers", "_prefix", "_priority")

    def __init__(self, committed: CommittedRows, spec_key: bytes) -> None:
        self._committed, self._prefix = committed, spec_key
        # Keys of units, and what the keys of their attempts' rows begin with.
        self._filter = KeyFilter()
        self._numbers = {FINISHED: 0, FAILED: 0}
        # The priority that all of them have; None where they have several.
        self._priority: float | None = None

    def __len__(self) -> int:
        return sum(self._numbers.values())

    # ---- coming and going ----

    def put(self, unit: Unit) -> None:
        """Take in a unit whose rows are committed."""
        self._filter.add(unit.key)
        self._note(unit.status, unit.priority, 1)
        if unit.history is not None and unit.history.attempts:
            self.note_attempts(unit.key)

    def load(self, rows: _Page) -> Counter[int]:
        """Take in units that are written down already; gives how many are in each status."""
        self._filter.add_all([key[ID_BYTES:] for key, _ in rows])
        statuses = Counter[int]()
        for (status, priority), number in ended_heads(rows).items():
            self._note(status, priority, number)
            statuses[status] += number
        return statuses

    def _note(self, status: int, priority: float, number: int) -> None:
        if not self:
            self._priority = priority
        elif self._priority != priority:
            self._priority = None
        self._numbers[status] += number

    def note_attempts(self, key: bytes) -> None:
        """Take note that a unit has rows of earlier attempts."""
        self._filter.add(attempts_key(b"", key))

    def remove(self, unit: Unit) -> None:
        """Let a unit go, to memory or for good."""
        self._numbers[unit.status] -= 1

    # ---- one unit ----

    def maybe(self, key: bytes) -> bool:
        """Whether a unit may be here; False is certain, and no row is read."""
        return self._filter.maybe(key)

    def __contains__(self, key: bytes) -> bool:
        return self._filter.maybe(key) and self._row(key) is not None

    def find(self, key: bytes) -> Unit | None:
        """Give a unit as it is written down, or None; it stays here."""
        unit = self.head(key)
        if unit is not None:
            self.fill(unit)
        return unit

    def head(self, key: bytes) -> Unit | None:
        """Do as ``find``, without its data."""
        row = self._row(key) if self._filter.maybe(key) else None
        return None if row is None else self._head(key, row)

    def fill(self, head: Unit) -> None:
        """Read the data of a unit that was given without them."""
        head.data = self._data(head.key)

    def _row(self, key: bytes) -> bytes | None:
        row_key = self._prefix + key
        return None if self._committed.ledger.forgets(row_key) else self._get(UNIT, row_key)

    def _head(self, key: bytes, row: bytes) -> Unit:
        with self._committed.reading():
            unit = read_unit(key, b"", row)
            if unit.status not in ENDED:
                raise DamagedRow(TABLES[UNIT], self._prefix + key)
            if self._filter.maybe(attempts_key(b"", key)):
                self._add_attempts(unit)
        return unit

    def _add_attempts(self, unit: Unit) -> None:
        prefix = attempts_key(self._prefix, unit.key)
        rows = self._committed.reader.scan(ATTEMPT, prefix, None, ATTEMPTS_KEPT)
        if rows:
            unit.past().attempts = [read_attempt(key, row)[1] for key, row in rows]

    def _data(self, key: bytes) -> bytes:
        data = self._get(DATA, self._prefix + key)
        with self._committed.reading():
            if data is None:
                raise DamagedRow(TABLES[UNIT], self._prefix + key)
        return data

    def _get(self, table: int, row_key: bytes) -> bytes | None:
        with self._committed.reading():
            return self._committed.reader.get(table, row_key)

    def _scan(self, table: int, after: bytes | None, size: int) -> _Page:
        with self._committed.reading():
            return self._committed.reader.scan(table, self._prefix, after, size)

    # ---- all units ----

    def heads(self, is_here: _IsHere, low: bytes = b"") -> Iterator[Unit]:
        """Give all units without their data, by key; they may come and go meanwhile.

        Arguments:
            is_here: whether a unit of that key is in memory, and so none of these.
            low: the lowest key wanted.
        """
        for _, _, page in self._pages(low):
            yield from self._heads(page, is_here)

    def units(self, is_here: _IsHere, low: bytes = b"") -> Iterator[Unit]:
        """Do as ``heads``, with the data; nothing may change meanwhile."""
        for after, size, page in self._pages(low):
            # Mostly the rows of units are side by side, and their data so too.
            datas = dict(self._scan(DATA, after, size))
            for unit in self._heads(page, is_here):
                data = datas.get(self._prefix + unit.key)
                unit.data = self._data(unit.key) if data is None else data
                yield unit

    def _heads(self, page: _Page, is_here: _IsHere) -> Iterator[Unit]:
        for row_key, row in page:
            key = row_key[ID_BYTES:]
            # The page may be older than the end of a unit that has left memory since.
            away = row[:2] in ENDED_HEADS and not is_here(key)
            if away and not self._committed.ledger.forgets(row_key):
                yield self._head(key, row)

    def _pages(self, low: bytes) -> Iterator[tuple[bytes | None, int, _Page]]:
        """Give after which row a page begins, its size, and its rows; larger and larger ones."""
        after, size = None, _FIRST_PAGE
        if low:
            after = self._prefix + low
            first = self._get(UNIT, after)
            if first is not None:
                yield after, 1, [(after, first)]
        while page := self._scan(UNIT, after, size):
            yield after, size, page
            if len(page) < size:
                return
            after, size = page[-1][0], min(2 * size, _PAGE)

    def number(self, states: Any) -> int:
        """Give how many units there are in any of the statuses."""
        return sum(number for status, number in self._numbers.items() if status in states)

    @property
    def in_order(self) -> bool:
        """Whether all units have one priority, so that the order of keys is theirs."""
        return self._priority is not None
