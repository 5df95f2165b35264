"""What runs in this process, for those who ask from other threads."""

import math
import time
from typing import TYPE_CHECKING, Any

from attrs import evolve

from coordinate_client import WorkUnit
from coordinate_client.steady import steady
from coordinate_client.workers.board import Running
from coordinate_client.workers.titles import show_unit
from coordinate_client.workers.watcher import Watcher
from coordinate_protocol.values import key_bytes

if TYPE_CHECKING:
    from coordinate_client.workers.current import AnyUnit

__all__ = ["NotedWatcher", "running_of"]


def running_of(unit: "AnyUnit", limit: float | None) -> Running:
    """A unit that begins now.

    Args:
        unit: which.
        limit: seconds that it may run for; None for as long as it takes.
    """
    now, wall = steady(), time.time()
    left = unit.default_lease_time if unit.expires is None else unit.expires - wall
    spent = math.inf if limit is None else limit
    return Running(
        unit.work_spec_name,
        key_bytes(unit.key),
        unit.attempt,
        wall,
        unit.default_lease_time,
        now + left,
        spent,
        now + spent,
    )


class NotedWatcher(Watcher):
    """Notes the unit that one loop runs.

    Attributes:
        running: what runs; None while nothing does.
    """

    def __init__(self, *, titles: bool = True) -> None:
        """Begin with nothing.

        Args:
            titles: whether the title of the process says what runs.
        """
        self.running: Running | None = None
        self._titles = titles

    def began(self, unit: WorkUnit, limit: float | None) -> None:
        """Note what runs."""
        self.running = running_of(unit, limit)
        if self._titles:
            show_unit(unit.work_spec_name, unit.key)

    def progressed(self, unit: WorkUnit, progress: Any) -> None:
        """Note how far it is."""
        del unit
        if self.running is not None:
            self.running = evolve(self.running, progress=progress)

    def ended(self, unit: WorkUnit) -> None:
        """Note that nothing runs."""
        del unit
        self.running = None
