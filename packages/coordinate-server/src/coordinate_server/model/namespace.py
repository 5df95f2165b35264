"""The calls: everything that can be asked of one namespace."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from heapq import nsmallest
from typing import Any

from coordinate_server.model import additions
from coordinate_server.model.additions import check_number, check_unit
from coordinate_server.model.archive import archive
from coordinate_server.model.calls import (
    HandOut,
    HeldUnit,
    NewUnit,
    UnitUpdate,
    UnitView,
    WorkerView,
    WorkRequest,
)
from coordinate_server.model.chain import chained_units
from coordinate_server.model.core import Core
from coordinate_server.model.errors import NoSuchSpec, NoSuchUnit, Refused
from coordinate_server.model.handouts import hand_out
from coordinate_server.model.instant import Instant
from coordinate_server.model.roster import Held, Roster
from coordinate_server.model.scheduler import Scheduler
from coordinate_server.model.spec import Spec, controlled, parse_spec
from coordinate_server.model.unit import Unit
from coordinate_server.model.updates import update
from coordinate_server.model.workers import Worker, Workers

__all__ = ["Namespace"]


class Namespace:
    """Specs, units and workers that share nothing with those of another namespace.

    Every call that takes the moment first lets end what is due by then. A call that raises has
    changed nothing else. Keys are bytes, names are text, data are CBOR.

    Arguments:
        core: what the model shares.
        name: its name.
    """

    def __init__(self, core: Core, name: str) -> None:
        self.name = name
        self._core = core
        self._held: Held = {}
        self._rosters: dict[str, Roster] = {}
        self._scheduler = Scheduler(self._rosters)
        self.workers = Workers(core, name)

    def load_spec(self, spec: Spec) -> Roster:
        """Take in a spec that is written down; the caller names its row and loads its units."""
        roster = Roster(self._core, self.name, spec, self._held)
        self._rosters[spec.name] = roster
        self._scheduler.specs_changed()
        return roster

    def _roster(self, name: str) -> Roster:
        roster = self._rosters.get(name)
        if roster is None:
            raise NoSuchSpec(name)
        return roster

    def _roster_at(self, at: Instant, name: str) -> Roster:
        self._core.run_due(at)
        return self._roster(name)

    # ---- specs ----

    def set_spec(self, at: Instant, definition: dict[str, Any]) -> None:
        """Create a spec, or define one anew: its control fields are reset, its units stay.

        Raises:
            Refused: the definition holds what it cannot.
        """
        spec = parse_spec(definition)
        self._core.run_due(at)
        roster = self._rosters.get(spec.name)
        if roster is None:
            roster = self.load_spec(spec)
            roster.name_row(self._core.next_spec_id())
        roster.spec = spec
        roster.write()
        self._scheduler.specs_changed()

    def spec(self, name: str) -> Spec | None:
        """Give a spec as it stands, or None."""
        roster = self._rosters.get(name)
        return None if roster is None else roster.spec

    def spec_meta(self, name: str) -> dict[str, Any]:
        """Give a spec's control fields.

        Raises:
            NoSuchSpec: there is none of that name.
        """
        return self._roster(name).spec.controls()

    def control_spec(self, at: Instant, name: str, options: dict[str, Any]) -> None:
        """Change control fields of a spec.

        Raises:
            NoSuchSpec: there is none of that name.
            Refused: see ``controlled``.
        """
        roster = self._roster_at(at, name)
        spec = controlled(roster.spec, options)
        if spec != roster.spec:
            roster.spec = spec
            roster.write()

    def list_specs(
        self, start: str | None = None, limit: int | None = None
    ) -> tuple[list[Spec], str | None]:
        """Give specs by name, and the name of the next one or None.

        Arguments:
            start: the first name wanted; None for the very first.
            limit: how many at most; None for all.
        """
        names = sorted(self._rosters)
        begin = 0 if start is None else bisect_left(names, start)
        end = len(names) if limit is None else begin + limit
        following = names[end] if end < len(names) else None
        return [self._rosters[name].spec for name in names[begin:end]], following

    def delete_spec(self, at: Instant, name: str) -> None:
        """Delete a spec and its units.

        Raises:
            NoSuchSpec: there is none of that name.
        """
        self._roster_at(at, name).drop_units()
        del self._rosters[name]
        self._scheduler.specs_changed()

    def clear(self, at: Instant) -> int:
        """Delete all specs; gives how many."""
        self._core.run_due(at)
        number = len(self._rosters)
        for roster in self._rosters.values():
            roster.drop_units()
        self._rosters.clear()
        self._scheduler.specs_changed()
        return number

    def archive(self, at: Instant, names: Iterable[str] | None = None) -> None:
        """Forget ended units beyond the limits; names of no spec are ignored, None is all."""
        self._core.run_due(at)
        for name in list(self._rosters) if names is None else names:
            roster = self._rosters.get(name)
            if roster is not None:
                archive(roster, at, self._core.settings)

    # ---- units ----

    def add_units(self, at: Instant, name: str, units: Sequence[NewUnit]) -> None:
        """Add units, all or none; see ``additions.add`` for those that are there already.

        Raises:
            NoSuchSpec: there is none of that name.
            Refused: a unit is too large, or its numbers are none.
        """
        roster = self._roster_at(at, name)
        for unit in units:
            check_unit(unit, self._core.settings)
        additions.add(roster, at, units)

    def count_units(self, at: Instant, name: str) -> dict[int, int]:
        """Give how many units are in each status that has any, archived ones included.

        Raises:
            NoSuchSpec: there is none of that name.
        """
        return self._roster_at(at, name).counts()

    def units_by_key(
        self, at: Instant, name: str, keys: Iterable[bytes]
    ) -> list[tuple[bytes, bytes | None]]:
        """Give (key, data) of each key asked for; the data of one that is not there are None.

        Raises:
            NoSuchSpec: there is none of that name.
        """
        units = self._roster_at(at, name).units
        return [(key, units[key].data if key in units else None) for key in keys]

    def list_units(
        self,
        at: Instant,
        name: str,
        states: Iterable[int] | None = None,
        limit: int = 1000,
        start: bytes | None = None,
    ) -> list[tuple[bytes, bytes]]:
        """Give (key, data) of units by key; with ``states`` by priority, highest first, then key.

        Arguments:
            at: the moment.
            name: the spec's name.
            states: the statuses wanted; None for all.
            limit: how many at most.
            start: the lowest key wanted.

        Raises:
            NoSuchSpec: there is none of that name.
        """
        roster = self._roster_at(at, name)
        low = b"" if start is None else start
        if states is None:
            keys = nsmallest(limit, (key for key in roster.units if key >= low))
        else:
            ranks = ((-u.priority, u.key) for u in roster.in_states(states) if u.key >= low)
            keys = [key for _, key in nsmallest(limit, ranks)]
        return [(key, roster.units[key].data) for key in keys]

    def unit_status(self, at: Instant, name: str, keys: Iterable[bytes]) -> list[UnitView | None]:
        """Give how each unit is; None for one that is not there.

        Raises:
            NoSuchSpec: there is none of that name.
        """
        units = self._roster_at(at, name).units
        return [units[key].view() if key in units else None for key in keys]

    def prioritize_units(
        self,
        at: Instant,
        name: str,
        keys: Iterable[bytes],
        priority: float | None = None,
        adjustment: float | None = None,
    ) -> None:
        """Set priorities, or else move them; keys of no unit are ignored.

        Raises:
            NoSuchSpec: there is none of that name.
            Refused: not a number.
        """
        roster = self._roster_at(at, name)
        moved = _new_priorities(roster, keys, priority, adjustment)
        for unit, rank in moved:
            roster.change(unit, lambda unit, rank=rank: setattr(unit, "priority", rank))  # type: ignore[misc]  # the default binds this turn's value

    def delete_units(
        self,
        at: Instant,
        name: str,
        keys: Iterable[bytes] | None = None,
        states: Iterable[int] | None = None,
        all: bool = False,
    ) -> int:
        """Delete units; by ``all`` or states alone, archived ones are forgotten and counted too.

        Arguments:
            at: the moment.
            name: the spec's name.
            keys: those wanted; with states only those of them that are in these.
            states: the statuses wanted.
            all: every unit, whatever else is said.

        Raises:
            NoSuchSpec: there is none of that name.
            Refused: neither ``all`` nor keys nor states.
        """
        roster = self._roster_at(at, name)
        if all:
            return self._delete_all(roster)
        if keys is not None:
            return _delete_keys(roster, keys, states)
        if states is None:
            raise Refused("no usable options to del_work_units")
        return _delete_states(roster, frozenset(states))

    def _delete_all(self, roster: Roster) -> int:
        number = sum(roster.counts().values())
        if number:
            roster.drop_units()
            roster.name_row(self._core.next_spec_id())
            roster.write()
        return number

    def update_unit(self, at: Instant, name: str, key: bytes, wanted: UnitUpdate) -> str | None:
        """Renew, end or give back a unit, or change its data; its output makes new units.

        Returns:
            What of its output could not be used, for people; None for nothing.

        Raises:
            NoSuchSpec: there is none of that name.
            NoSuchUnit: there is none of that key.
            NotOwner: the caller says who it is, and the unit is not its own any more.
            Refused: it asks for nothing, or for what cannot be.
        """
        roster = self._roster_at(at, name)
        unit = roster.units.get(key)
        if unit is None:
            raise NoSuchUnit(key)
        finished = update(self._core, roster, at, unit, wanted)
        return self._chain(roster, at, unit) if finished else None

    def _chain(self, roster: Roster, at: Instant, unit: Unit) -> str | None:
        target = self._rosters.get(roster.spec.then or "")
        if target is None:
            return None
        units, faults = chained_units(unit.data, unit.priority)
        fit = []
        for new in units:
            try:
                check_unit(new, self._core.settings)
            except Refused as error:
                faults.append(str(error))
            else:
                fit.append(new)
        additions.add(target, at, fit)
        return f"{len(faults)} of its output made no unit: {faults[0]}" if faults else None

    def get_work(self, at: Instant, worker_id: str, request: WorkRequest) -> list[HandOut]:
        """Hand out units of one spec to a worker; an empty list if there are none for it.

        Raises:
            Refused: less than one unit is asked for, or the lease or memory is no number.
        """
        check_number("max_jobs", request.max_jobs, 1)
        for what, value in (
            ("lease_time", request.lease_time),
            ("available_gb", request.available_gb),
        ):
            if value is not None:
                check_number(what, value)
        self._core.run_due(at)
        choice = self._scheduler.choose(at, request)
        if choice is None:
            return []
        handed = hand_out(self._core, choice.roster, at, worker_id, request)
        self._scheduler.charge(choice, len(handed))
        self.workers.handed(worker_id, handed[0].attempt)
        return handed

    # ---- workers ----

    def heartbeat(
        self,
        at: Instant,
        worker_id: str,
        mode: str,
        expire_seconds: float | None,
        data: bytes,
        parent: str | None = None,
    ) -> None:
        """Register a worker or renew it.

        Arguments:
            at: the moment.
            worker_id: its name.
            mode: what it does.
            expire_seconds: how long this holds; None for ever.
            data: what it says, as CBOR.
            parent: its parent's name or None.

        Raises:
            Refused: the time is no number or below zero, or the data are too large.
        """
        if expire_seconds is not None:
            check_number("expire_seconds", expire_seconds, 0)
        additions.check_data(data, self._core.settings)
        self._core.run_due(at)
        expiry = None if expire_seconds is None else at.now + expire_seconds
        self.workers.put(Worker(worker_id, mode, parent, at.now, expiry, data))

    def unregister(self, at: Instant, worker_id: str) -> bool:
        """Forget a worker; whether it was known."""
        self._core.run_due(at)
        return self.workers.forget(worker_id)

    def worker_modes(self, at: Instant) -> dict[str, str]:
        """Give the mode of each worker that has not expired."""
        self._core.run_due(at)
        return self.workers.modes()

    def worker_info(self, at: Instant, worker_id: str) -> WorkerView | None:
        """Give what is known of a worker, or None."""
        self._core.run_due(at)
        worker = self.workers.by_id.get(worker_id)
        return None if worker is None else worker.view()

    def mode_counts(self, at: Instant) -> dict[str, int]:
        """Give how many workers are in each mode."""
        self._core.run_due(at)
        return self.workers.mode_counts()

    def child_units(self, at: Instant, parent: str) -> dict[str, list[HeldUnit]]:
        """Give what each child of a worker has in its hands, of its newest hand-out.

        0.1.5's parents stop a child whose lease is over; what it was given before and neither
        ended nor gave back is none of its business any more.
        """
        self._core.run_due(at)
        return {child: self._units_of(child) for child in self.workers.children(parent)}

    def _units_of(self, worker_id: str) -> list[HeldUnit]:
        newest = self.workers.by_id[worker_id].newest
        return [
            HeldUnit(roster.spec.name, unit.key, unit.data, worker_id, unit.deadline or 0)
            for unit, roster in self._held.get(worker_id, {}).items()
            if unit.attempt >= newest
        ]

    def worker_stats(self, at: Instant) -> dict[str, int]:
        """Give how many workers there are, have a parent, and can expire."""
        self._core.run_due(at)
        return self.workers.stats()


def _new_priorities(
    roster: Roster, keys: Iterable[bytes], priority: float | None, adjustment: float | None
) -> list[tuple[Unit, float]]:
    for what, value in (("priority", priority), ("adjustment", adjustment)):
        if value is not None:
            check_number(what, value)
    if priority is None and adjustment is None:
        return []
    units = [roster.units[key] for key in dict.fromkeys(keys) if key in roster.units]
    moved = []
    for unit in units:
        rank = unit.priority + (adjustment or 0) if priority is None else priority
        check_number(f"priority of work unit {unit.key!r}", rank)
        moved.append((unit, rank))
    return moved


def _delete_keys(roster: Roster, keys: Iterable[bytes], states: Iterable[int] | None) -> int:
    wanted = None if states is None else frozenset(states)
    found = [roster.units[key] for key in dict.fromkeys(keys) if key in roster.units]
    gone = [unit for unit in found if wanted is None or unit.status in wanted]
    for unit in gone:
        roster.remove(unit)
    return len(gone)


def _delete_states(roster: Roster, states: frozenset[int]) -> int:
    gone = list(roster.in_states(states))
    for unit in gone:
        roster.remove(unit)
    archived = [roster.archived.pop(status) for status in states if status in roster.archived]
    if archived:
        roster.write()
    return len(gone) + sum(archived)
