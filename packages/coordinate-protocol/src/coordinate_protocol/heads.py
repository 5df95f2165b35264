"""What an item of CBOR begins with: for bytes that are put together from parts."""

from struct import Struct
from typing import Final

__all__ = ["ARRAY", "BYTES", "TAG", "TEXT", "UNSIGNED", "head"]

UNSIGNED: Final = 0
BYTES: Final = 2
TEXT: Final = 3
ARRAY: Final = 4
TAG: Final = 6

_KIND: Final = 5
_SHORT: Final = 24
_BYTE: Final = tuple(bytes((number,)) for number in range(256))
_WIDE: Final = (
    (1 << 8, 24, Struct(">BB")),
    (1 << 16, 25, Struct(">BH")),
    (1 << 32, 26, Struct(">BI")),
    (1 << 64, 27, Struct(">BQ")),
)


def head(kind: int, number: int) -> bytes:
    """The first bytes of an item, in their shortest form (RFC 8949, 3).

    Args:
        kind: its major type: `UNSIGNED`, `BYTES`, ...
        number: its value, length, size or tag, from 0 to 2**64 - 1.

    Raises:
        ValueError: for a number out of that range.
    """
    if 0 <= number < _SHORT:
        return _BYTE[kind << _KIND | number]
    for end, how, packed in _WIDE:
        if 0 <= number < end:
            return packed.pack(kind << _KIND | how, number)
    raise ValueError(f"{number} is out of the range 0 to 2**64 - 1")
