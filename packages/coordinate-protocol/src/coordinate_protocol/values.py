"""What a value on the wire may be, and what text and byte strings mean for names and keys.

Python 2 clients send every native string as a byte string. Names and map keys that arrive as UTF-8
bytes are the same as that text; other values stay what they were.
"""

from collections.abc import Callable
from typing import Any

from attrs import define

from coordinate_protocol.errors import BadName, DecodeError, shown

__all__ = ["Encoded", "as_text", "byte_keys", "key_bytes", "key_value", "text_keys"]


@define
class Encoded:
    """A value that is CBOR already, embedded in a message as it is.

    Args:
        data: one well-formed item; nobody looks at it again before it goes out.
    """

    data: bytes


def as_text(value: object) -> str:
    """The text of a name.

    Args:
        value: text, or bytes that are UTF-8.

    Raises:
        BadName: for anything else.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise BadName(f"{shown(value)} is not a name: it must be UTF-8") from None
    raise BadName(f"{shown(value)} is not a name: it must be text")


def key_bytes(value: object) -> bytes:
    """The bytes of a unit's key: UTF-8 for text, and bytes as they are.

    Args:
        value: text or bytes.

    Raises:
        BadName: for anything else, and for text with half of a surrogate pair.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise BadName(f"{shown(value)} is not a key: it has half a surrogate pair") from None
    raise BadName(f"{shown(value)} is not a key: it must be text or bytes")


def key_value(key: bytes) -> str | bytes:
    """A unit's key as it goes out: text where its bytes are UTF-8, else the bytes."""
    try:
        return key.decode()
    except UnicodeDecodeError:
        return key


def _key_as_text(key: Any) -> Any:
    return key_value(key) if isinstance(key, bytes) else key


def _key_as_bytes(key: Any) -> Any:
    return key.encode() if isinstance(key, str) else key


def text_keys(value: Any) -> Any:
    """The value with every map key that is UTF-8 bytes made text, at any depth.

    Args:
        value: a decoded value.

    Returns:
        The same object where nothing had to change.

    Raises:
        DecodeError: for a map with both the text and the bytes of one key.
    """
    return _with_keys(value, _key_as_text) if _has_key_of(bytes, value) else value


def byte_keys(value: Any) -> Any:
    """The value with every map key that is text made UTF-8 bytes: the opposite of `text_keys`.

    Args:
        value: a decoded value.

    Returns:
        The same object where nothing had to change.

    Raises:
        DecodeError: for a map with both the text and the bytes of one key.
    """
    return _with_keys(value, _key_as_bytes) if _has_key_of(str, value) else value


def _has_key_of(kind: type, value: Any) -> bool:
    """Whether a map in the value, at any depth, has a key of that type: most have none."""
    waiting = [value]
    for item in waiting:
        if isinstance(item, dict):
            if kind in map(type, item):
                return True
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple)):
            waiting.extend(item)
    return False


def _with_keys(value: Any, convert: Callable[[Any], Any]) -> Any:
    """Recursion goes no deeper than the decoder let the value be."""
    if isinstance(value, dict):
        return _map_with_keys(value, convert)
    if isinstance(value, (list, tuple)):
        items = [_with_keys(item, convert) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return tuple(items) if isinstance(value, tuple) else items
    return value


def _map_with_keys(value: dict[Any, Any], convert: Callable[[Any], Any]) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    changed = False
    for old_key, old in value.items():
        key, new = convert(old_key), _with_keys(old, convert)
        if key in result:
            raise DecodeError(f"map has the key {shown(key)} as text and as bytes: it may be once")
        result[key] = new
        changed = changed or key is not old_key or new is not old
    return result if changed else value
