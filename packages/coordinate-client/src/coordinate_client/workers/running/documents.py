"""A unit's data as JSON, for commands, and what commands print."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from coordinate_client.exceptions import ProgrammerError

__all__ = ["as_json", "of_json"]


def as_json(data: Any) -> bytes:
    """The JSON of a unit's data, in UTF-8: byte strings are base64 text, UUIDs text, tuples arrays.

    Names in maps that are no text become text in the same way.

    Args:
        data: whatever the protocol carries.
    """
    return json.dumps(_plain(data), ensure_ascii=False).encode(errors="backslashreplace")


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {_name(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value


def _name(key: Any) -> Any:
    plain = _plain(key)
    return plain if isinstance(plain, (str, int, float, bool, type(None))) else str(plain)


def of_json(text: bytes) -> Any:
    """The value of a JSON document.

    Raises:
        ProgrammerError: it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProgrammerError(f"the standard output is no JSON: {error}") from error
