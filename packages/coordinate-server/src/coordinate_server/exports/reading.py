"""The rows of an export, out of its lines; one bad line refuses all of it."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from coordinate_server.exports.fields import Fields, Line
from coordinate_server.exports.writing import header
from coordinate_server.model.changes import Row
from coordinate_server.row_faults import row_fault
from coordinate_server.store.interface import StoreError
from coordinate_server.store.sqlite.file_header import SCHEMA

__all__ = ["read_export"]


def read_export(lines: Iterable[bytes]) -> Iterator[Row]:
    """Give the rows that the lines of an export tell of.

    Raises:
        StoreError: a line is not of an export, which it names.
    """
    numbered = enumerate(lines, 1)
    _check_header(next(numbered, (1, b""))[1])
    fields = Fields()
    seen: set[tuple[int, bytes]] = set()
    for number, text in numbered:
        for row in _rows(fields, number, text):
            if row[:2] in seen:
                raise _bad(number, "a line before it has the same row")
            seen.add(row[:2])
            yield row


def _check_header(text: bytes) -> None:
    found = _object(1, text)
    schema = found.get("schema")
    if type(schema) is not int or found != header(schema):
        raise _bad(1, f"it should be {json.dumps(header(SCHEMA))}, not {text[:100]!r}")
    if schema > SCHEMA:
        raise _bad(1, f"schema {schema} is of a newer coordinated: this one knows {SCHEMA}")


def _rows(fields: Fields, number: int, text: bytes) -> list[Row]:
    line = _object(number, text)
    try:
        rows = fields.rows(line)
    except KeyError as error:
        raise _bad(number, f"it has no {error.args[0]!r}") from error
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _bad(number, str(error)) from error
    for row in rows:
        fault = row_fault(*row)
        if fault is not None:
            raise _bad(number, fault)
    return rows


def _object(number: int, text: bytes) -> Line:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad(number, f"it is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise _bad(number, f"it should be an object, not {text[:100]!r}")
    return found


def _bad(number: int, reason: str) -> StoreError:
    return StoreError(f"line {number} of the export: {reason}; nothing was imported")
