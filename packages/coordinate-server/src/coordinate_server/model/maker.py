"""Units that are made up: of continuous specs when nothing else waits, of schedules at a time."""

from attrs import define

from coordinate_server.model.spec import Spec
from coordinate_server.model.timetable import next_run

__all__ = ["Maker"]

_ON_TIME = 60.0
"""Seconds after its moment until a run counts as missed: a server starts again within that."""


@define(eq=False)
class Maker:
    """What is to be made up for one spec, and when; moments are on ``wall``.

    Arguments:
        last: when a unit of a continuous spec was last made up.
        next: when something is due next; None for nothing, or for at once.
        owed: the moment of a run that was missed and will be made up for, or None.
        key: the unit made up last.
    """

    last: float | None = None
    next: float | None = None
    owed: float | None = None
    key: bytes | None = None

    def plan(self, spec: Spec, wall: float) -> None:
        """Work out what is due next, for a spec that is new, defined anew, or loaded."""
        if spec.schedule is None:
            waits = spec.continuous and spec.interval is not None and self.last is not None
            moment = (self.last or 0) + (spec.interval or 0) if waits else wall
            self.owed, self.next = None, moment if moment > wall else None
        elif self.next is None:
            self.next = next_run(spec.schedule.cron, spec.schedule.timezone, wall)

    def plan_anew(self, spec: Spec, wall: float) -> None:
        """Forget what was due, for a spec whose times are others now."""
        self.next = self.owed = None
        self.plan(spec, wall)

    def may_begin(self, spec: Spec) -> bool:
        """Whether the time of a continuous spec's next unit has come."""
        return spec.continuous and self.next is None

    def run(self, spec: Spec, wall: float, *, free: bool) -> float | None:
        """Have a schedule's run come due, and plan the next.

        Arguments:
            spec: the spec, which has a schedule.
            wall: the time.
            free: whether a unit may be made now.

        Returns:
            The moment that a unit is to be made for; None for no unit.
        """
        if spec.schedule is None or self.next is None or wall < self.next:
            return None
        moment = self.next
        self.next = next_run(spec.schedule.cron, spec.schedule.timezone, wall)
        if free and wall - moment <= _ON_TIME:
            self.owed = None
            return moment
        if spec.schedule.catch_up:
            self.owed = moment
        return self.settle(free=free)

    def settle(self, *, free: bool) -> float | None:
        """Give the moment of the run that is owed, if one is and a unit may be made now."""
        if not free:
            return None
        moment, self.owed = self.owed, None
        return moment
