r"""Paths of locks as people write them, and as they are shown.

    /index/shard/3      parts, by slash; the first slash may be left out
    3, -3               a part that is a whole number, as JSON has it; 007 and 1.5 are text
    "3", "a/b", ""      a part in quotes is text, in JSON's spelling: \" and \\ for " and \
    ["a", 1.5, ["b"]]   a whole path as a JSON array, for floats, and tuples as arrays in it
    /                   no parts at all: everything, where something is looked for

What is shown can be read again, but for parts that are bytes and no text.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from coordinate_client.exceptions import ProgrammerError
from coordinate_client.paths import Path, as_path

__all__ = ["path_text", "read_path"]

_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]*")
# How Python writes bytes.
_BYTES: Final = "b'"


def read_path(text: str) -> Path:
    """Read a path.

    Arguments:
        text: in one of the forms above.

    Raises:
        ValueError: it is in none of them.
    """
    try:
        if text.startswith("["):
            return _from_json(text)
        if not text:
            raise ValueError("it is empty")
        return tuple(_parts(text.removeprefix("/")))
    except (ValueError, ProgrammerError) as error:
        raise ValueError(f"path {text!r}: {error}") from error


def _from_json(text: str) -> Path:
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError) as error:
        why = f"it is not JSON: {error}; as a part, [ can stand behind a slash"
        raise ValueError(why) from error
    return as_path([_part(part) for part in parts]) if parts else ()


def _part(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    return tuple(_part(inner) for inner in value) if isinstance(value, list) else value


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{text!r} has half of a surrogate pair") from error
    return text


def _parts(text: str) -> Iterator[Any]:
    """The parts; a slash at the end makes no further one, as with files."""
    left = text
    while left:
        if left.startswith('"'):
            part, left = _quoted(left)
            yield part
            continue
        word, _, left = left.partition("/")
        if not word:
            raise ValueError('it has a part without a name: write "" for empty text')
        yield int(word) if _NUMBER.fullmatch(word) else _word(word)


def _quoted(text: str) -> tuple[str, str]:
    """The text that a part in quotes means, and what follows the slash behind it."""
    try:
        part, end = json.JSONDecoder().raw_decode(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no text of JSON: {error}") from error
    if text[end : end + 1] not in {"", "/"}:
        raise ValueError(f"behind the quotes in {text!r} must come a slash, or nothing")
    return _text(part), text[end + 1 :]


def _word(word: str) -> str | bytes:
    """Text; or bytes, where somebody's shell gave what is no text."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return os.fsencode(word)
    return word


def path_text(path: Sequence[Any]) -> str:
    """A path as it is shown."""
    if all(isinstance(part, str | int | bytes) for part in path):
        return "/" + "/".join(_part_text(part) for part in path)
    return _json(path)


def _part_text(part: str | bytes | int) -> str:
    if not isinstance(part, str):
        return repr(part)
    plain = part.isprintable() and not any(c in '/" ' for c in part)
    misread = not part or _NUMBER.fullmatch(part) or part.startswith(_BYTES)
    return part if plain and not misread else _json(part)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=_escaped)
    if text.isprintable():
        return text
    # JSON has no rule against characters that do something to a terminal.
    return json.dumps(value, default=_escaped).replace("\x7f", "\\u007f")


def _escaped(part: bytes) -> str:
    return part.decode(errors="backslashreplace")
