"""The text form of values in the vectors and in the recording, and the files they are in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

HERE = Path(__file__).parent


def vectors(name, section):
    """The rows of one section of a vector file."""
    return json.loads((HERE / "vectors" / f"{name}.json").read_text())[section]


def exchanges():
    """The exchanges of the recording."""
    return json.loads((HERE / "transcript-0.1.5.json").read_text())["exchanges"]


def names(rows):
    """What pytest calls the rows."""
    return [row["name"] for row in rows]


def value_of(text):
    """The value that a text form stands for."""
    if isinstance(text, list):
        return [value_of(item) for item in text]
    if isinstance(text, dict):
        ((kind, content),) = text.items()
        return READERS[kind](content)
    return text


READERS: dict[str, Callable[[Any], Any]] = {
    "map": lambda pairs: {value_of(key): value_of(item) for key, item in pairs},
    "tuple": lambda items: tuple(value_of(item) for item in items),
    "bytes": bytes.fromhex,
    "uuid": UUID,
    "integer": int,
    "float": float,
}


def recorded(value):
    """The form that a value has in the recording."""
    if isinstance(value, dict):
        return {recorded_key(key): recorded(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return {"tag 128": [recorded(item) for item in value]}
    if isinstance(value, list):
        return [recorded(item) for item in value]
    if isinstance(value, bytes):
        return recorded_bytes(value)
    return f"UUID('{value}')" if isinstance(value, UUID) else value


def recorded_bytes(value):
    """Bytes as the recording writes them: escapes as in a literal, quotes without any."""
    inner = value.decode("latin-1").encode("unicode_escape").decode()
    return f"b'{inner}'"


def recorded_key(key):
    """A map key, which JSON has as text only."""
    return str(key) if isinstance(key, int) else recorded(key)
