"""Paths of locks: what may come as one, how it is kept, and how people read it.

A part is kept as its CBOR bytes, in one form for all that means the same: text for UTF-8 bytes, a
whole number for a float that is one. Bytes are hashed with a secret; numbers are not, and a caller
could choose ones that make a map slow.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import cbor2

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.errors import shown
from coordinate_protocol.limits import ANSWER_LIMITS
from coordinate_protocol.values import key_value
from coordinate_server.model.errors import Refused

__all__ = [
    "MOST_PARTS",
    "ApartPaths",
    "Path",
    "part_of",
    "path_bytes",
    "path_from",
    "path_of",
    "path_text",
    "path_value",
    "require_apart",
    "require_distinct",
]

Path = tuple[bytes, ...]
"""The parts of a path, each as CBOR."""

MOST_PARTS: Final = 64
_MOST_SHOWN: Final = 200
# The head of a CBOR array (RFC 8949, 3): up to 23 items in its own byte, up to 255 in the next.
_ARRAY: Final = 0x80
_SHORT: Final = 24
_PARTS: Final = "text, numbers and tuples of such"


def path_of(value: object, most_bytes: int, *, empty: bool = False) -> Path:
    """Read a path.

    Arguments:
        value: what came: an array of 1 to 64 parts.
        most_bytes: how long it may be, encoded.
        empty: whether it may have no parts.

    Raises:
        ValueError: it is none; says what is right.
    """
    if not isinstance(value, list | tuple) or not (value or empty) or len(value) > MOST_PARTS:
        raise ValueError(f"a path should be an array of 1 to {MOST_PARTS} parts, not {_but(value)}")
    path = tuple([part_of(part) for part in value])
    size = len(path_bytes(path))
    if size > most_bytes:
        raise ValueError(
            f"path of {size} bytes is over the limit of {most_bytes}"
            " (setting: server.limits.key_bytes)"
        )
    return path


def _but(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"one of {len(value)}"
    return shown(value)


def part_of(value: object) -> bytes:
    """Read one part of a path.

    Raises:
        ValueError: it is neither text, bytes, a number nor a tuple of such.
    """
    if type(value) is str:
        return cbor2.dumps(value)
    return encode(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return key_value(value)
    if isinstance(value, list | tuple):
        return tuple(_plain(part) for part in value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # NaN is not equal to itself, so nobody could ever unlock it.
    if isinstance(value, str) or (number and value == value):  # noqa: PLR0124 - NaN
        return value
    raise ValueError(f"parts of a path should be {_PARTS}, not {shown(value)}")


def path_bytes(path: Path) -> bytes:
    """Give a path as one CBOR array."""
    number = len(path)
    head = bytes([_ARRAY + number]) if number < _SHORT else bytes([_ARRAY + _SHORT, number])
    return head + b"".join(path)


def path_from(data: bytes) -> Path:
    """Read what ``path_bytes`` made.

    Raises:
        ProtocolError: it is not CBOR.
        ValueError: it is no path.
    """
    return path_of(decode(data, ANSWER_LIMITS), len(data), empty=True)


def path_value(path: Path) -> list[Any]:
    """Give a path as it goes out."""
    return [decode(part, ANSWER_LIMITS) for part in path]


def path_text(path: Path) -> str:
    """Give a path for people: ``/index/shard/3``, parts that could be misread by their repr."""
    text = "/" + "/".join(_part_text(part) for part in path_value(path))
    half = _MOST_SHOWN // 2
    return text if len(text) <= _MOST_SHOWN else f"{text[:half]}...{text[-half:]}"


def _part_text(part: object) -> str:
    plain = isinstance(part, str) and part and part.isprintable() and "/" not in part
    return str(part) if plain else shown(part)


def require_apart(paths: Sequence[Path]) -> None:
    """Refuse paths of which two are equal, or one is under another.

    Raises:
        Refused: it names them.
    """
    if len(paths) < 2:  # noqa: PLR2004 - one is apart from the others
        return
    # What is under a path comes right after it.
    for path, following in pairwise(sorted(paths)):
        if following[: len(path)] == path:
            where = (
                "twice" if path == following else f"and {path_text(following)}, which is under it"
            )
            raise Refused(f"{path_text(path)} is asked for {where}")


class ApartPaths:
    """Paths that are apart from each other.

    Attributes:
        paths: in the order in which they were taken in.
    """

    def __init__(self) -> None:
        self.paths: dict[Path, None] = {}
        self._above: set[Path] = set()

    def add(self, path: Path) -> bool:
        """Take one in, unless it is one of the others, or under or above one."""
        beginnings = [path[:depth] for depth in range(1, len(path))]
        if (
            path in self.paths
            or path in self._above
            or not self.paths.keys().isdisjoint(beginnings)
        ):
            return False
        self.paths[path] = None
        self._above.update(beginnings)
        return True


def require_distinct(paths: Sequence[Path]) -> None:
    """Refuse paths of which two are equal.

    Raises:
        Refused: it names one.
    """
    seen: set[Path] = set()
    for path in paths:
        if path in seen:
            raise Refused(f"{path_text(path)} is asked for twice")
        seen.add(path)
