"""Rows of the store: how locks are written down and read again.

A row is one lock. Those of units are not here: they are found again from the units.
"""

import cbor2

from coordinate_protocol.errors import ProtocolError
from coordinate_server.model.changes import LOCK, TABLES
from coordinate_server.model.errors import DamagedRow
from coordinate_server.model.locks.entries import EXCLUSIVE, SHARED, Entry
from coordinate_server.model.locks.paths import path_bytes, path_from

__all__ = ["lock_key", "lock_row", "read_lock"]

_FAULTS = (cbor2.CBORDecodeError, ProtocolError, ValueError, TypeError)


def lock_key(namespace: str, entry: Entry) -> bytes:
    """Give the key of a lock's row: no path is twice in one grant, except as one lock."""
    return cbor2.dumps([namespace, path_bytes(entry.path), entry.token])


def lock_row(entry: Entry) -> bytes:
    """Write a lock down."""
    row = [entry.mode, entry.locker, entry.granted_at, entry.deadline, entry.count]
    return cbor2.dumps([*row, entry.others or []])


def read_lock(key: bytes, row: bytes) -> tuple[str, Entry, float]:
    """Read a lock: its namespace, the lock, and when it ends.

    Raises:
        DamagedRow: it is no lock.
    """
    try:
        namespace, path, token = cbor2.loads(key)
        mode, locker, granted_at, deadline, count, others = cbor2.loads(row)
        entry = Entry(path_from(path), mode, locker)
    except _FAULTS as error:
        raise DamagedRow(TABLES[LOCK], key) from error
    named = type(namespace) is str and type(locker) is str and mode in {EXCLUSIVE, SHARED}
    numbers = type(token) is int and type(count) is int and type(deadline) in (int, float)
    if not named or not numbers or type(others) is not list:
        raise DamagedRow(TABLES[LOCK], key)
    entry.token, entry.granted_at, entry.count = token, granted_at, count
    entry.others = others or None
    return namespace, entry, deadline
