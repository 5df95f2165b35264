"""The calls of those who work on units."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING

from coordinate_protocol.constants import PENDING, RUN
from coordinate_server.model.calls import HandOut, NewEdge, NewUnit, UnitUpdate, WorkRequest
from coordinate_server.model.chain import chain
from coordinate_server.model.handouts import hand_out
from coordinate_server.model.instant import Instant
from coordinate_server.model.roster import Roster
from coordinate_server.model.unit import Unit
from coordinate_server.model.updates import update

if TYPE_CHECKING:
    from coordinate_server.model.core import Core
    from coordinate_server.model.ground import Ground
    from coordinate_server.model.scheduler import Scheduler
    from coordinate_server.model.workers import Workers

__all__ = ["WorkCalls"]

_RESTING = "told to take no work"

_LOOKS = 10
"""So often the scheduler is asked again for one call, while units are set aside for locks."""


class WorkCalls:
    """Handing units out, and taking in what became of them; a part of ``Namespace``."""

    _core: "Core"
    _ground: "Ground"
    _rosters: dict[str, Roster]
    _scheduler: "Scheduler"
    workers: "Workers"

    if TYPE_CHECKING:

        def _add(
            self, at: Instant, units: Sequence[tuple[Roster, NewUnit]], edges: Iterable[NewEdge]
        ) -> None: ...
        def _roster_at(self, at: Instant, name: str) -> Roster: ...
        def _unit(self, roster: Roster, key: bytes) -> Unit: ...

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
        unit = self._unit(roster, key)
        finished = update(self._core, roster, at, unit, wanted)
        fault = self._chain(roster, at, unit) if finished else None
        self._core.dependencies.settle(at)
        return fault

    def _chain(self, roster: Roster, at: Instant, unit: Unit) -> str | None:
        """Make units of what one has put out; gives, and keeps, what made none."""
        then = roster.spec.then
        if then is None:
            return None
        made, fault = chain(unit, self._core.settings)
        target = self._rosters.get(then)
        if target is not None:
            self._add(at, [(target, new) for new in made], ())
        elif made:
            fault = f"then of {roster.spec.name!r} is {then!r}, which is no work spec"
        if fault is not None:
            unit.past().output_error = fault
            roster.write_unit(unit)
        return fault

    def get_work(self, at: Instant, worker_id: str, request: WorkRequest) -> list[HandOut]:
        """Hand out units of one spec to a worker; an empty list if there are none for it."""
        self._core.run_due(at)
        if self.workers.modes.kept and self.workers.modes.of(worker_id) != RUN:
            return []
        for _ in range(_LOOKS):
            choice = self._scheduler.choose(at, request)
            if choice is not None:
                handed = hand_out(self._core, choice.roster, at, worker_id, request)
                if handed:
                    self._scheduler.charge(choice, len(handed))
                    self.workers.handed(worker_id, handed[0].attempt)
                    return handed
                # Its locks were free when the scheduler looked, and are not any more.
                self._ground.touch(choice.roster)
            elif not self._ground.touched:
                break
        return []

    def take_back(self, at: Instant, name: str, key: bytes, attempt: int) -> None:
        """Make a unit available again whose hand-out never reached its worker."""
        self._core.run_due(at)
        roster = self._rosters.get(name)
        unit = None if roster is None else roster.units.get(key)
        if roster is None or unit is None or (unit.status, unit.attempt) != (PENDING, attempt):
            return
        roster.give_back(unit, at, "released")
        self._core.dependencies.settle(at)

    # ---- waiting for work ----

    @property
    def stirred(self) -> bool:
        """Whether there may be work for somebody who got none."""
        return self._ground.stirred is None or bool(self._ground.stirred)

    def take_stirred(self) -> frozenset[str] | None:
        """Give the names of the specs that it may be of, None for any; what follows is news."""
        return self._ground.take_stirred()

    @property
    def specs_version(self) -> int:
        """A number that changes when ``way_of_asking`` may."""
        return self._scheduler.version + self.workers.modes.version

    def way_of_asking(self, request: WorkRequest, worker_id: str | None = None) -> Hashable:
        """Give what those have in common to whom the same units may be handed out."""
        modes = self.workers.modes
        rests = bool(modes.kept) and worker_id is not None and modes.of(worker_id) != RUN
        # They get nothing, and must not keep those from work who ask alike.
        return _RESTING if rests else self._scheduler.way(request)
