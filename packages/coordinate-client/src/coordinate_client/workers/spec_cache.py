"""The work specs of the units that a worker runs, fetched once in a while."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from coordinate_client import TaskMaster

__all__ = ["SpecCache"]

SECONDS = 5.0


class SpecCache:
    """The specs that were asked for lately.

    A spec that was changed is seen by units that begin so many seconds later.
    """

    def __init__(
        self,
        task_master: TaskMaster,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with none.

        Args:
            task_master: where they come from.
            seconds: how long one is good for.
            clock: seconds that go on evenly.
        """
        self._task_master = task_master
        self._seconds = seconds
        self._clock = clock
        self._known: dict[str, tuple[float, Mapping[str, Any]]] = {}

    def get(self, name: str) -> Mapping[str, Any] | None:
        """A spec; None where the server has none of that name."""
        until, spec = self._known.get(name, (0.0, None))
        now = self._clock()
        if spec is None or now >= until:
            spec = self._task_master.get_work_spec(name)
            if spec is None:
                self._known.pop(name, None)
                return None
            # One that is as it was stays the same object: what was looked up for it holds.
            _, before = self._known.get(name, (0.0, None))
            spec = before if before == spec else spec
            self._known[name] = now + self._seconds, spec
        return spec
