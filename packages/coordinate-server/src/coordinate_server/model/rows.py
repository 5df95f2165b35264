"""Rows of the store: how specs, units, workers and counters are written down and read again.

A unit is two rows: what changes often (UNIT), and its data as they came (DATA).
"""

from typing import Any, Final

import cbor2
from attrs import evolve

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.errors import ProtocolError
from coordinate_protocol.limits import ANSWER_LIMITS
from coordinate_server.model.changes import META, SPEC, TABLES, UNIT, WORKER
from coordinate_server.model.errors import DamagedRow, ModelError
from coordinate_server.model.spec import CONTROLS, Spec, parse_spec
from coordinate_server.model.unit import Unit

__all__ = [
    "ATTEMPT_KEY",
    "CLOCK_KEY",
    "ID_BYTES",
    "SPEC_ID_KEY",
    "id_bytes",
    "read_number",
    "read_spec",
    "read_unit",
    "read_worker",
    "spec_row",
    "unit_row",
    "worker_key",
    "worker_row",
]

CLOCK_KEY: Final = b"clock"
ATTEMPT_KEY: Final = b"attempt"
SPEC_ID_KEY: Final = b"spec_id"
ID_BYTES: Final = 8

_NESTING = evolve(ANSWER_LIMITS, nesting=64)
_FAULTS = (cbor2.CBORDecodeError, ProtocolError, ModelError, ValueError, TypeError, KeyError)
# What a unit is when it has just been added, which most that wait are.
_FRESH: Final = cbor2.dumps([1, 0, 0, None, None, None, None])


def id_bytes(spec_id: int) -> bytes:
    """Give a spec's id as its units' rows begin with it: 8 bytes, big endian."""
    return spec_id.to_bytes(ID_BYTES, "big")


def unit_row(unit: Unit) -> bytes:
    """Write a unit down, without its data."""
    if unit.status == 1 and not unit.attempt and unit.priority == 0:
        return _FRESH
    row = [unit.status, unit.priority, unit.attempt, unit.worker_id]
    return cbor2.dumps([*row, unit.deadline, unit.not_before, unit.ended])


def read_unit(key: bytes, data: bytes, row: bytes) -> Unit:
    """Read a unit.

    Arguments:
        key: the unit's own key.
        data: its data.
        row: what ``unit_row`` made.

    Raises:
        DamagedRow: it is not that.
    """
    if row == _FRESH:
        return Unit(key, data)
    try:
        status, priority, attempt, worker_id, deadline, not_before, ended = cbor2.loads(row)
    except _FAULTS as error:
        raise DamagedRow(TABLES[UNIT], key) from error
    return Unit(key, data, priority, status, attempt, worker_id, deadline, not_before, ended)


def spec_row(
    namespace: str, spec: Spec, archived: dict[int, int], next_continuous: float | None
) -> bytes:
    """Write a spec down.

    Arguments:
        namespace: the name of its namespace.
        spec: the spec as it stands.
        archived: how many units of a status were forgotten.
        next_continuous: when the next unit may be made up, on ``wall``.
    """
    return encode(
        {
            "namespace": namespace,
            "definition": dict(spec.definition),
            "controls": spec.controls(),
            "archived": [[status, number] for status, number in sorted(archived.items())],
            "next_continuous": next_continuous,
        }
    )


def read_spec(key: bytes, row: bytes) -> tuple[str, Spec, dict[int, int], float | None]:
    """Read what ``spec_row`` made: namespace, spec, archived counts, next continuous moment.

    Raises:
        DamagedRow: it is not that.
    """
    try:
        value = decode(row, _NESTING, integer_keys=True)
        controls = {name: value["controls"][name] for name in CONTROLS}
        spec = evolve(parse_spec(value["definition"]), **controls)
        archived = {status: number for status, number in value["archived"]}  # noqa: C416 - pairs are arrays
        return value["namespace"], spec, archived, value["next_continuous"]
    except _FAULTS as error:
        raise DamagedRow(TABLES[SPEC], key) from error


def worker_key(namespace: str, worker_id: str) -> bytes:
    """Give the key of a worker's row."""
    return cbor2.dumps([namespace, worker_id])


def worker_row(mode: str, parent: str | None, heard: float, expiry: float | None) -> bytes:
    """Write a worker down, without what it said."""
    return cbor2.dumps([mode, parent, heard, expiry])


def read_worker(key: bytes, row: bytes) -> tuple[str, str, str, str | None, float, float | None]:
    """Read a worker: namespace, id, mode, parent, heard, expiry.

    Raises:
        DamagedRow: it is no worker.
    """
    try:
        namespace, worker_id = cbor2.loads(key)
        mode, parent, heard, expiry = cbor2.loads(row)
    except _FAULTS as error:
        raise DamagedRow(TABLES[WORKER], key) from error
    return namespace, worker_id, mode, parent, heard, expiry


def read_number(key: bytes, row: bytes) -> Any:
    """Read a counter or the clock.

    Raises:
        DamagedRow: it is no number.
    """
    try:
        value = cbor2.loads(row)
    except _FAULTS as error:
        raise DamagedRow(TABLES[META], key) from error
    if type(value) not in (int, float):
        raise DamagedRow(TABLES[META], key)
    return value
