"""What the holder of locks knows of them: until when they are its own, and whether they are."""

import time
from collections.abc import Callable

from attrs import define, field

from coordinate_client.exceptions import LostLock
from coordinate_client.paths import Path

__all__ = ["Tenure"]


@define(eq=False)
class Tenure:
    """Locks that were granted together.

    Args:
        locker: who has them.
        paths: what is locked.
        token: the number of this grant; None by servers that do not number them. Numbers only grow,
            so what the lock protects can refuse those below the highest it has seen: a holder that
            lost the lock without noticing does no harm then.
        clock: seconds, which go on evenly.
        deadline: when the locks end, on that clock, counted from before they were asked for.

    Attributes:
        why: why they were lost, where somebody said so; None otherwise.
        released: whether they were given back.
    """

    locker: str
    paths: tuple[Path, ...]
    token: int | None
    clock: Callable[[], float] = field(repr=False)
    deadline: float = field(repr=False)
    why: str | None = field(default=None, init=False)
    released: bool = field(default=False, init=False)

    @property
    def left(self) -> float:
        """Seconds until the locks end, if they are not renewed; below 0 afterwards."""
        return self.deadline - self.clock()

    @property
    def expires(self) -> float:
        """When the locks end, if they are not renewed, in seconds since 1970 by this machine."""
        return time.time() + self.left

    @property
    def lost(self) -> bool:
        """Whether the locks may be somebody else's by now; False once they were given back."""
        return not self.released and (self.why is not None or self.left <= 0)

    def check(self) -> None:
        """Make sure that the locks are held.

        Raises:
            LostLock: they were lost, or given back.
        """
        if self.released:
            raise LostLock(f"locks {list(self.paths)!r} were given back")
        if self.lost:
            raise LostLock(f"locks {list(self.paths)!r} are lost: {self.reason}")

    @property
    def reason(self) -> str:
        """Why they are lost, if they are."""
        return self.why or "they were not renewed in time"

    def extend(self, asked_at: float, ttl: float) -> None:
        """Take note that the locks were renewed.

        Args:
            asked_at: when that was asked for, on the clock: before it was sent.
            ttl: for how many seconds.
        """
        self.deadline = asked_at + ttl
