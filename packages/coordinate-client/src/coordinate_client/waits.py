"""How long a call may wait for something to happen at the server."""

import math
from collections.abc import Callable
from typing import Any

from coordinate_client.exceptions import ProgrammerError
from coordinate_protocol.constants import MAX_WAIT

__all__ = ["Wait", "check_wait"]


class Wait:
    """The time that one call waits, in however many questions to the server.

    Attributes:
        ended: whether the caller is to wait no longer, by `end`.
        interrupt: breaks off the question that is under way; None while there is none.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        """Begin to wait.

        Args:
            seconds: from now on; infinity for as long as it takes.
            clock: seconds, which go on evenly.
        """
        self.ended = False
        self.interrupt: Callable[[], None] | None = None
        self._clock = clock
        self._until = clock() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; 0 when the time is over."""
        return max(0.0, self._until - self._clock())

    @property
    def part(self) -> float:
        """Seconds to ask a server for: what is left, but no more than servers wait."""
        return min(self.left, MAX_WAIT)

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return not self.left

    def end(self) -> None:
        """Have the caller wait no longer; other threads may say so."""
        # In this order: a question that begins now looks at `ended` once it can be interrupted.
        self.ended = True
        interrupt = self.interrupt
        if interrupt is not None:
            interrupt()


def check_wait(seconds: Any) -> float:
    """The time to wait.

    Args:
        seconds: 0 or more, infinity for as long as it takes; None is 0.

    Raises:
        ProgrammerError: for anything else.
    """
    if seconds is None:
        return 0.0
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds >= 0:
        raise ProgrammerError(f"wait {seconds!r} must be a number of seconds, 0 or more")
    return math.inf if seconds > _LONGEST else float(seconds)


# Beyond 300 years floats lose their fractions, and whole numbers may be too large to be floats.
_LONGEST = 1e10
