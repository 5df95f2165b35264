"""Ranges of keys: bytes in their natural order, where a prefix stands for an interval."""

from typing import Final

from attrs import frozen

__all__ = ["KeyRange", "successor"]

_HIGHEST_BYTE: Final = b"\xff"


def successor(prefix: bytes) -> bytes | None:
    """The least key that is greater than every key with this prefix, or None if there is none."""
    stem = prefix.rstrip(_HIGHEST_BYTE)
    return stem[:-1] + bytes((stem[-1] + 1,)) if stem else None


@frozen
class KeyRange:
    """The keys from ``low`` up to, not including, ``high``; without an end where that is None."""

    low: bytes
    high: bytes | None

    @classmethod
    def page(cls, prefix: bytes, after: bytes | None = None) -> "KeyRange":
        """The keys that begin with the prefix and, if ``after`` is given, are greater than it."""
        low = prefix if after is None else max(prefix, after + b"\0")
        return cls(low, successor(prefix))

    def __contains__(self, key: bytes) -> bool:
        return key >= self.low and (self.high is None or key < self.high)
