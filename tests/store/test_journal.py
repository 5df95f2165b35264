"""Records are bytes that do not change from one version to the next."""

import zlib

import cbor2
import pytest

from coordinate_server.model.changes import DELETE, DROP, META, PUT, UNIT
from coordinate_server.store.journal import BadRecord, Retained, decode_record, encode_record

CHANGES = [(PUT, META, b"k", b"v"), (DELETE, UNIT, b"u", b""), (DROP, UNIT, b"", b"")]
# Three changes as CBOR arrays, and the CRC-32 of them.
RECORD = bytes.fromhex("83 84 00 00 41 6b 41 76 84 01 02 41 75 40 84 02 02 40 40 64 78 e8 6e")


def checked(content):
    """The content with the check that a record has."""
    return content + zlib.crc32(content).to_bytes(4, "big")


def test_record_is_these_bytes():
    """The format is what the files of users hold."""
    assert encode_record(CHANGES).hex(" ") == RECORD.hex(" ")
    assert decode_record(RECORD) == CHANGES


@pytest.mark.parametrize("record", [b"", b"\0", RECORD[:-1], RECORD[1:], RECORD + b"\0"])
def test_record_of_another_length_is_bad(record):
    """A record that lost or won a byte fails its check."""
    with pytest.raises(BadRecord, match="check fails"):
        decode_record(record)


def test_every_flipped_bit_is_noticed():
    """No single bit can change without the check failing."""
    for at in range(8 * len(RECORD)):
        flipped = bytearray(RECORD)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(BadRecord):
            decode_record(bytes(flipped))


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        *map(cbor2.dumps, [1, {}, [1], [[0, 0, b""]], [[0, 0, "", b""]], [[7, 0, b"", b""]]]),
    ],
)
def test_record_of_something_else_is_bad(content):
    """What passes the check and is no list of changes is refused as well."""
    with pytest.raises(BadRecord, match="it holds no changes"):
        decode_record(checked(content))


def test_retained_records_are_counted_from_the_first():
    """Sizes go with the records that are dropped, oldest first."""
    retained = Retained(next_seq=5)
    for size in (10, 20, 30):
        retained.add(size)
    retained.forget(7)
    assert (len(retained), retained.size, retained.next_seq) == (1, 30, 8)
    retained.forget(100)
    assert (len(retained), retained.size) == (0, 0)
