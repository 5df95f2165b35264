"""Rows of the store: how specs, units, workers and counters are written down and read again.

A unit is two rows: what changes often (UNIT), and its data as they came (DATA).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import cbor2
from attrs import astuple, evolve

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.constants import STANDARD
from coordinate_protocol.errors import ProtocolError
from coordinate_protocol.limits import ANSWER_LIMITS
from coordinate_server.model.calls import AttemptView
from coordinate_server.model.changes import (
    ASKED,
    ATTEMPT,
    EDGE,
    REPLY,
    SPEC,
    TABLES,
    UNIT,
    WORKER,
)
from coordinate_server.model.errors import DamagedRow, ModelError
from coordinate_server.model.history import History
from coordinate_server.model.locks.paths import path_bytes, path_from
from coordinate_server.model.maker import Maker
from coordinate_server.model.spec import CONTROLS, Spec, parse_spec
from coordinate_server.model.statuses import ENDED
from coordinate_server.model.unit import Unit

__all__ = [
    "ATTEMPT_KEY",
    "CLOCK_KEY",
    "ENDED_HEADS",
    "FRESH_ROW",
    "ID_BYTES",
    "SIZE_BYTES",
    "SPEC_ID_KEY",
    "asked_key",
    "attempt_key",
    "attempt_row",
    "attempts_key",
    "ended_heads",
    "id_bytes",
    "read_asked",
    "read_attempt",
    "read_edge",
    "read_number",
    "read_reply",
    "read_session",
    "read_spec",
    "read_unit",
    "read_worker",
    "reply_key",
    "reply_row",
    "session_row",
    "spec_row",
    "unit_row",
    "worker_key",
    "worker_row",
]

CLOCK_KEY: Final = b"clock"
ATTEMPT_KEY: Final = b"attempt"
SPEC_ID_KEY: Final = b"spec_id"
ID_BYTES: Final = 8
SIZE_BYTES: Final = 4

_NESTING = evolve(ANSWER_LIMITS, nesting=64)
_FAULTS = (cbor2.CBORDecodeError, ProtocolError, ModelError, ValueError, TypeError, KeyError)
_FRESH: Final = [1, 0, 0, None, None, None, None, None]
FRESH_ROW: Final = cbor2.dumps([1, 0, 0, None, None, None, None])
"""What a unit is when it has just been added, which most that wait are."""


# An array of seven to eleven, the second byte is the status.
ENDED_HEADS: Final = frozenset(
    bytes((array, status)) for array in range(0x87, 0x8C) for status in ENDED
)
"""What the rows of units that have ended begin with."""
_ZERO: Final = b"\x00"


def id_bytes(spec_id: int) -> bytes:
    """Give a spec's id as its units' rows begin with it: 8 bytes, big endian."""
    return spec_id.to_bytes(ID_BYTES, "big")


def unit_row(unit: Unit) -> bytes:
    """Write a unit down, without its data, its earlier attempts and what it needs."""
    past, locks = unit.history, unit.locks
    row: list[Any] = [unit.status, unit.priority, unit.attempt, unit.worker_id]
    row += [unit.deadline, unit.not_before, unit.ended, unit.began]
    # What stands at the end is left out where there is none of it.
    if past is None and locks is None and unit.held is None:
        return FRESH_ROW if row == _FRESH else cbor2.dumps(row)
    more = [
        None if past is None else _history(past),
        None if locks is None else [[path_bytes(path), mode] for path, mode in locks],
        unit.held,
    ]
    while more and more[-1] is None:
        more.pop()
    return cbor2.dumps(row + more)


def _history(past: History) -> list[Any]:
    row: list[Any] = [past.failures, past.lost, past.reason, past.culprit, past.output_error]
    return row if past.cancel is None else [*row, past.cancel]


def read_unit(key: bytes, data: bytes, row: bytes) -> Unit:
    """Read a unit.

    Arguments:
        key: the unit's own key.
        data: its data.
        row: what ``unit_row`` made.

    Raises:
        DamagedRow: it is not that.
    """
    if row == FRESH_ROW:
        return Unit(key, data)
    try:
        status, priority, attempt, worker_id, deadline, not_before, ended, *more = cbor2.loads(row)
        began, past, wanted, held = [*more, None, None, None, None][:4]
        history = History(*past) if past else None
        locks = tuple((path_from(path), mode) for path, mode in wanted) if wanted else None
    except _FAULTS as error:
        raise DamagedRow(TABLES[UNIT], key) from error
    unit = Unit(key, data, priority, status, attempt, worker_id, deadline, not_before, ended)
    unit.began, unit.history, unit.locks, unit.held = began, history, locks, held
    return unit


def ended_heads(rows: Sequence[tuple[bytes, bytes]]) -> Counter[tuple[int, float]]:
    """Count units by status and priority; each row begins like one of ``ENDED_HEADS``.

    Raises:
        DamagedRow: one is no unit's row.
    """
    heads = Counter[tuple[int, float]]()
    for head, number in Counter(row[1:3] for _, row in rows).items():
        # Nearly all have the usual priority, which is one byte.
        if head[1:] == _ZERO:
            heads[head[0], STANDARD] += number
        else:
            units = (read_unit(key, b"", row) for key, row in rows if row[1:3] == head)
            heads.update((unit.status, unit.priority) for unit in units)
    return heads


def attempt_key(spec_key: bytes, key: bytes, number: int) -> bytes:
    """Give the key of an attempt's row: spec id, length of the unit's key, it, and the number."""
    return attempts_key(spec_key, key) + number.to_bytes(ID_BYTES, "big")


def attempts_key(spec_key: bytes, key: bytes) -> bytes:
    """Give what the keys of the rows of a unit's attempts begin with."""
    return spec_key + len(key).to_bytes(SIZE_BYTES, "big") + key


