"""Records of the journal: the changes of one commit as CBOR, with a check of them at the end.

A record is an array of ``[op, table, key, value]`` in CBOR (RFC 8949), followed by the CRC-32 of
these bytes (the one of zlib), 4 bytes, big endian.
"""

import zlib
from collections import deque
from collections.abc import Sequence
from typing import Final

import cbor2
from attrs import Factory, define

from coordinate_server.model.changes import Change
from coordinate_server.store.interface import StoreError
from coordinate_server.store.requests import check_changes

__all__ = ["BadRecord", "Retained", "decode_record", "encode_record"]

_CHECK_BYTES: Final = 4
_FIELDS: Final = 4
# The array of the changes and those of their fields; nothing in a record is nested deeper.
_DEPTH: Final = 2


class BadRecord(ValueError):
    """The bytes are not a record as it was written; the message says what is wrong with them."""


def encode_record(changes: Sequence[Change]) -> bytes:
    """One record of the changes, in their order."""
    content = cbor2.dumps(list(changes))
    return content + _check(content)


def decode_record(record: bytes) -> list[Change]:
    """The changes of one record.

    Raises:
        BadRecord: the check fails, or what passes it is no list of changes.
    """
    content, check = record[:-_CHECK_BYTES], record[-_CHECK_BYTES:]
    if check != _check(content):
        raise BadRecord("its check fails")
    try:
        changes = _changes(cbor2.loads(content, max_depth=_DEPTH))
        check_changes(changes)
    except (cbor2.CBORDecodeError, TypeError, ValueError, StoreError) as error:
        raise BadRecord(f"it holds no changes: {error}") from error
    return changes


def _check(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(_CHECK_BYTES, "big")


def _changes(items: object) -> list[Change]:
    if not isinstance(items, list):
        raise BadRecord(f"{items!r} is not a list")
    return [_change(item) for item in items]


def _change(item: object) -> Change:
    if not isinstance(item, list) or len(item) != _FIELDS:
        raise BadRecord(f"{item!r} is not an operation, a table, a key and a value")
    return (item[0], item[1], item[2], item[3])


@define
class Retained:
    """Which records the journal holds, and how large they are. Their numbers have no gaps."""

    next_seq: int = 1
    size: int = 0
    _sizes: deque[int] = Factory(deque)

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, size: int) -> None:
        """The journal got the record ``next_seq``, of this many bytes."""
        self._sizes.append(size)
        self.size += size
        self.next_seq += 1

    def forget(self, before: int) -> None:
        """The journal dropped the records with lower numbers."""
        while self._sizes and self.next_seq - len(self._sizes) < before:
            self.size -= self._sizes.popleft()
