"""Which of many dicts a unit is in, by its key.

One dict of ten million keys takes half a second to grow, and equal ones all grow at once.
"""

from bisect import bisect_right
from itertools import accumulate
from typing import Final

__all__ = ["MASK", "SHARDS", "SHARD_OF"]

SHARDS: Final = 128
_PLACES: Final = 4096
MASK: Final = _PLACES - 1


def _shares() -> bytes:
    """Give which dict each of the places goes to: each gets a little more than the one before.

    The last gets twice what the first does. A dict grows when what is in it has doubled; were all
    of them as large, all would grow at once.
    """
    sizes = [2 ** (number / SHARDS) for number in range(SHARDS)]
    ends = [_PLACES * end / sum(sizes) for end in accumulate(sizes)]
    return bytes(min(bisect_right(ends, place), SHARDS - 1) for place in range(_PLACES))


SHARD_OF: Final = _shares()
"""The number of the dict of each place, which is a key's CRC-32 with the mask."""
