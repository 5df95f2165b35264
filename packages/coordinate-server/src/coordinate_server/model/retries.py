"""How long a failed unit waits before it is tried again."""

from math import inf
from zlib import crc32

__all__ = ["retry_delay"]

_CHANCES = 1 << 32


def retry_delay(
    base: float, factor: float, most: float, jitter: float, key: bytes, number: int
) -> float:
    """Give the seconds before a retry: longer each time, and a little different for each unit.

    Arguments:
        base: seconds before the first retry.
        factor: by how much each delay is longer than the one before.
        most: the longest delay in seconds.
        jitter: up to which share of the delay is taken off; a hash of key and number says how much.
        key: the unit's key.
        number: which retry, from 1.
    """
    try:
        grown = base * float(factor) ** (number - 1)
    except OverflowError:
        grown = inf if base else 0.0
    delay = min(grown, most)
    share = crc32(b"%b/%d" % (key, number)) / _CHANCES
    return delay * (1 - jitter * share)
