"""The calls: everything that can be asked of one namespace."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

from attrs import evolve

from coordinate_protocol.constants import RUN
from coordinate_server.model import additions
from coordinate_server.model.additions import check_unit
from coordinate_server.model.archive import archive
from coordinate_server.model.attempts import attempts_of
from coordinate_server.model.calls import (
    AttemptView,
    EdgeEnd,
    NewEdge,
    NewUnit,
    SpecExplanation,
    UnitExplanation,
    UnitView,
    WorkerExplanation,
    WorkRequest,
)
from coordinate_server.model.core import Core
from coordinate_server.model.deletions import forget_all, units_going
from coordinate_server.model.errors import NoSuchSpec, NoSuchUnit, Refused
from coordinate_server.model.explain import Explainer
from coordinate_server.model.feed import Feed
from coordinate_server.model.ground import Ground
from coordinate_server.model.instant import Instant
from coordinate_server.model.listing import first_in_states, first_units
from coordinate_server.model.numbers import check_number
from coordinate_server.model.order_calls import OrderCalls
from coordinate_server.model.roster import Roster
from coordinate_server.model.scheduler import Scheduler
from coordinate_server.model.settings import ModelSettings
from coordinate_server.model.spec import Spec, controlled, parse_spec, scheduled_alike
from coordinate_server.model.unit import Unit
from coordinate_server.model.work_calls import WorkCalls
from coordinate_server.model.worker_calls import WorkerCalls
from coordinate_server.model.workers import Workers

__all__ = ["Namespace"]


class Namespace(WorkCalls, WorkerCalls, OrderCalls):
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
        self._ground = Ground(core, name)
        self._rosters: dict[str, Roster] = {}
        self._scheduler = Scheduler(self._rosters, self._ground)
        self.workers = Workers(core, self._ground)
        self.locks = self._ground.locks

    def load_spec(self, spec: Spec) -> Roster:
        """Take in a spec that is written down; the caller names its row and loads its units."""
        roster = Roster(self._ground, spec)
        self._rosters[spec.name] = roster
        self._scheduler.specs_changed()
        return roster

    @property
    def feed(self) -> Feed:
        """What has changed, for those who watch."""
        return self._ground.feed

    @property
    def settings(self) -> ModelSettings:
        """What the model was told by the configuration."""
        return self._core.settings

    @property
    def unit_count(self) -> int:
        """How many units there are in memory."""
        return sum(roster.units.number_here for roster in self._rosters.values())

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
        self._check_limits(spec)
        self._core.run_due(at)
        roster = self._rosters.get(spec.name)
        if roster is None:
            roster = self.load_spec(spec)
            roster.name_row(self._core.next_spec_id())
            roster.plan(at.wall)
            roster.write()
        else:
            self._redefine(at, roster, spec)

    def _check_limits(self, spec: Spec) -> None:
        known = self._core.settings.limits
        for name in sorted(spec.uses - known.keys()):
            names = ", ".join(sorted(known)) or "none"
            raise Refused(
                f"uses of work spec {spec.name!r} names the limit {name!r},"
                f" the server defines {names} (setting: job_queue.limits)"
            )

    def _redefine(self, at: Instant, roster: Roster, spec: Spec) -> None:
        old = roster.spec
        roster.redefine(spec, at.wall)
        if not scheduled_alike(old, spec):
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
            self._redefine(at, roster, spec)

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

    def delete_spec(self, at: Instant, name: str, *, cascade: bool = False) -> None:
        """Delete a spec and its units.

        Arguments:
            at: the moment.
            name: the spec's name.
            cascade: whether units of other specs that wait for them go too.

        Raises:
            NoSuchSpec: there is none of that name.
            Refused: others wait for its units, and ``cascade`` is not set.
        """
        roster = self._roster_at(at, name)
        self._remove(at, roster, roster.units.linked(), cascade=cascade, all_of_it=True)
        roster.retire()
        del self._rosters[name]
        self._scheduler.specs_changed()

    def clear(self, at: Instant) -> int:
        """Delete all specs; gives how many."""
        self._core.run_due(at)
        number = len(self._rosters)
        for roster in self._rosters.values():
            forget_all(self._core.dependencies, roster, at)
        for roster in self._rosters.values():
            roster.retire()
        self._rosters.clear()
        self._scheduler.specs_changed()
        return number

    def archive(self, at: Instant, names: Iterable[str] | None = None) -> None:
        """Forget ended units beyond the limits; names of no spec are ignored, None is all.

        At most a thousand go at once; ``Model.retain`` goes on with the others.
        """
        self._core.run_due(at)
        left = _ARCHIVED_AT_ONCE
        for name in list(self._rosters) if names is None else names:
            roster = self._rosters.get(name)
            if roster is not None:
                left -= archive(roster, at, self._core.dependencies, left)

    # ---- units ----

    def add_units(self, at: Instant, name: str, units: Sequence[NewUnit]) -> None:
        """Add units, all or none; see ``additions`` for those that are there already.

        Raises:
            NoSuchSpec: there is none of that name.
            Refused: a unit is too large, its numbers are none, what it needs is nowhere, or the
                needs would close a cycle.
        """
        roster = self._roster_at(at, name)
        self._add(at, [(roster, unit) for unit in units], ())

    def _add(
        self, at: Instant, units: Sequence[tuple[Roster, NewUnit]], edges: Iterable[NewEdge]
    ) -> None:
        for _, unit in units:
            check_unit(unit, self._core.settings)
        planned = additions.resolve(at, units, edges, self._rosters)
        planned.apply(self._core.dependencies)

    def add_dependencies(self, at: Instant, edges: Sequence[NewEdge]) -> None:
        """Have units need others, all or nothing; ends with data are added as units are.

        Raises:
            NoSuchSpec: there is none of a name.
            Refused: a unit is nowhere and has no data, one that is to wait has ended, a unit is too
                large, or the edges would close a cycle.
        """
        self._core.run_due(at)
        ends = [end for edge in edges for end in (edge.later, edge.earlier)]
        units = [self._new_end(end, end.data) for end in ends if end.data is not None]
        self._add(at, units, edges)

    def _new_end(self, end: EdgeEnd, data: bytes) -> tuple[Roster, NewUnit]:
        return self._roster(end.spec), NewUnit(end.key, data)

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
        found = [(key, units.seen(key)) for key in keys]
        return [(key, None if unit is None else unit.data) for key, unit in found]

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
            found = first_units(roster, low, limit)
        else:
            found = first_in_states(roster, frozenset(states), low, limit)
        return [(unit.key, unit.data) for unit in found]

    def unit_status(self, at: Instant, name: str, keys: Iterable[bytes]) -> list[UnitView | None]:
        """Give how each unit is; None for one that is not there.

        Raises:
            NoSuchSpec: there is none of that name.
        """
        units = self._roster_at(at, name).units
        found = [units.seen(key) for key in keys]
        return [None if unit is None else self._view(unit) for unit in found]

    def _view(self, unit: Unit) -> UnitView:
        view = unit.view()
        if unit.links is None:
            return view
        needs, number, unmet = self._core.dependencies.needs(unit)
        return evolve(view, needs=needs, needs_count=number, unmet=unmet)

    def unit_attempts(self, at: Instant, name: str, key: bytes) -> list[AttemptView]:
        """Give the hand-outs of a unit that are remembered, oldest first.

        Raises:
            NoSuchSpec: there is none of that name.
            NoSuchUnit: there is none of that key.
        """
        return attempts_of(self._unit(self._roster_at(at, name), key))

    def _unit(self, roster: Roster, key: bytes) -> Unit:
        unit = roster.units.get(key)
        if unit is None:
            raise NoSuchUnit(key)
        return unit

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
        *,
        cascade: bool = False,
    ) -> int:
        """Delete units; by ``all`` or states alone, archived ones are forgotten and counted too.

        Arguments:
            at: the moment.
            name: the spec's name.
            keys: those wanted; with states only those of them that are in these.
            states: the statuses wanted.
            all: every unit, whatever else is said.
            cascade: whether units that wait for them go too.

        Returns:
            How many have gone, those of other specs included.

        Raises:
            NoSuchSpec: there is none of that name.
            Refused: neither ``all`` nor keys nor states; or others wait for them, and ``cascade``
                is not set.
        """
        roster = self._roster_at(at, name)
        if all:
            return self._delete_all(at, roster, cascade=cascade)
        if keys is None and states is None:
            raise Refused("no usable options to del_work_units")
        wanted = None if states is None else frozenset(states)
        found = roster.in_states(wanted or ()) if keys is None else _found(roster, keys)
        going = [unit for unit in found if wanted is None or unit.status in wanted]
        number = self._remove(at, roster, going, cascade=cascade)
        return number + (_drop_archived(roster, wanted) if keys is None and wanted else 0)

    def _remove(
        self,
        at: Instant,
        roster: Roster,
        units: Iterable[Unit],
        *,
        cascade: bool,
        all_of_it: bool = False,
    ) -> int:
        """Remove units of a spec, and what goes with them; gives how many.

        With ``all_of_it`` those of the spec itself stay, for the caller to drop at once; then only
        those that have links need to be given.
        """
        dependencies = self._core.dependencies
        going = units_going(dependencies, ((unit, roster) for unit in units), cascade=cascade)
        for unit in going:
            dependencies.forget(unit, at)
        for unit, owner in going.items():
            if not all_of_it or owner is not roster:
                owner.remove(unit)
        dependencies.settle(at)
        return len(going)

    def _delete_all(self, at: Instant, roster: Roster, *, cascade: bool) -> int:
        number = sum(roster.counts().values())
        of_others = list(roster.units.linked())
        gone = self._remove(at, roster, of_others, cascade=cascade, all_of_it=True)
        if number:
            roster.drop_units()
            roster.name_row(self._core.next_spec_id())
            roster.write()
        return number + gone - len(of_others)

    # ---- explanations ----

    def explain_unit(self, at: Instant, name: str, key: bytes) -> UnitExplanation:
        """Tell why a unit does not run.

        Raises:
            NoSuchSpec: there is none of that name.
            NoSuchUnit: there is none of that key.
        """
        roster = self._roster_at(at, name)
        return self._explainer(at).unit(roster, self._unit(roster, key))

    def explain_spec(self, at: Instant, name: str) -> SpecExplanation:
        """Tell why a spec hands out nothing.

        Raises:
            NoSuchSpec: there is none of that name.
        """
        roster = self._roster_at(at, name)
        return self._explainer(at).spec(roster)

    def explain_worker(
        self, at: Instant, worker_id: str, request: WorkRequest
    ) -> WorkerExplanation:
        """Tell what a worker that asks so would get now."""
        self._core.run_due(at)
        held = self._ground.held.get(worker_id, {})
        holds = [(roster.spec.name, unit.key, unit.deadline or 0) for unit, roster in held.items()]
        found = self._explainer(at).worker(request, holds)
        asked = self.workers.modes.of(worker_id)
        if asked == RUN:
            return found
        text = f"it is told to take no work: {asked} is asked of it, its host or everyone"
        return evolve(found, text=text, spec=None, key=None)

    def _explainer(self, at: Instant) -> Explainer:
        dependencies = self._core.dependencies
        return Explainer(self._rosters, self._scheduler, dependencies, self.workers, at)


# What takes a call some hundredths of a second.
_ARCHIVED_AT_ONCE = 1000


def _new_priorities(
    roster: Roster, keys: Iterable[bytes], priority: float | None, adjustment: float | None
) -> list[tuple[Unit, float]]:
    for what, value in (("priority", priority), ("adjustment", adjustment)):
        if value is not None:
            check_number(what, value)
    if priority is None and adjustment is None:
        return []
    moved = []
    for unit in _found(roster, keys):
        rank = unit.priority + (adjustment or 0) if priority is None else priority
        check_number(f"priority of work unit {unit.key!r}", rank)
        moved.append((unit, rank))
    return moved


def _found(roster: Roster, keys: Iterable[bytes]) -> list[Unit]:
    found = map(roster.units.get, dict.fromkeys(keys))
    return [unit for unit in found if unit is not None]


def _drop_archived(roster: Roster, states: frozenset[int]) -> int:
    archived = [roster.archived.pop(status) for status in states if status in roster.archived]
    if archived:
        roster.write()
    return sum(archived)
