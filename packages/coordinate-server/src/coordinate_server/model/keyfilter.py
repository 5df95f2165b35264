"""Which keys are surely not in a set, in two or three bytes a key (a Bloom filter that grows)."""

from collections.abc import Sequence
from typing import Final

__all__ = ["KeyFilter"]

_FIRST_WIDTH: Final = 16
_BITS_PER_KEY: Final = 12
_LOW: Final = 2**30 - 1
"""Python's numbers of at most 30 bits are the quick ones; a part has no more bits than this."""


class KeyFilter:
    """A set of keys that says "surely not" or "maybe", and takes nothing out.

    Each key has four bits. A part that is full says "maybe" for one key in 150 that is not in it;
    then a further one begins, twice as large, for which no key needs to be known again. So a key
    costs 12 bits at best, and 24 at the moment after that. Where which bits are is this process's
    own and never written down.
    """

    __slots__ = ("_parts", "_room", "_width")

    def __init__(self) -> None:
        self._width = _FIRST_WIDTH - 1
        # Bits and what places are masked with; the largest part, which has most keys, is first.
        self._parts: list[tuple[bytearray, int]] = []
        self._grow()

    def _grow(self) -> None:
        # Zeroed memory that nobody has touched costs the system no time.
        self._width = min(self._width + 1, _LOW.bit_length())
        self._parts.insert(0, (bytearray(1 << (self._width - 3)), (1 << self._width) - 1))
        self._room = (1 << self._width) // _BITS_PER_KEY

    def maybe(self, key: bytes) -> bool:
        """Whether a key may be in it; False is certain."""
        code = hash(key)
        first, step = code & _LOW, code >> 30 & _LOW | 1
        for bits, mask in self._parts:
            # In one expression: a loop, or a call, takes three times as long.
            if (
                bits[(place := first & mask) >> 3] >> (place & 7) & 1
                and bits[(place := (first + step) & mask) >> 3] >> (place & 7) & 1
                and bits[(place := (first + 2 * step) & mask) >> 3] >> (place & 7) & 1
                and bits[(place := (first + 3 * step) & mask) >> 3] >> (place & 7) & 1
            ):
                return True
        return False

    def add(self, key: bytes) -> None:
        """Put a key in."""
        if not self.maybe(key):
            self.add_all((key,))

    def add_all(self, keys: Sequence[bytes]) -> None:
        """Put keys in that are not in it, as far as the caller knows."""
        left = len(keys)
        while left:
            if not self._room:
                self._grow()
            some = min(left, self._room)
            self._set(keys[len(keys) - left : len(keys) - left + some])
            self._room -= some
            left -= some

    def _set(self, keys: Sequence[bytes]) -> None:
        bits, mask = self._parts[0]
        for code in map(hash, keys):
            place, step = code & _LOW, code >> 30 & _LOW | 1
            bits[(place & mask) >> 3] |= 1 << (place & 7)
            place += step
            bits[(place & mask) >> 3] |= 1 << (place & 7)
            place += step
            bits[(place & mask) >> 3] |= 1 << (place & 7)
            place += step
            bits[(place & mask) >> 3] |= 1 << (place & 7)
