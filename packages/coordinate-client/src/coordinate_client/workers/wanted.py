"""What a worker asks for when it asks for work."""

import math
import time
from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen

from coordinate_client.workers.machine import available_gb

__all__ = ["MemoryGauge", "WantedUnits"]


@define
class MemoryGauge:
    """How much memory a job could have, measured once a second at most.

    Args:
        measure: gives it in GiB, or None where that cannot be known.
        clock: seconds that go on evenly.
    """

    measure: Callable[[], float | None] = available_gb
    clock: Callable[[], float] = time.monotonic
    _until: float = field(default=0.0, init=False)
    _found: float | None = field(default=None, init=False)

    def read(self) -> float | None:
        """The memory, GiB; None where it cannot be known."""
        now = self.clock()
        if now >= self._until:
            self._found = _in_parts(self.measure())
            self._until = now + 1.0
        return self._found


def _in_parts(gigabytes: float | None) -> float | None:
    """What there is in whole 64ths: more would say nothing, and costs more to read."""
    return None if gigabytes is None else math.floor(gigabytes * 64) / 64


@frozen
class WantedUnits:
    """Which units a worker wants.

    Args:
        worker_id: who asks.
        most: how many of one spec at once.
        work_spec_names: only of these specs; None for all.
        runtimes: only of specs with one of these tags or none; None for all.
        gauge: knows the memory there is.
    """

    worker_id: str
    most: int = 1
    work_spec_names: tuple[str, ...] | None = None
    runtimes: tuple[str, ...] | None = None
    gauge: MemoryGauge = field(factory=MemoryGauge)

    def options(self) -> dict[str, Any]:
        """The arguments of `TaskMaster.get_work` and `finish_and_get_work`, but the wait."""
        return {
            "worker_id": self.worker_id,
            "available_gb": self.gauge.read(),
            "work_spec_names": self.work_spec_names,
            "max_jobs": self.most,
            "runtimes": self.runtimes,
        }