def attempt_row(key: bytes, attempt: AttemptView) -> bytes:
    """Write an attempt down."""
    return cbor2.dumps([key, *astuple(attempt)])


def read_attempt(key: bytes, row: bytes) -> tuple[bytes, AttemptView]:
    """Read what ``attempt_row`` made: the unit's key, and the attempt.

    Raises:
        DamagedRow: it is not that.
    """
    try:
        unit_key, *fields = cbor2.loads(row)
        return unit_key, AttemptView(*fields)
    except _FAULTS as error:
        raise DamagedRow(TABLES[ATTEMPT], key) from error


def read_edge(key: bytes, row: bytes) -> tuple[bytes, bytes, bytes, bytes, bool]:
    """Read an edge: spec id and key of who needs, those of who is needed, and whether hard.

    Raises:
        DamagedRow: it is no edge.
    """
    try:
        hard = cbor2.loads(row)
    except _FAULTS as error:
        raise DamagedRow(TABLES[EDGE], key) from error
    begin = ID_BYTES + SIZE_BYTES
    end = begin + int.from_bytes(key[ID_BYTES:begin], "big")
    if type(hard) is not bool or len(key) < end + ID_BYTES:
        raise DamagedRow(TABLES[EDGE], key)
    return key[:ID_BYTES], key[begin:end], key[end : end + ID_BYTES], key[end + ID_BYTES :], hard


def spec_row(namespace: str, spec: Spec, archived: dict[int, int], maker: Maker) -> bytes:
    """Write a spec down.

    Arguments:
        namespace: the name of its namespace.
        spec: the spec as it stands.
        archived: how many units of a status were forgotten.
        maker: what is to be made up, and when.
    """
    return encode(
        {
            "namespace": namespace,
            "definition": dict(spec.definition),
            "controls": spec.controls(),
            "archived": [[status, number] for status, number in sorted(archived.items())],
            "maker": [maker.last, maker.next, maker.owed, maker.key],
        }
    )


