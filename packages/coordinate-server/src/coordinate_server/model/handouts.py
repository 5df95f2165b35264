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

_EMPTY_MAP = b"\xa0"


def hand_out(
    core: Core, roster: Roster, at: Instant, worker_id: str, request: WorkRequest
) -> list[HandOut]:
    """Hand out units of a spec: as many as asked for, there, and allowed."""
    lease, message = _lease_time(request.lease_time)
    most = _most(roster, request)
    handed: list[HandOut] = []
    made_up = False
    while len(handed) < most:
        unit = roster.ready.first()
        if unit is None and not made_up and roster.continuous_due(at.wall):
            unit, made_up = _make_up(roster, at), True
        if unit is None:
            break
        attempt, deadline = core.next_attempt(), at.now + lease
        _lease(roster, unit, worker_id, attempt, deadline)
        handed.append(HandOut(roster.spec.name, unit.key, unit.data, attempt, deadline, message))
    return handed


def _most(roster: Roster, request: WorkRequest) -> int:
    bounds = (request.max_jobs, roster.spec.max_getwork, roster.room())
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


def _lease(roster: Roster, unit: Unit, worker_id: str, attempt: int, deadline: float) -> None:
    def change(unit: Unit) -> None:
        unit.status, unit.worker_id = PENDING, worker_id
        unit.attempt, unit.deadline = attempt, deadline

    roster.change(unit, change)


def _make_up(roster: Roster, at: Instant) -> Unit:
    """Make a unit of a continuous spec; its key is the time, as 0.1.5's is."""
    name = f"{at.wall:.6f}"
    key, suffix = name.encode(), 0
    while key in roster.units:
        suffix += 1
        key = f"{name}-{suffix}".encode()
    unit = Unit(key, _EMPTY_MAP, GENERATED)
    roster.add(unit)
    if roster.spec.interval is not None:
        roster.next_continuous = at.wall + roster.spec.interval
        roster.write()
    return unit
