"""Paths of locks, as the server in memory keeps them: parts that mean the same are the same."""

from typing import Any

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.errors import shown
from coordinate_protocol.values import key_value

__all__ = ["Path", "path_of", "path_text", "path_value"]

Path = tuple[bytes, ...]
"""The parts of a path, each as CBOR."""

_MOST_PARTS = 64


def path_of(value: object, *, empty: bool = False) -> Path:
    """Read a path.

    Args:
        value: what came: an array of 1 to 64 parts.
        empty: whether it may have no parts.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(value, list | tuple) or not (value or empty) or len(value) > _MOST_PARTS:
        right = f"an array of 1 to {_MOST_PARTS} parts"
        raise ValueError(f"a path should be {right}, not {shown(value)}")
    return tuple(encode(_plain(part)) for part in value)


def path_value(path: Path) -> list[Any]:
    """Give a path as it goes out."""
    return [decode(part) for part in path]


def path_text(path: Path) -> str:
    """Give a path for people."""
    return "/" + "/".join(str(part) for part in path_value(path))


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
    right = "text, numbers and tuples of such"
    raise ValueError(f"parts of a path should be {right}, not {shown(value)}")
