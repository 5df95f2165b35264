"""Snapshots of 0.1.5, read as the rows of a data file.

Such a file is one CBOR item for each work spec, after the other, perhaps compressed, and beside it
a file `.md5` with the sum of what is not compressed. An item is an array::

    [definition, weight, status, continuous, [[key, unit] …], archived counts by status,
     interval, moment from which a unit may be made up, max_running]

Older ones end after the units or the counts. A unit is a map with key, data, status, priority,
worker_id and lease_time: until when it is leased, or when it ended, in seconds since 1970.
"""

import bz2
import gzip
import hashlib
import io
import lzma
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import cbor2
from attrs import frozen

from coordinate_protocol.constants import FAILED, FINISHED, PENDING, STATUS_NAMES
from coordinate_protocol.errors import ProtocolError, shown
from coordinate_protocol.values import as_text, key_bytes
from coordinate_server.model.changes import DATA, META, SPEC, UNIT, Row
from coordinate_server.model.errors import ModelError
from coordinate_server.model.maker import Maker
from coordinate_server.model.rows import SPEC_ID_KEY, id_bytes, spec_row, unit_row
from coordinate_server.model.spec import Spec, controlled, parse_spec
from coordinate_server.model.unit import Unit
from coordinate_server.service.arguments import encoded
from coordinate_server.service.specs import read_definition
from coordinate_server.store.interface import DamagedStore, StoreError

__all__ = ["COMPRESSED", "read_old_snapshot", "sum_path"]

COMPRESSED: Final = (".gz", ".bz2", ".xz")
"""How the names of compressed snapshots end."""

# Without counts, with them, and with all there is.
_SIZES: Final = (5, 6, 9)
_ENDED: Final = (FINISHED, FAILED)
_FAULTS: Final = (
    *(cbor2.CBORDecodeError, ProtocolError, ModelError),
    *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
)
# What the first element of an item is where the units are in a database.
_ELSEWHERE: Final = {b"sws": "sqlite_path", b"pws": "postgres_connect"}


def sum_path(path: Path) -> Path:
    """Give the name of the file with a snapshot's sum."""
    return path.with_name(f"{path.name}.md5")


def read_old_snapshot(
    path: Path, namespace: str = "default", wall: float | None = None
) -> list[Row]:
    """Read all of a snapshot; whatever is wrong with any part of it refuses the whole.

    A lease has left what it had left at ``wall``, and the grace period of a start at least.

    Arguments:
        path: the snapshot; its sum is beside it.
        namespace: where its specs are to be: that of clients which name none.
        wall: the moment, seconds since 1970; None for now.

    Raises:
        DamagedStore: it has no sum, or another one, or is not what 0.1.5 writes.
        StoreError: it cannot be read, or its units were kept in a database.
    """
    content = _content(path)
    _check_sum(path, content)
    reader = _Reader(namespace, time.time() if wall is None else wall)
    rows: list[Row] = []
    number = 0
    try:
        for number, state in enumerate(_items(content), 1):
            rows += reader.spec(number, state)
    except _Elsewhere as error:
        raise StoreError(f"{str(path)!r} has no work units: {error}") from error
    except _FAULTS as error:
        raise DamagedStore(f"{str(path)!r}, work spec {number}: {error}") from error
    rows.append((META, SPEC_ID_KEY, cbor2.dumps(number)))
    return rows


class _Elsewhere(Exception):
    """The units are not in the snapshot."""


