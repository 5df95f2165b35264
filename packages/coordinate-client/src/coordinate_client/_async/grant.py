"""A grant: locks in the hands of their holder."""

from attrs import define, field

from coordinate_client.background_async import Flag
from coordinate_client.tenure import Tenure

__all__ = ["AsyncGrant"]

# How long to wait at once for what may not come: the deadline may have moved meanwhile.
_LOOK = 3600.0


@define(eq=False)
class AsyncGrant(Tenure):
    """Locks that were granted together."""

    _over: Flag = field(factory=Flag, init=False, repr=False)

    def lose(self, why: str) -> None:
        """Take note that the locks were lost.

        Args:
            why: for people.
        """
        self.why = why
        self._over.set()

    def release(self) -> None:
        """Take note that the locks were given back."""
        self.released = True
        self._over.set()

    async def wait_lost(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - both halves have it
        """Wait until the locks are lost, or given back.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.

        Returns:
            Whether they are lost.
        """
        until = float("inf") if timeout is None else self.clock() + timeout
        while not self.lost and not self.released:
            left = min(self.left, until - self.clock())
            if left <= 0:
                break
            await self._over.wait(min(left, _LOOK))
        return self.lost
