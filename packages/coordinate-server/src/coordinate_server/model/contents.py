"""Looking into a unit's data, which otherwise stay the bytes that they came as."""

from collections.abc import Mapping
from typing import Any

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.errors import ProtocolError
from coordinate_protocol.limits import ANSWER_LIMITS

__all__ = ["content", "traceback_text", "with_traceback"]


def content(data: bytes, name: str) -> Any:
    """Give what a unit's data has under a name.

    0.1.5's clients send byte strings for names, so these count too.

    Arguments:
        data: the data as CBOR.
        name: a key of the map that they are, if they are one.

    Returns:
        The value; None if there is none, or the data are no map.

    Raises:
        ProtocolError: the data cannot be decoded.
    """
    # The word is in the bytes as it is, so most data need not be decoded to know it is not there.
    if name.encode() not in data:
        return None
    value = decode(data, ANSWER_LIMITS, integer_keys=True)
    return value.get(name, value.get(name.encode())) if isinstance(value, Mapping) else None


def traceback_text(data: bytes, most: int) -> str | None:
    """Give the last characters of the traceback that the data of a failed unit have, or None."""
    try:
        found = content(data, "traceback")
    except ProtocolError:
        return None
    if isinstance(found, bytes):
        found = found.decode(errors="replace")
    return found[-most:] if isinstance(found, str) else None


def with_traceback(data: bytes, text: str, most: int) -> bytes:
    """Give a unit's data with another traceback; data that are no map stay as they are.

    Arguments:
        data: the data as CBOR.
        text: the traceback.
        most: how many bytes the data may have; where they would be more, they stay as they are.
    """
    if len(data) > min(most, _REWRITTEN):
        return data
    try:
        value = decode(data, ANSWER_LIMITS, integer_keys=True)
        if not isinstance(value, Mapping):
            return data
        told = {key: found for key, found in value.items() if key != b"traceback"}
        changed = encode(told | {"traceback": text})
    except ProtocolError:
        return data
    return changed if len(changed) <= most else data


_REWRITTEN = 2**20
"""Data of more bytes are not decoded for it: others would wait for that."""
