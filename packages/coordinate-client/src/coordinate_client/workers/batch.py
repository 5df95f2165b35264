"""What a worker has fetched and not begun, and what it has done and not told."""

from collections import deque
from collections.abc import Iterable
from threading import Lock

from coordinate_client import WorkUnit

__all__ = ["Batch"]


class Batch:
    """The units of one fetch; one thread runs them, others may take away what is not begun."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = Lock()
        self._waiting: deque[WorkUnit] = deque()
        self._done: list[WorkUnit] = []

    def __bool__(self) -> bool:
        """Whether there is anything to begin."""
        return bool(self._waiting)

    def put(self, units: Iterable[WorkUnit]) -> None:
        """Add what was fetched."""
        with self._lock:
            self._waiting.extend(units)

    def next(self) -> WorkUnit | None:
        """The unit to run now; None where there is none."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def took(self, unit: WorkUnit) -> int:
        """Note that a unit ended well, which is still to be told; how many there are."""
        with self._lock:
            self._done.append(unit)
            return len(self._done)

    def take_done(self) -> list[WorkUnit]:
        """What is to be told; whoever takes it tells it."""
        with self._lock:
            done, self._done = self._done, []
            return done

    def take_waiting(self) -> list[WorkUnit]:
        """What is not begun; whoever takes it gives it back."""
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
            return waiting
