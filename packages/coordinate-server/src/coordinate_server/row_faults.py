"""Whether a row holds what the model writes, row by row, without a model."""

from collections.abc import Callable, Mapping
from typing import Final

from coordinate_server.model.changes import (
    ASKED,
    ATTEMPT,
    EDGE,
    LOCK,
    META,
    RATE,
    REPLY,
    SPEC,
    TABLES,
    UNIT,
    WORKER,
)
from coordinate_server.model.errors import DamagedRow
from coordinate_server.model.locks.rows import read_lock
from coordinate_server.model.rows import (
    ID_BYTES,
    read_asked,
    read_attempt,
    read_edge,
    read_number,
    read_reply,
    read_session,
    read_spec,
    read_unit,
    read_worker,
)
from coordinate_server.model.sessions import SESSION_BYTES
from coordinate_server.row_shapes import is_asked, is_attempt, is_spec, is_unit, is_worker

__all__ = ["row_fault"]


def row_fault(table: int, key: bytes, value: bytes) -> str | None:
    """Say what is wrong with a row, in one line; None if nothing is.

    Data of units and what plug-ins keep are bytes of others, and never wrong.
    """
    read = _READERS.get(table)
    if read is None:
        return None
    try:
        read(key, value)
    except DamagedRow as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever a reader says of damaged bytes, it is a fault
        return f"row {key!r} of table {TABLES[table]!r}: {error}"
    return None


def _read_unit(key: bytes, value: bytes) -> None:
    if len(key) < ID_BYTES:
        raise DamagedRow(TABLES[UNIT], key)
    _require(is_unit(read_unit(key[ID_BYTES:], b"", value)), UNIT, key)


def _read_spec(key: bytes, value: bytes) -> None:
    _require(len(key) == ID_BYTES and is_spec(*read_spec(key, value)), SPEC, key)


def _read_attempt(key: bytes, value: bytes) -> None:
    _require(is_attempt(*read_attempt(key, value)), ATTEMPT, key)


def _read_worker(key: bytes, value: bytes) -> None:
    _require(is_worker(*read_worker(key, value)), WORKER, key)


def _read_asked(key: bytes, value: bytes) -> None:
    _require(is_asked(*read_asked(key, value)), ASKED, key)


def _require(right: bool, table: int, key: bytes) -> None:
    if not right:
        raise DamagedRow(TABLES[table], key)


def _read_reply(key: bytes, value: bytes) -> None:
    if len(key) > SESSION_BYTES:
        read_reply(key, value)
    else:
        read_session(key, value)


_READERS: Final[Mapping[int, Callable[[bytes, bytes], object]]] = {
    META: lambda key, value: read_number(key, value, META),
    SPEC: _read_spec,
    UNIT: _read_unit,
    WORKER: _read_worker,
    LOCK: read_lock,
    REPLY: _read_reply,
    ATTEMPT: _read_attempt,
    EDGE: read_edge,
    RATE: lambda key, value: read_number(key, value, RATE),
    ASKED: _read_asked,
}
