"""Rebuilding the state from the rows of a store, in whatever order they come."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from coordinate_server.model.changes import DATA, META, SPEC, TABLES, UNIT, WORKER, Row
from coordinate_server.model.core import Core
from coordinate_server.model.errors import DamagedRow
from coordinate_server.model.instant import Instant
from coordinate_server.model.rows import (
    ATTEMPT_KEY,
    CLOCK_KEY,
    ID_BYTES,
    SPEC_ID_KEY,
    read_number,
    read_spec,
    read_unit,
    read_worker,
)
from coordinate_server.model.unit import Unit
from coordinate_server.model.workers import Worker

if TYPE_CHECKING:
    from coordinate_server.model.namespace import Namespace

__all__ = ["load"]

_Tables = dict[int, dict[bytes, bytes]]


def load(
    core: Core, namespace: Callable[[str], "Namespace"], rows: Iterable[Row], at: Instant
) -> None:
    """Fill an empty model.

    Arguments:
        core: what it shares.
        namespace: gives a namespace of it.
        rows: table, key and value of everything that was committed.
        at: the moment; leases and workers have the grace period from it, or from the last commit
            where that is later.

    Raises:
        DamagedRow: a row does not hold what was written to it.
    """
    tables: _Tables = {table: {} for table in TABLES}
    for table, key, value in rows:
        tables[table][key] = value
    _load_counters(core, tables[META], at)
    grace = core.clock + core.settings.restart_grace
    units = _units(tables, grace)
    for key, row in tables[SPEC].items():
        name, spec, archived, next_continuous = read_spec(key, row)
        roster = namespace(name).load_spec(spec)
        roster.key, roster.archived, roster.next_continuous = key, archived, next_continuous
        roster.load(units.pop(key, []))
    if units:
        raise DamagedRow(TABLES[UNIT], min(units))
    for key, row in tables[WORKER].items():
        name, worker_id, mode, parent, heard, expiry = read_worker(key, row)
        later = None if expiry is None else max(expiry, grace)
        namespace(name).workers.take_in(Worker(worker_id, mode, parent, heard, later))


def _load_counters(core: Core, meta: dict[bytes, bytes], at: Instant) -> None:
    numbers = {key: read_number(key, row) for key, row in meta.items()}
    core.clock = max(numbers.get(CLOCK_KEY, 0.0), at.now)
    core.spec_id = numbers.get(SPEC_ID_KEY, 0)
    # So that a copy of old data hands no number out again that was handed out since.
    core.attempt = max(numbers.get(ATTEMPT_KEY, 0), int(at.wall * 1_000_000))


def _units(tables: _Tables, grace: float) -> dict[bytes, list[Unit]]:
    by_spec: dict[bytes, list[Unit]] = {}
    data_rows = tables[DATA]
    for key, row in tables[UNIT].items():
        data = data_rows.get(key)
        if data is None:
            raise DamagedRow(TABLES[DATA], key)
        unit = read_unit(key[ID_BYTES:], data, row)
        if unit.deadline is not None and unit.deadline < grace:
            unit.deadline = grace
        by_spec.setdefault(key[:ID_BYTES], []).append(unit)
    return by_spec
