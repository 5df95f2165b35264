"""The clock that waits and locks are measured by."""

import time
from typing import Final

__all__ = ["steady"]


def _sleepless_clock() -> int | None:
    """The system's clock that goes on while the machine sleeps; None where it has none."""
    found: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    if found is None:
        return None
    try:
        time.clock_gettime(found)
    except OSError:
        return None
    return found


_CLOCK: Final = _sleepless_clock()


def steady() -> float:
    """Seconds that go on evenly, whatever happens to the time of day.

    Where the system has such a clock, they go on while the machine sleeps as well: a server does
    not wait for it.
    """
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)
