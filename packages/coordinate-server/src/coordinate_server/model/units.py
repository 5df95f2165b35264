"""The units of one spec by key, as small as millions that wait need them to be.

A unit that has only been added is its data and nothing else; it is made a `Unit` when somebody asks
for it. The keys are spread over many dicts: one of ten million keys takes half a second to grow.
One that ended long ago is on the spec's shelf, which is rows, and comes back when it is asked for.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from sys import getsizeof
from typing import Any, Final
from zlib import crc32

from coordinate_protocol.constants import AVAILABLE, STANDARD
from coordinate_server.model.shards import MASK, SHARD_OF, SHARDS
from coordinate_server.model.shelf import Shelf
from coordinate_server.model.statuses import ENDED
from coordinate_server.model.unit import Unit

__all__ = ["Units"]

# A dict that has just grown has at most 70 bytes for each entry; it never shrinks by itself.
_WASTE: Final = 200
_SMALL: Final = 400


class Units:
    """Units by key, in no order that means anything; the same for the same calls.

    Arguments:
        new_shelf: makes the shelf when a unit is the first to go there; None where none ever does.
        on_return: called with each unit that comes back from the shelf.
    """

    __slots__ = ("_fresh", "_known", "_new_shelf", "_on_return", "_shelf")

    def __init__(
        self,
        new_shelf: Callable[[], Shelf] | None = None,
        on_return: Callable[[Unit], None] | None = None,
    ) -> None:
        # Apart from each other, since the garbage collector looks through a dict from end to end
        # once there is one object in it that it cares for; bytes alone it never looks at.
        self._known: list[dict[bytes, Unit]] = [{} for _ in range(SHARDS)]
        self._fresh: list[dict[bytes, bytes]] = [{} for _ in range(SHARDS)]
        self._new_shelf, self._on_return = new_shelf, on_return
        self._shelf: Shelf | None = None

    def __len__(self) -> int:
        return self.number_here + (0 if self._shelf is None else len(self._shelf))

    @property
    def number_here(self) -> int:
        """How many units are in memory."""
        return sum(map(len, self._known)) + sum(map(len, self._fresh))

    def __bool__(self) -> bool:
        return any(self._known) or any(self._fresh) or bool(self._shelf)

    def __contains__(self, key: bytes) -> bool:
        return self._is_here(key) or (self._shelf is not None and key in self._shelf)

    def _is_here(self, key: bytes) -> bool:
        shard = SHARD_OF[crc32(key) & MASK]
        return key in self._known[shard] or key in self._fresh[shard]

    # ---- one unit ----

    def get(self, key: bytes) -> Unit | None:
        """Give a unit, which may be changed; None if there is none."""
        shard = SHARD_OF[crc32(key) & MASK]
        unit = self._known[shard].get(key)
        if unit is None:
            data = self._fresh[shard].pop(key, None)
            if data is not None:
                unit = self._known[shard][key] = Unit(key, data)
            elif self._shelf is not None:
                unit = self._return(self._shelf, key)
        return unit

    def _return(self, shelf: Shelf, key: bytes) -> Unit | None:
        """Have a unit in memory again that is on the shelf."""
        unit = shelf.find(key)
        if unit is not None:
            shelf.remove(unit)
            self.add(unit)
            if self._on_return is not None:
                self._on_return(unit)
        return unit

    def __getitem__(self, key: bytes) -> Unit:
        unit = self.get(key)
        if unit is None:
            raise KeyError(key)
        return unit

    def seen(self, key: bytes) -> Unit | None:
        """Give a unit to look at, which must not be changed; None if there is none."""
        unit = self.seen_here(key)
        return self._shelf.find(key) if unit is None and self._shelf is not None else unit

    def seen_here(self, key: bytes) -> Unit | None:
        """Do as ``seen`` for the units that are in memory."""
        shard = SHARD_OF[crc32(key) & MASK]
        data = self._fresh[shard].get(key)
        return self._known[shard].get(key) if data is None else Unit(key, data)

    def head(self, key: bytes) -> Unit | None:
        """Do as ``seen``, but the data of a unit that is on the shelf may be missing."""
        unit = self.seen_here(key)
        return self._shelf.head(key) if unit is None and self._shelf is not None else unit

    def waiting(self, key: bytes, priority: float) -> Unit | None:
        """Give a unit if it is available and has this priority, else None."""
        # Not by `waits` and `get`, which look the key up twice: each hand-out asks this twice.
        shard = SHARD_OF[crc32(key) & MASK]
        unit = self._known[shard].get(key)
        if unit is None:
            data = self._fresh[shard].pop(key, None) if priority == STANDARD else None
            if data is None:
                return None
            unit = self._known[shard][key] = Unit(key, data)
        return unit if unit.status == AVAILABLE and unit.priority == priority else None

    def waits(self, key: bytes, priority: float) -> bool:
        """Whether there is such a unit that is available and has this priority."""
        shard = SHARD_OF[crc32(key) & MASK]
        unit = self._known[shard].get(key)
        if unit is None:
            return priority == STANDARD and key in self._fresh[shard]
        return unit.status == AVAILABLE and unit.priority == priority

    def is_away(self, key: bytes) -> bool:
        """Whether a unit is not in memory and may be on the shelf, which is not looked at."""
        return self._shelf is not None and not self._is_here(key) and self._shelf.maybe(key)

    # ---- many units ----

    def here(self) -> Iterator[Unit]:
        """Give all units in memory to look at; one that is to be changed has to be got."""
        for known in self._known:
            yield from known.values()
        for fresh in self._fresh:
            for key, data in fresh.items():
                yield Unit(key, data)

    def keys_here(self) -> Iterator[bytes]:
        """Give the keys of all units in memory."""
        return chain(chain.from_iterable(self._known), chain.from_iterable(self._fresh))

    def linked(self) -> Iterator[Unit]:
        """Give the units that need others or are needed; these are in memory, ended or not."""
        for known in self._known:
            yield from (unit for unit in known.values() if unit.links is not None)

    def shelved_heads(self, low: bytes = b"") -> Iterator[Unit]:
        """Give the units that are not in memory, without their data, by key from a lowest one."""
        return self._shelf.heads(self._is_here, low) if self._shelf else iter(())

    def fill(self, heads: Iterable[Unit]) -> list[Unit]:
        """Give units of ``shelved_heads`` with their data."""
        units = list(heads)
        if self._shelf is not None:
            for unit in units:
                self._shelf.fill(unit)
        return units

    def shelved(self, low: bytes = b"") -> Iterator[Unit]:
        """Give the units that are not in memory to look at, by key from a lowest one."""
        return self._shelf.units(self._is_here, low) if self._shelf else iter(())

    def number_shelved(self, states: Any) -> int:
        """Give how many units in any of the statuses are not in memory."""
        return 0 if self._shelf is None else self._shelf.number(states)

    @property
    def shelf_in_order(self) -> bool:
        """Whether the units that are not in memory all have one priority."""
        return self._shelf is None or self._shelf.in_order

    def __iter__(self) -> Iterator[bytes]:
        return chain(self.keys_here(), (unit.key for unit in self.shelved_heads()))

    def values(self) -> Iterator[Unit]:
        """Give all units to look at; one that is to be changed has to be got by its key."""
        return chain(self.here(), self.shelved())

    def places(self) -> Iterator[tuple[float, bytes]]:
        """Give priority and key of each unit that is available."""
        for known in self._known:
            for unit in known.values():
                if unit.status == AVAILABLE:
                    yield unit.priority, unit.key
        for key in chain.from_iterable(self._fresh):
            yield STANDARD, key

    def ended(self) -> Iterator[Unit | None]:
        """Give each unit that has ended, and None for others, so that one may stop anywhere.

        Units may change, come and go meanwhile; what ends meanwhile may be given or not, what
        leaves memory may be given twice, and what comes back may not be. The data may be missing.
        """
        for known in self._known:
            for key in list(known):
                unit = known.get(key)
                yield unit if unit is not None and unit.status in ENDED else None
        yield from self.shelved_heads()

    # ---- coming and going ----

    def add(self, unit: Unit) -> None:
        """Take in a unit; none of its key may be here."""
        self._known[SHARD_OF[crc32(unit.key) & MASK]][unit.key] = unit

    def add_fresh(self, key: bytes, data: bytes) -> None:
        """Do as ``add`` for a unit of which there is nothing to know but its data."""
        self._fresh[SHARD_OF[crc32(key) & MASK]][key] = data

    def rest(self, unit: Unit) -> None:
        """Keep no more of a unit than its data, if that is all that there is to it."""
        shard = SHARD_OF[crc32(unit.key) & MASK]
        if unit.is_fresh() and self._known[shard].get(unit.key) is unit:
            del self._known[shard][unit.key]
            self._fresh[shard][unit.key] = unit.data

    def remove(self, unit: Unit) -> None:
        """Let a unit go."""
        shard = SHARD_OF[crc32(unit.key) & MASK]
        if self._known[shard].pop(unit.key, None) is not None:
            return
        if self._fresh[shard].pop(unit.key, None) is None and self._shelf is not None:
            self._shelf.remove(unit)

    def shelve(self, key: bytes) -> None:
        """Have a unit leave memory if it has ended; its rows must be committed.

        One that others need, or that needs others, stays: what becomes of it is told to these.
        """
        known = self._known[SHARD_OF[crc32(key) & MASK]]
        unit = known.get(key)
        if unit is not None and unit.status in ENDED and unit.links is None:
            shelf = self.shelf()
            del known[key]
            shelf.put(unit)

    def shelf(self) -> Shelf:
        """Give the shelf, which is there from now on."""
        if self._shelf is None:
            if self._new_shelf is None:
                raise AssertionError("there is nowhere to read a unit from")
            self._shelf = self._new_shelf()
        return self._shelf

    def shrink(self) -> bool:
        """Give memory back where many have left, one dict each time; False if there is none."""
        dicts: list[list[dict[bytes, Any]]] = [self._known, self._fresh]
        for shards in dicts:
            for shard, units in enumerate(shards):
                if getsizeof(units) > _SMALL + _WASTE * len(units):
                    shards[shard] = dict(units)
                    return True
        return False
