"""When a parent ends what a child runs: a decision, without doing it."""

from attrs import frozen

from coordinate_client.workers.board import Running
from coordinate_client.workers.machine import GIB

__all__ = ["EXPIRED", "Bounds", "Verdict", "verdict"]

EXPIRED = "job expired"
"""What a unit is failed with that was stopped before the end of its lease."""


@frozen
class Bounds:
    """What a unit in a child may take.

    Args:
        stop_jobs_early: seconds before the end of its lease at which it is stopped.
        max_memory_gb: what the child may have, in GiB; None for all there is.
    """

    stop_jobs_early: float
    max_memory_gb: float | None = None


@frozen
class Verdict:
    """Why a unit is to end, and how.

    Args:
        reason: what people read.
        since: when it was to end, on the steady clock.
        asks: whether the child is asked first; else it knows by itself.
        kills: whether the child is killed at once.
        fails: whether the unit is failed at once, without waiting for its end.
    """

    reason: str
    since: float
    asks: bool = True
    kills: bool = False
    fails: bool = False


def verdict(running: Running, resident: int | None, now: float, bounds: Bounds) -> Verdict | None:
    """Decide about a unit.

    Args:
        running: what the child says of it.
        resident: the memory of the child, in bytes; None where that is not known.
        now: the steady clock.
        bounds: what it may take.

    Returns:
        Why it is to end; None where it may go on.
    """
    most = bounds.max_memory_gb
    if most is not None and resident is not None and resident > most * GIB:
        # At once: what grows like this is soon too large for the machine.
        used = f"{resident / GIB:.2f} GiB of memory used, max_memory_gb is {most:g}"
        return Verdict(used, now, asks=False, kills=True, fails=True)
    if now >= running.until:
        # The child has raised it in the unit's code at that moment.
        exceeded = f"max_runtime of {running.limit:g} s exceeded"
        return Verdict(exceeded, running.until, asks=False)
    if now >= running.expires - _early(running, bounds):
        return Verdict(EXPIRED, now, fails=True)
    return None


def _early(running: Running, bounds: Bounds) -> float:
    """Seconds before the end of the lease; a short lease is used for half of its time at least."""
    return min(bounds.stop_jobs_early, running.lease / 2)
