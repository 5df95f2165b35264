"""The lines of an export, out of the rows of a file."""

import json
from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter

from coordinate_server.exports.fields import Fields, Line
from coordinate_server.model.changes import DATA, SPEC, TABLES, UNIT
from coordinate_server.store.sqlite.inspection import Inspection

__all__ = ["VERSION", "export_lines", "header"]

VERSION = 1


def header(schema: int) -> Line:
    """Give the first line: what this is."""
    return {"coordinate": "export", "version": VERSION, "schema": schema}


def export_lines(file: Inspection) -> Iterator[str]:
    """Give the lines of an export, without their ends, in an order that depends on the rows alone.

    Arguments:
        file: the file, whose journal has been read.
    """
    fields = Fields()
    yield _line(header(file.schema))
    for key, value in file.table(SPEC):
        yield _line(fields.spec_line(key, value))
    yield from _units(file, fields)
    for table in sorted(TABLES.keys() - {SPEC, UNIT, DATA}):
        for key, value in file.table(table):
            yield _line(fields.row_line(table, key, value))


def _units(file: Inspection, fields: Fields) -> Iterator[str]:
    """Give each unit once: its state and its data have the same key."""
    states = ((key, UNIT, value) for key, value in file.table(UNIT))
    data = ((key, DATA, value) for key, value in file.table(DATA))
    for key, rows in groupby(merge(states, data), itemgetter(0)):
        found = {table: value for _key, table, value in rows}
        yield _line(fields.unit_line(key, found.get(UNIT), found.get(DATA)))


def _line(line: Line) -> str:
    return json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
