"""Handing units of a chosen spec to a worker."""

from coordinate_protocol.constants import (
    DEFAULT_LEASE,
    GENERATED,
    MAX_LEASE,
    MIN_LEASE,
    PENDING,
)
from coordinate_server.model.calls import HandOut, WorkRequest
from coordinate_server.model.core import Core
from coordinate_server.model.instant import Instant
from coordinate_server.model.roster import Roster
from coordinate_server.model.unit import Unit

__all__ = ["hand_out"]

_MOST_LOCKS = 1000
"""So many locks are granted by one call; it gives fewer units, rather than stop all others."""


def hand_out(
    core: Core, roster: Roster, at: Instant, worker_id: str, request: WorkRequest
) -> list[HandOut]:
    """Hand out units of a spec: as many as asked for, there, and allowed."""
    lease, message = _lease_time(request.lease_time)
    most = _most(roster, at, request)
    handed: list[HandOut] = []
    locks_left = _MOST_LOCKS
    spec, deadline = roster.spec.name, at.now + lease
    while len(handed) < most:
        unit = roster.next_unit()
        if unit is None and roster.may_make():
            unit = _make_up(roster, at)
        if unit is None:
            break
        locks = unit.locks or ()
        if handed and len(locks) > locks_left:
            break
        locks_left -= len(locks)
        attempt = core.next_attempt()
        _lease(roster, unit, at, worker_id, attempt, deadline)
        handed.append(HandOut(spec, unit.key, unit.data, attempt, deadline, message, locks))
    return handed


def _most(roster: Roster, at: Instant, request: WorkRequest) -> int:
    bounds = (request.max_jobs, roster.spec.max_getwork, roster.room(at.now))
    return min(bound for bound in bounds if bound is not None)


def _lease_time(seconds: float | None) -> tuple[float, str | None]:
    """0.1.5's workers rely on a lease out of range being moved into it."""
    if seconds is None:
        return DEFAULT_LEASE, None
    taken = min(max(seconds, MIN_LEASE), MAX_LEASE)
    if taken == seconds:
        return taken, None
    note = (
        f"lease_time {seconds!r} is out of the range {MIN_LEASE} to {MAX_LEASE}, taken as {taken}"
    )
    return taken, note


def _lease(
    roster: Roster, unit: Unit, at: Instant, worker_id: str, attempt: int, deadline: float
) -> None:
    before = roster.take_out(unit)
    unit.status, unit.worker_id, unit.began = PENDING, worker_id, at.wall
    unit.attempt, unit.deadline = attempt, deadline
    roster.put_back(unit, before)
    roster.note_rate(at.now)


def _make_up(roster: Roster, at: Instant) -> Unit:
    """Make a unit of a continuous spec; its key is the time, as 0.1.5's is."""
    unit = roster.make(f"{at.wall:.6f}".encode(), GENERATED)
    roster.maker.last = at.wall
    roster.plan(at.wall)
    return unit
