"""Rebuilding the state from the rows of a store.

Units are the most of them by far; ``unit_loading`` reads these.
"""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import TYPE_CHECKING

from coordinate_server.model.changes import (
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
from coordinate_server.model.core import Core
from coordinate_server.model.errors import DamagedRow
from coordinate_server.model.instant import Instant
from coordinate_server.model.locks.rows import read_lock
from coordinate_server.model.roster import Roster
from coordinate_server.model.rows import (
    ATTEMPT_KEY,
    CLOCK_KEY,
    ID_BYTES,
    SPEC_ID_KEY,
    read_asked,
    read_edge,
    read_number,
    read_reply,
    read_session,
    read_spec,
    read_worker,
)
from coordinate_server.model.sessions import SESSION_BYTES, Session
from coordinate_server.model.unit import Unit
from coordinate_server.model.unit_loading import Pages, linked_units, load_attempts, load_units
from coordinate_server.model.workers import Worker

if TYPE_CHECKING:
    from coordinate_server.model.namespace import Namespace

__all__ = ["load", "pages_of"]

_Tables = dict[int, dict[bytes, bytes]]


def pages_of(rows: Iterable[Row]) -> Pages:
    """Give the pages of rows that come in whatever order."""
    tables: dict[int, list[tuple[bytes, bytes]]] = {}
    for table, key, value in rows:
        tables.setdefault(table, []).append((key, value))
    return lambda table: [sorted(tables[table])] if table in tables else []


def load(core: Core, namespace: Callable[[str], "Namespace"], pages: Pages, at: Instant) -> None:
    """Fill an empty model.

    Arguments:
        core: what it shares.
        namespace: gives a namespace of it.
        pages: everything that was committed.
        at: the moment; leases and workers have the grace period from it, or from the last commit
            where that is later.

    Raises:
        DamagedRow: a row does not hold what was written to it.
    """
    tables = {
        table: dict(chain.from_iterable(pages(table)))
        for table in TABLES
        if table not in (UNIT, DATA, ATTEMPT)
    }
    _load_counters(core, tables[META], at)
    grace = core.clock + core.settings.restart_grace
    rosters = _load_specs(tables, namespace)
    linked = None if core.shelving.committed is None else linked_units(tables[EDGE])
    load_units(pages, rosters, linked, grace)
    load_attempts(pages, rosters)
    _load_limits(tables, rosters, at)
    _load_edges(core, tables[EDGE], rosters, at)
    for key, row in tables[WORKER].items():
        name, worker_id, mode, parent, heard, expiry, hosts = read_worker(key, row)
        later = None if expiry is None else max(expiry, grace)
        worker = Worker(worker_id, mode, parent, heard, later, hosts=hosts)
        namespace(name).workers.take_in(worker)
    for key, row in tables[ASKED].items():
        name, kind, whom, mode = read_asked(key, row)
        namespace(name).workers.modes.load((kind, whom), mode)
    _load_locks(namespace, tables[LOCK], grace)
    _load_sessions(core, tables[REPLY])


def _load_locks(
    namespace: Callable[[str], "Namespace"], rows: dict[bytes, bytes], grace: float
) -> None:
    """Take in the locks, in the order in which they were granted."""
    locks = [read_lock(key, row) for key, row in rows.items()]
    for name, entry, deadline in sorted(locks, key=lambda lock: lock[1].token):
        namespace(name).locks.holdings.take_in(entry, max(deadline, grace))


def _load_sessions(core: Core, rows: dict[bytes, bytes]) -> None:
    """Take in the sessions and their answers; all are as old as the restart."""
    known = core.sessions.by_name
    for key, row in rows.items():
        if len(key) == SESSION_BYTES:
            core.sessions.take_in(Session(key, read_session(key, row), core.clock))
    for key, row in rows.items():
        if len(key) > SESSION_BYTES and key[:SESSION_BYTES] in known:
            slot, seq, low, reply = read_reply(key, row)
            known[key[:SESSION_BYTES]].load(slot, seq, low, reply)
    for session in known.values():
        session.loaded()


def _load_specs(tables: _Tables, namespace: Callable[[str], "Namespace"]) -> dict[bytes, Roster]:
    rosters: dict[bytes, Roster] = {}
    for key, row in tables[SPEC].items():
        name, spec, archived, maker = read_spec(key, row)
        roster = rosters[key] = namespace(name).load_spec(spec)
        roster.key, roster.archived, roster.maker = key, archived, maker
    return rosters


def _load_limits(tables: _Tables, rosters: dict[bytes, Roster], at: Instant) -> None:
    """Take in what rests on the units, once these are there."""
    rings: dict[bytes, dict[int, float]] = {}
    for key, row in tables[RATE].items():
        slot = int.from_bytes(key[ID_BYTES:], "big")
        rings.setdefault(key[:ID_BYTES], {})[slot] = read_number(key, row, RATE)
    for key, roster in rosters.items():
        roster.loaded()
        roster.load_rate(rings.get(key, {}))
        roster.plan(at.wall)


def _load_edges(
    core: Core, rows: dict[bytes, bytes], rosters: dict[bytes, Roster], at: Instant
) -> None:
    """Take in who needs whom; what was not heard of everywhere before the end is heard of now."""

    def end(key: bytes, spec_key: bytes, unit_key: bytes) -> tuple[Unit, Roster]:
        roster = rosters.get(spec_key)
        unit = None if roster is None else roster.units.get(unit_key)
        if roster is None or unit is None:
            raise DamagedRow(TABLES[EDGE], key)
        return unit, roster

    edges = []
    for key, row in rows.items():
        later_spec, later, earlier_spec, earlier, hard = read_edge(key, row)
        edges.append((*end(key, later_spec, later), *end(key, earlier_spec, earlier), hard))
    for unit in core.dependencies.load(edges):
        if unit.links is not None:
            unit.links.owner.need_changed(unit, at)


def _load_counters(core: Core, meta: dict[bytes, bytes], at: Instant) -> None:
    numbers = {key: read_number(key, row, META) for key, row in meta.items()}
    core.clock = max(numbers.get(CLOCK_KEY, 0.0), at.now)
    core.at = Instant(core.clock, at.wall)
    core.spec_id = numbers.get(SPEC_ID_KEY, 0)
    # So that a copy of old data hands no number out again that was handed out since.
    core.attempt = max(numbers.get(ATTEMPT_KEY, 0), int(at.wall * 1_000_000))
