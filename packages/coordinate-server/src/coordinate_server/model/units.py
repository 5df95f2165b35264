"""The units of one spec by key, as small as millions that wait need them to be.

A unit that has only been added is its data and nothing else; it is made a `Unit` when somebody asks
for it. The keys are spread over many dicts: one of ten million keys takes half a second to grow.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, chain
from typing import Final
from zlib import crc32

from coordinate_protocol.constants import AVAILABLE, STANDARD
from coordinate_server.model.statuses import ENDED
from coordinate_server.model.unit import Unit

__all__ = ["Units"]

_SHARDS: Final = 128
_PLACES: Final = 4096
_MASK: Final = _PLACES - 1


def _shares() -> bytes:
    """Give which dict each of the places goes to: each gets a little more than the one before.

    The last gets twice what the first does. A dict grows when what is in it has doubled; were all
    of them as large, all would grow at once.
    """
    sizes = [2 ** (number / _SHARDS) for number in range(_SHARDS)]
    ends = [_PLACES * end / sum(sizes) for end in accumulate(sizes)]
    return bytes(min(bisect_right(ends, place), _SHARDS - 1) for place in range(_PLACES))


_SHARD_OF: Final = _shares()


class Units:
    """Units by key, in no order that means anything; the same for the same calls."""

    __slots__ = ("_fresh", "_known")

    def __init__(self) -> None:
        # Apart from each other, since the garbage collector looks through a dict from end to end
        # once there is one object in it that it cares for; bytes alone it never looks at.
        self._known: tuple[dict[bytes, Unit], ...] = tuple({} for _ in range(_SHARDS))
        self._fresh: tuple[dict[bytes, bytes], ...] = tuple({} for _ in range(_SHARDS))

    def __len__(self) -> int:
        return sum(map(len, self._known)) + sum(map(len, self._fresh))

    def __bool__(self) -> bool:
        return any(self._known) or any(self._fresh)

    def __contains__(self, key: bytes) -> bool:
        shard = _SHARD_OF[crc32(key) & _MASK]
        return key in self._known[shard] or key in self._fresh[shard]

    def __iter__(self) -> Iterator[bytes]:
        return chain(chain.from_iterable(self._known), chain.from_iterable(self._fresh))

    def get(self, key: bytes) -> Unit | None:
        """Give a unit, which may be changed; None if there is none."""
        shard = _SHARD_OF[crc32(key) & _MASK]
        unit = self._known[shard].get(key)
        if unit is None:
            data = self._fresh[shard].pop(key, None)
            if data is not None:
                unit = self._known[shard][key] = Unit(key, data)
        return unit

    def __getitem__(self, key: bytes) -> Unit:
        unit = self.get(key)
        if unit is None:
            raise KeyError(key)
        return unit

    def seen(self, key: bytes) -> Unit | None:
        """Give a unit to look at, which must not be changed; None if there is none."""
        shard = _SHARD_OF[crc32(key) & _MASK]
        data = self._fresh[shard].get(key)
        return self._known[shard].get(key) if data is None else Unit(key, data)

    def values(self) -> Iterator[Unit]:
        """Give all units to look at; one that is to be changed has to be got by its key."""
        for known in self._known:
            yield from known.values()
        for fresh in self._fresh:
            for key, data in fresh.items():
                yield Unit(key, data)

    def waiting(self, key: bytes, priority: float) -> Unit | None:
        """Give a unit if it is available and has this priority, else None."""
        return self.get(key) if self.waits(key, priority) else None

    def waits(self, key: bytes, priority: float) -> bool:
        """Whether there is such a unit that is available and has this priority."""
        shard = _SHARD_OF[crc32(key) & _MASK]
        unit = self._known[shard].get(key)
        if unit is None:
            return priority == STANDARD and key in self._fresh[shard]
        return unit.status == AVAILABLE and unit.priority == priority

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

        Units may change, come and go meanwhile; what ends meanwhile may be given or not.
        """
        for known in self._known:
            for key in list(known):
                unit = known.get(key)
                yield unit if unit is not None and unit.status in ENDED else None

    def add(self, unit: Unit) -> None:
        """Take in a unit; none of its key may be here."""
        self._known[_SHARD_OF[crc32(unit.key) & _MASK]][unit.key] = unit

    def add_fresh(self, key: bytes, data: bytes) -> None:
        """Do as ``add`` for a unit of which there is nothing to know but its data."""
        self._fresh[_SHARD_OF[crc32(key) & _MASK]][key] = data

    def rest(self, unit: Unit) -> None:
        """Keep no more of a unit than its data, if that is all that there is to it."""
        shard = _SHARD_OF[crc32(unit.key) & _MASK]
        if unit.is_fresh() and self._known[shard].get(unit.key) is unit:
            del self._known[shard][unit.key]
            self._fresh[shard][unit.key] = unit.data

    def remove(self, unit: Unit) -> None:
        """Let a unit go."""
        shard = _SHARD_OF[crc32(unit.key) & _MASK]
        if self._known[shard].pop(unit.key, None) is None:
            del self._fresh[shard][unit.key]
