"""One spec with its units: every change of a unit's status goes through here."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from coordinate_protocol.constants import (
    AVAILABLE,
    DELAYED,
    PENDING,
    RUNNABLE,
    STANDARD,
    STATUS_NAMES,
)
from coordinate_server.model.queue import ReadyQueue
from coordinate_server.model.rows import id_bytes, spec_row
from coordinate_server.model.spec import Spec
from coordinate_server.model.unit import Unit

if TYPE_CHECKING:
    from coordinate_server.model.core import Core

__all__ = ["Held", "Roster"]

Held = dict[str, dict[Unit, "Roster"]]
"""What each worker has in its hands, in the order in which it got it."""


class Roster:
    """A spec and its units.

    Arguments:
        core: what the model shares.
        namespace: the name of its namespace.
        spec: the spec as it stands.
        held: the namespace's index of units by worker, kept up to date here.
    """

    def __init__(self, core: "Core", namespace: str, spec: Spec, held: Held) -> None:
        self._core, self._namespace, self._held = core, namespace, held
        self.spec = spec
        self.archived: dict[int, int] = {}
        self.next_continuous: float | None = None
        self.key = b""
        # The scheduler's: what it is owed, in hand-outs, and when it last had one.
        self.lag, self.turn = 0.0, 0
        self._empty()

    def _empty(self) -> None:
        self.units: dict[bytes, Unit] = {}
        self.ready = ReadyQueue(self.units)
        self.pending: set[Unit] = set()
        self._counts = dict.fromkeys(STATUS_NAMES, 0)

    # ---- being written down ----

    def name_row(self, spec_id: int) -> None:
        """Take the id that its rows begin with."""
        self.key = id_bytes(spec_id)

    def write(self) -> None:
        """Note that the spec itself changed."""
        self._core.ledger.spec(self.key, self._row)

    def _row(self) -> bytes:
        return spec_row(self._namespace, self.spec, self.archived, self.next_continuous)

    def _written(self, unit: Unit) -> None:
        self._core.ledger.unit(self.key + unit.key, unit)

    # ---- units coming and going ----

    def load(self, units: Iterable[Unit]) -> None:
        """Take in units that are written down already."""
        for unit in units:
            self.units[unit.key] = unit
            self._counts[unit.status] += 1
            if unit.status == PENDING:
                self._lease(unit)
            elif unit.status == DELAYED and unit.not_before is not None:
                self._core.delays.add(unit.not_before, (self, unit))
        self.ready.fill(self.units.values())

    def add(self, unit: Unit) -> None:
        """Take in a new unit; none of its key may be here."""
        self.units[unit.key] = unit
        self._enter(unit)
        self._core.ledger.data(self.key + unit.key, unit.data)
        self._written(unit)

    def remove(self, unit: Unit) -> None:
        """Let a unit go."""
        self._leave(unit)
        del self.units[unit.key]
        self._core.ledger.forget_unit(self.key + unit.key)

    def drop_units(self) -> None:
        """Let all units go at once: rows are dropped by the spec's id, so it must get another."""
        for unit in self.pending:
            self._unhold(unit)
        self._core.ledger.drop_units(self.key)
        self._core.ledger.spec(self.key, None)
        self._empty()
        self.archived = {}

    def change(self, unit: Unit, change: Callable[[Unit], None]) -> None:
        """Have a unit's status, lease or priority changed by a function.

        Arguments:
            unit: one of its units.
            change: sets the attributes; must not fail.
        """
        self._leave(unit)
        change(unit)
        self._enter(unit)
        self._written(unit)

    def replace_data(self, unit: Unit, data: bytes) -> None:
        """Give a unit other data."""
        if unit.data != data:
            unit.data = data
            self._core.ledger.data(self.key + unit.key, data)

    def release(self, unit: Unit) -> None:
        """Make a unit available: its lease or delay is over, or it is given back."""
        self.change(unit, _make_available)

    def _enter(self, unit: Unit) -> None:
        status = unit.status
        self._counts[status] += 1
        if status == AVAILABLE:
            self.ready.push(unit)
        elif status == PENDING:
            self._lease(unit)
        elif status == DELAYED and unit.not_before is not None:
            self._core.delays.add(unit.not_before, (self, unit))

    def _leave(self, unit: Unit) -> None:
        self._counts[unit.status] -= 1
        if unit.status == PENDING:
            self.pending.discard(unit)
            self._unhold(unit)

    def _lease(self, unit: Unit) -> None:
        self.pending.add(unit)
        if unit.deadline is not None:
            self._core.leases.add(unit.deadline, (self, unit))
        if unit.worker_id is not None:
            self._held.setdefault(unit.worker_id, {})[unit] = self

    def _unhold(self, unit: Unit) -> None:
        if unit.worker_id is None:
            return
        units = self._held[unit.worker_id]
        del units[unit]
        if not units:
            del self._held[unit.worker_id]

    # ---- what the scheduler and people ask ----

    def count(self, status: int) -> int:
        """Give how many units there are in a status, without archived ones."""
        return self._counts[status]

    def counts(self) -> dict[int, int]:
        """Give how many units there are in each status that has any, archived ones included."""
        total = {s: n + self.archived.get(s, 0) for s, n in self._counts.items()}
        return {status: number for status, number in total.items() if number}

    def best_priority(self, wall: float) -> float | None:
        """Give the priority of what would be handed out next; None if there is nothing."""
        unit = self.ready.first()
        if unit is not None:
            return unit.priority
        return STANDARD if self.continuous_due(wall) else None

    def continuous_due(self, wall: float) -> bool:
        """Whether a unit may be made up."""
        if not self.spec.continuous:
            return False
        return self.next_continuous is None or wall >= self.next_continuous

    def room(self) -> int | None:
        """Give how many more units may be pending; None for any number."""
        most = self.spec.max_running
        return None if most is None else max(0, most - len(self.pending))

    def runs(self) -> bool:
        """Whether the spec is neither paused nor full."""
        return self.spec.status == RUNNABLE and self.room() != 0

    def in_states(self, states: Iterable[int]) -> Iterator[Unit]:
        """Give the units in any of the statuses."""
        wanted = frozenset(states)
        return (unit for unit in self.units.values() if unit.status in wanted)


def _make_available(unit: Unit) -> None:
    unit.free()
    unit.status = AVAILABLE