def read_spec(key: bytes, row: bytes) -> tuple[str, Spec, dict[int, int], Maker]:
    """Read what ``spec_row`` made: namespace, spec, archived counts, what is to be made up.

    Raises:
        DamagedRow: it is not that.
    """
    try:
        value = decode(row, _NESTING, integer_keys=True)
        controls = {name: value["controls"][name] for name in CONTROLS}
        spec = evolve(parse_spec(value["definition"]), **controls)
        archived = {status: number for status, number in value["archived"]}  # noqa: C416 - pairs are arrays
        # A file of schema 1 has no maker.
        return value["namespace"], spec, archived, Maker(*value.get("maker", ()))
    except _FAULTS as error:
        raise DamagedRow(TABLES[SPEC], key) from error


def worker_key(namespace: str, worker_id: str) -> bytes:
    """Give the key of a worker's row."""
    return cbor2.dumps([namespace, worker_id])


def worker_row(
    mode: str, parent: str | None, heard: float, expiry: float | None, hosts: tuple[str, ...]
) -> bytes:
    """Write a worker down; of what it said, only the names of its host."""
    return cbor2.dumps([mode, parent, heard, expiry, *([list(hosts)] if hosts else ())])


def read_worker(
    key: bytes, row: bytes
) -> tuple[str, str, str, str | None, float, float | None, tuple[str, ...]]:
    """Read a worker: namespace, id, mode, parent, heard, expiry, names of its host.

    Raises:
        DamagedRow: it is no worker.
    """
    try:
        namespace, worker_id = cbor2.loads(key)
        mode, parent, heard, expiry, *more = cbor2.loads(row)
        hosts = tuple(more[0]) if more else ()
    except _FAULTS as error:
        raise DamagedRow(TABLES[WORKER], key) from error
    return namespace, worker_id, mode, parent, heard, expiry, hosts


def asked_key(namespace: str, kind: str, name: str) -> bytes:
    """Give the key of the row of what is asked of a worker, a host or everyone."""
    return cbor2.dumps([namespace, kind, name])


def read_asked(key: bytes, row: bytes) -> tuple[str, str, str, str]:
    """Read what is asked: namespace, kind and name of whom, and the mode.

    Raises:
        DamagedRow: it is not that.
    """
    try:
        namespace, kind, name = cbor2.loads(key)
        mode = cbor2.loads(row)
    except _FAULTS as error:
        raise DamagedRow(TABLES[ASKED], key) from error
    return namespace, kind, name, mode


def session_row(namespace: str) -> bytes:
    """Write a session down, without its answers; its name is the row's key."""
    return cbor2.dumps(namespace)


def read_session(key: bytes, row: bytes) -> str:
    """Read the namespace that a session is of.

    Raises:
        DamagedRow: it is no session.
    """
    try:
        namespace = cbor2.loads(row)
    except _FAULTS as error:
        raise DamagedRow(TABLES[REPLY], key) from error
    if type(namespace) is not str:
        raise DamagedRow(TABLES[REPLY], key)
    return namespace


def reply_key(session: bytes, slot: int) -> bytes:
    """Give the key of an answer's row: the session's name and the number of the row."""
    return session + slot.to_bytes(SIZE_BYTES, "big")


def reply_row(seq: int, low: int, reply: bytes | None) -> bytes:
    """Write an answer down: the call's number, the lowest that may be asked for, the bytes."""
    return cbor2.dumps([seq, low, reply])


def read_reply(key: bytes, row: bytes) -> tuple[int, int, int, bytes | None]:
    """Read an answer: number of the row, number of the call, the lowest one, the bytes.

    Raises:
        DamagedRow: it is no answer.
    """
    try:
        seq, low, reply = cbor2.loads(row)
    except _FAULTS as error:
        raise DamagedRow(TABLES[REPLY], key) from error
    return int.from_bytes(key[-SIZE_BYTES:], "big"), seq, low, reply


def read_number(key: bytes, row: bytes, table: int) -> Any:
    """Read a counter, the clock, or a moment.

    Raises:
        DamagedRow: it is no number.
    """
    try:
        value = cbor2.loads(row)
    except _FAULTS as error:
        raise DamagedRow(TABLES[table], key) from error
    if type(value) not in (int, float):
        raise DamagedRow(TABLES[table], key)
    return value
