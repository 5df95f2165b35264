"""What the server in memory hands out: which unit is next, and to whom."""

from typing import Any

from coordinate_client.testing.arguments import Options
from coordinate_client.testing.memory import Memory
from coordinate_client.testing.records import UnitRecord
from coordinate_client.testing.turns import charge, next_spec
from coordinate_protocol.constants import DEFAULT_LEASE, MAX_LEASE, MAX_WAIT, MIN_LEASE
from coordinate_protocol.values import Encoded, as_text, key_value

__all__ = ["NEXT_OPTIONS", "HandoutOperations", "handed", "lease"]

NEXT_OPTIONS = ("max_jobs", "work_spec_names", "lease_time", "available_gb", "runtimes")
_MOST_JOBS = 10_000
_NO_WORK = (None, None, None)


class HandoutOperations:
    """Asking for work."""

    memory: Memory

    def get_work(self, worker_id: object, options: object) -> tuple[Any, None]:
        """Lease units of one spec; a wait goes by on the clock, at once."""
        read = Options.read(options, (*NEXT_OPTIONS, "attempts", "wait"))
        most = int(read.number("max_jobs", 1, 1, _MOST_JOBS))
        until = self.memory.clock.wall + read.number("wait", 0, 0, MAX_WAIT)
        found = lease(self.memory, as_text(worker_id), read)
        while not found and self.memory.clock.wall < until:
            self.memory.pass_time(until)
            found = lease(self.memory, as_text(worker_id), read)
        units = [handed(unit, attempts=bool(read.get("attempts"))) for unit in found]
        return (units if most != 1 else units[0] if units else _NO_WORK), None


def lease(memory: Memory, worker_id: str, read: Options) -> list[UnitRecord]:
    """Lease units of the spec whose turn it is.

    Args:
        memory: where they are.
        worker_id: who asks.
        read: what is asked for.
    """
    seconds = read.clamped("lease_time", DEFAULT_LEASE, MIN_LEASE, MAX_LEASE)
    spec = next_spec(memory, read)
    if spec is None:
        return []
    bounds = (read.number("max_jobs", 1), spec.said("max_getwork", _MOST_JOBS), spec.room())
    units = spec.ready()[: int(min(bounds))]
    for unit in units:
        memory.begin(unit, worker_id, seconds)
    charge(memory, spec, len(units))
    return units


def handed(unit: UnitRecord, *, attempts: bool) -> tuple[Any, ...]:
    """A unit as it goes to its worker."""
    said = (unit.spec.name, key_value(unit.key), Encoded(unit.data))
    return (*said, {"attempt": unit.attempt, "expires": unit.deadline}) if attempts else said
