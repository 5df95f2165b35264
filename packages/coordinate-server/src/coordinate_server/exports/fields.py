"""One line of an export: the fields of a row for people, from which the same row can be made.

A unit is one line, made of its two rows; its spec is named, and not told by its number. The other
rows have a ``key`` and a ``value``, each in the way of its table.
"""

from collections.abc import Callable
from typing import Any, Final

import cbor2
from attrs import define, field

from coordinate_server.exports.values import (
    cbor_from,
    cbor_value,
    plain_value,
    text_from,
    text_value,
)
from coordinate_server.model.changes import (
    AREA,
    ASKED,
    ATTEMPT,
    DATA,
    EDGE,
    LOCK,
    META,
    RATE,
    REPLY,
    SPEC,
    TABLES,
    UNIT,
    WORKER,
    Row,
)
from coordinate_server.model.rows import ID_BYTES, id_bytes

__all__ = ["Fields", "Line"]

Line = dict[str, Any]

_To = Callable[[bytes], Any]
_From = Callable[[Any], bytes]

_TEXT: Final[tuple[_To, _From]] = (text_value, text_from)
_ITEM: Final[tuple[_To, _From]] = (cbor_value, cbor_from)
# How the key and the value of a row are told.
_WAYS: Final = {
    META: (_TEXT, _ITEM),
    WORKER: (_ITEM, _ITEM),
    AREA: (_TEXT, _TEXT),
    LOCK: (_ITEM, _ITEM),
    REPLY: (_TEXT, _ITEM),
    ATTEMPT: (_TEXT, _ITEM),
    EDGE: (_TEXT, _ITEM),
    RATE: (_TEXT, _ITEM),
    ASKED: (_ITEM, _ITEM),
    DATA: (_TEXT, _ITEM),
    UNIT: (_TEXT, _ITEM),
    SPEC: (_TEXT, _ITEM),
}
_NUMBERS: Final = {name: number for number, name in TABLES.items()}

# The places of the array that a unit's row is; those at the end may be missing.
_STATE: Final = (
    *("status", "priority", "attempt", "worker_id", "deadline", "not_before", "ended"),
    *("began", "history", "locks", "held"),
)
_LEAST_STATE: Final = 7
_SPEC_FIELDS: Final = ("namespace", "definition", "controls", "archived", "maker")


@define
class Fields:
    """Rows to lines and back; the specs go first, for the others name them."""

    _names: dict[bytes, tuple[str, str]] = field(factory=dict)
    _ids: dict[tuple[str, str], bytes] = field(factory=dict)

    def spec_line(self, key: bytes, value: bytes) -> Line:
        """Give the line of a spec."""
        said = cbor_value(value)
        name = _spec_name(said)
        if len(key) != ID_BYTES or name is None or not said.keys() <= set(_SPEC_FIELDS):
            return self.row_line(SPEC, key, value)
        self._note(key, name)
        return {"table": TABLES[SPEC], "id": int.from_bytes(key, "big"), **said}

    def unit_line(self, key: bytes, value: bytes | None, data: bytes | None) -> Line:
        """Give the line of a unit, whose rows are there, or one of them."""
        line: Line = {"table": TABLES[UNIT], **self._place(key)}
        if value is not None:
            line |= _state(value)
        if data is not None:
            line["data"] = plain_value(data)
        return line

    def row_line(self, table: int, key: bytes, value: bytes) -> Line:
        """Give the line of any other row."""
        (say_key, _), (say_value, _) = _WAYS[table]
        return {"table": TABLES[table], "key": say_key(key), "value": say_value(value)}

    def rows(self, line: Line) -> list[Row]:
        """Give the rows that a line tells of.

        Raises:
            ValueError: it is no line of an export, or names a spec that no line before it has.
            KeyError: a field is missing.
        """
        table = _NUMBERS.get(line["table"])
        if table is None:
            raise ValueError(f"table {line['table']!r} should be one of {', '.join(_NUMBERS)}")
        if "value" in line:
            (_, unsay_key), (_, unsay_value) = _WAYS[table]
            return [(table, unsay_key(line["key"]), unsay_value(line["value"]))]
        if table == SPEC:
            return [self._spec_row(line)]
        if table != UNIT:
            raise KeyError("value")
        return self._unit_rows(line)

    def _spec_row(self, line: Line) -> Row:
        key = id_bytes(line["id"])
        said = {name: value for name, value in line.items() if name not in {"table", "id"}}
        name = _spec_name(said)
        if name is None:
            raise ValueError("a spec needs a namespace, and a definition with a name")
        if name in self._ids or key in self._names:
            raise ValueError(f"work spec {name[1]!r}, or its id, is there twice")
        self._note(key, name)
        return SPEC, key, cbor_from(said)

    def _unit_rows(self, line: Line) -> list[Row]:
        key = self._id(line) + text_from(line["key"])
        rows: list[Row] = []
        if "state" in line:
            rows.append((UNIT, key, cbor_from(line["state"])))
        elif "status" in line:
            rows.append((UNIT, key, cbor2.dumps(_state_items(line))))
        if "data" in line:
            rows.append((DATA, key, cbor_from(line["data"])))
        return rows

    def _note(self, key: bytes, name: tuple[str, str]) -> None:
        self._names[key] = name
        self._ids[name] = key

    def _place(self, key: bytes) -> Line:
        spec, rest = key[:ID_BYTES], key[ID_BYTES:]
        if spec not in self._names:
            return {"spec_id": text_value(spec), "key": text_value(rest)}
        namespace, name = self._names[spec]
        return {"namespace": namespace, "spec": name, "key": text_value(rest)}

    def _id(self, line: Line) -> bytes:
        if "spec_id" in line:
            return text_from(line["spec_id"])
        found = self._ids.get((line["namespace"], line["spec"]))
        if found is None:
            raise ValueError(f"no line before has the work spec {line['spec']!r} of that namespace")
        return found


def _spec_name(said: Any) -> tuple[str, str] | None:
    """Find the namespace and the name in what a spec's row says."""
    match said:
        case {"namespace": str(namespace), "definition": {"name": str(name)}}:
            return namespace, name
    return None


def _state(value: bytes) -> Line:
    said = cbor_value(value)
    if not isinstance(said, list) or not _LEAST_STATE <= len(said) <= len(_STATE):
        return {"state": said}
    return dict(zip(_STATE, said, strict=False))


def _state_items(line: Line) -> list[Any]:
    present = [name for name in _STATE if name in line]
    if present != list(_STATE[: len(present)]) or len(present) < _LEAST_STATE:
        raise ValueError(f"a unit needs the fields {', '.join(_STATE[:_LEAST_STATE])}")
    return [cbor2.loads(cbor_from(line[name])) for name in present]
