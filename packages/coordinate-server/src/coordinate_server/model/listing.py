"""Which units come first, in the order in which they are listed; a page costs what is in memory.

Those in memory are in no order, so all of them are looked at. Of those that have left it, millions,
the rows are in the order of their keys, and only as many are read as a page has.
"""

from heapq import merge, nsmallest
from itertools import islice

from coordinate_server.model.roster import Roster
from coordinate_server.model.unit import Unit

__all__ = ["first_in_states", "first_units"]


def first_units(roster: Roster, low: bytes, limit: int) -> list[Unit]:
    """Give the units of the lowest keys, to look at.

    Arguments:
        roster: the spec.
        low: the lowest key wanted.
        limit: how many at most.
    """
    units = roster.units
    keys = nsmallest(limit, (key for key in units.keys_here() if key >= low))
    here = (unit for key in keys if (unit := units.seen_here(key)) is not None)
    return list(islice(merge(here, units.shelved(low), key=_key), limit))


def first_in_states(roster: Roster, states: frozenset[int], low: bytes, limit: int) -> list[Unit]:
    """Give the units in some statuses of the highest priority, among these of the lowest keys.

    Arguments:
        roster: the spec.
        states: the statuses wanted.
        low: the lowest key wanted.
        limit: how many at most.
    """
    here = (u for u in roster.units.here() if u.status in states and u.key >= low)
    found = nsmallest(limit, here, key=_rank)
    found += _shelved(roster, states, low, limit)
    return nsmallest(limit, found, key=_rank)


def _shelved(roster: Roster, states: frozenset[int], low: bytes, limit: int) -> list[Unit]:
    """Give those of them that are not in memory: if the keys alone say so, only the first ones."""
    units = roster.units
    number = units.number_shelved(states)
    if not number:
        return []
    heads = (unit for unit in units.shelved_heads(low) if unit.status in states)
    if units.shelf_in_order:
        return units.fill(islice(heads, min(number, limit)))
    return units.fill(nsmallest(limit, islice(heads, number), key=_rank))


def _key(unit: Unit) -> bytes:
    return unit.key


def _rank(unit: Unit) -> tuple[float, bytes]:
    return -unit.priority, unit.key
