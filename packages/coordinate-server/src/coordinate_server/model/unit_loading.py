"""Rebuilding the units from the rows of a store.

Most of them wait, or ended long ago, a million of them and more. So the rows come in pages, two
tables side by side, and no more of them is in memory than the page that is read and what becomes
of it.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby

from coordinate_server.model.changes import ATTEMPT, DATA, TABLES, UNIT
from coordinate_server.model.errors import DamagedRow
from coordinate_server.model.roster import Roster
from coordinate_server.model.rows import (
    ENDED_HEADS,
    FRESH_ROW,
    ID_BYTES,
    SIZE_BYTES,
    read_attempt,
    read_edge,
    read_unit,
)
from coordinate_server.model.unit import Unit

__all__ = ["Page", "Pages", "linked_units", "load_attempts", "load_units"]

Page = Sequence[tuple[bytes, bytes]]
"""Keys and values of rows of one table."""

Pages = Callable[[int], Iterable[Page]]
"""Gives all rows of a table, in the order of their keys."""


def load_units(
    pages: Pages,
    rosters: Mapping[bytes, Roster],
    linked: Container[bytes] | None,
    grace: float,
) -> None:
    """Take in the units; one that has only been added has a row in DATA and none in UNIT.

    Arguments:
        pages: everything that was committed.
        rosters: the specs by what their rows begin with.
        linked: the keys of the rows of units that have edges: these come into memory though they
            have ended. None where all do.
        grace: when what is leased ends, at the earliest.
    """
    rows = _Ahead(chain.from_iterable(pages(UNIT)))
    for page in pages(DATA):
        for spec_key, datas in _by_spec(page):
            roster, last = rosters.get(spec_key), datas[-1][0]
            if roster is None:
                raise DamagedRow(TABLES[DATA], last)
            states = rows.up_to(last)
            fresh = _load_known(roster, datas, states, linked, grace) if states else datas
            roster.load_fresh([(key[ID_BYTES:], data) for key, data in fresh])
            _require_none(states)
    _require_none(rows.rest())


def _load_known(
    roster: Roster,
    datas: Page,
    states: dict[bytes, bytes],
    linked: Container[bytes] | None,
    grace: float,
) -> Page:
    """Take in those that have rows of both kinds; gives the rest, and leaves other ``states``."""
    fresh, ended = [], []
    for key, data in datas:
        row = states.pop(key, FRESH_ROW)
        if row == FRESH_ROW:
            fresh.append((key, data))
        elif linked is None or row[:2] not in ENDED_HEADS or key in linked:
            roster.load(_read(key, row, data, grace))
        else:
            ended.append((key, row))
    if ended:
        roster.load_ended(ended)
    return fresh


def _by_spec(page: Page) -> Iterable[tuple[bytes, Page]]:
    """Give the rows of each spec, whose keys begin alike; those of a page mostly are of one."""
    first, last = page[0][0][:ID_BYTES], page[-1][0][:ID_BYTES]
    if first == last:
        return [(first, page)]
    return ((key, list(rows)) for key, rows in groupby(page, lambda row: row[0][:ID_BYTES]))


def _require_none(states: Mapping[bytes, bytes]) -> None:
    for key in states:
        raise DamagedRow(TABLES[DATA], key)


class _Ahead:
    """Rows in the order of their keys, taken as far as another table has got."""

    def __init__(self, rows: Iterator[tuple[bytes, bytes]]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def up_to(self, last: bytes) -> dict[bytes, bytes]:
        """Take those whose keys are not beyond the last one."""
        taken = {}
        while self._next is not None and self._next[0] <= last:
            taken[self._next[0]] = self._next[1]
            self._next = next(self._rows, None)
        return taken

    def rest(self) -> dict[bytes, bytes]:
        """Take one that is left, if any is."""
        return {} if self._next is None else dict([self._next])


def _read(key: bytes, row: bytes, data: bytes, grace: float) -> Unit:
    unit = read_unit(key[ID_BYTES:], data, row)
    if unit.deadline is not None and unit.deadline < grace:
        unit.deadline = grace
    return unit


def linked_units(edges: Mapping[bytes, bytes]) -> set[bytes]:
    """Give the keys of the rows of all units that need others or are needed."""
    linked = set()
    for key, row in edges.items():
        later_spec, later, earlier_spec, earlier, _ = read_edge(key, row)
        linked |= {later_spec + later, earlier_spec + earlier}
    return linked


def load_attempts(pages: Pages, rosters: Mapping[bytes, Roster]) -> None:
    """Take in the attempts, oldest first; of units that stay rows, that there are any."""
    for key, row in chain.from_iterable(pages(ATTEMPT)):
        roster = rosters.get(key[:ID_BYTES])
        if roster is None:
            continue
        unit_key = key[ID_BYTES + SIZE_BYTES : -ID_BYTES]
        unit = roster.units.seen_here(unit_key)
        if unit is not None:
            unit.past().attempts.append(read_attempt(key, row)[1])
        elif roster.units.is_away(unit_key):
            roster.units.shelf().note_attempts(unit_key)