@frozen
class _Reader:
    """Makes rows of items.

    Arguments:
        namespace: that of all specs.
        wall: the moment, from which leases are counted.
    """

    namespace: str
    wall: float

    def spec(self, number: int, state: Any) -> Iterator[Row]:
        """Give the rows of one spec and its units."""
        item = _Item.read(state)
        key = id_bytes(number)
        spec = item.spec()
        archived = {int(status): int(count) for status, count in item.archived.items()}
        yield SPEC, key, spec_row(self.namespace, spec, archived, item.maker(spec))
        for unit in (self._unit(*pair) for pair in item.units):
            yield UNIT, key + unit.key, unit_row(unit)
            yield DATA, key + unit.key, unit.data

    def _unit(self, key: object, fields: Mapping[Any, Any]) -> Unit:
        given = {as_text(name): value for name, value in fields.items()}
        unit = Unit(key_bytes(key), encoded(given["data"]), given["priority"], given["status"])
        if unit.status not in STATUS_NAMES or type(unit.priority) not in (int, float):
            raise ValueError(f"work unit {shown(key)} has an odd status or priority")
        moment = given["lease_time"]
        if unit.status in _ENDED:
            unit.ended = float(moment or 0)
        if unit.status == PENDING:
            # The clock of a new data file begins at zero.
            unit.deadline = max(0.0, float(moment or 0) - self.wall)
        worker_id = given["worker_id"]
        if unit.status in (PENDING, *_ENDED) and worker_id is not None:
            unit.worker_id = as_text(worker_id)
        return unit


@frozen
class _Item:
    """The parts of an item, as the module's docstring names them."""

    definition: Mapping[Any, Any]
    weight: Any
    status: Any
    continuous: Any
    units: list[tuple[Any, Mapping[Any, Any]]]
    archived: Mapping[Any, Any]
    later: list[Any]

    @classmethod
    def read(cls, state: Any) -> Self:
        """Take an item to pieces."""
        if not isinstance(state, list) or not state:
            raise ValueError(f"it should be an array, not {shown(state)}")
        if isinstance(state[0], bytes) and state[0] in _ELSEWHERE:
            raise _Elsewhere(f"they are where its setting {_ELSEWHERE[state[0]]} said")
        if not isinstance(state[0], Mapping) or len(state) not in _SIZES:
            raise ValueError(f"{len(state)} parts that begin with {shown(state[0])}")
        definition, weight, status, continuous, units, *more = state
        archived, *later = more or [{}]
        return cls(definition, weight, status, continuous, units, archived, later)

    def spec(self) -> Spec:
        """Give the spec with its control fields."""
        controls = {"weight": self.weight, "status": self.status, "continuous": self.continuous}
        if self.later:
            controls |= {"interval": self.later[0], "max_running": self.later[2]}
        return controlled(parse_spec(read_definition(self.definition)), controls)

    def maker(self, spec: Spec) -> Maker:
        """Give what is known of the units that are made up."""
        earliest = self.later[1] if self.later else 0
        return Maker(last=earliest - (spec.interval or 0) if earliest else None)


def _opened(path: Path) -> io.BufferedIOBase:
    match path.suffix.lower():
        case ".gz":
            return gzip.GzipFile(path)
        case ".bz2":
            return bz2.BZ2File(path)
        case ".xz":
            return lzma.LZMAFile(path)
    return path.open("rb")


def _content(path: Path) -> bytes:
    try:
        with _opened(path) as file:
            return file.read()
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        # Of what cannot be decompressed, an OSError has no number.
        if isinstance(error, OSError) and error.errno is not None:
            raise _unreadable(path, error) from error
        raise DamagedStore(f"{str(path)!r} cannot be decompressed: {error}") from error


def _check_sum(path: Path, content: bytes) -> None:
    """See that the content is that which 0.1.5 wrote, all of it."""
    beside = sum_path(path)
    try:
        wanted = beside.read_bytes().strip().decode("ascii", "replace")
    except FileNotFoundError:
        text = f"{str(path)!r} has no {beside.name!r} beside it: it may not be all there"
        raise DamagedStore(text) from None
    except OSError as error:
        raise _unreadable(beside, error) from error
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != wanted:
        raise DamagedStore(
            f"the MD5 of {str(path)!r} is {found}, its {beside.name!r} says {wanted}"
        )


def _unreadable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"cannot read {str(path)!r}: {(error.strerror or str(error)).lower()}")


def _items(content: bytes) -> Iterator[Any]:
    stream = io.BytesIO(content)
    decoder = cbor2.CBORDecoder(stream)
    while stream.tell() < len(content):
        yield decoder.decode()
