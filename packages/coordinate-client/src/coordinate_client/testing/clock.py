"""A clock that stands still until it is moved."""

from typing import Protocol

__all__ = ["FakeClock", "Ringing"]

_START = 1_800_000_000.0


class Ringing(Protocol):
    """Something that happens at moments of a clock."""

    def next_due(self) -> float | None:
        """When it happens next, by `FakeClock.seconds`; None for never."""

    def ring(self) -> None:
        """Have it happen, as far as its time has come."""


class FakeClock:
    """Time as a test moves it: nobody sleeps, whoever would moves the clock instead.

    Attributes:
        wall: the time of day, seconds since 1970.
        ringing: what is to happen on the way, each thing at its time.
    """

    def __init__(self, wall: float = _START) -> None:
        """Stand still.

        Args:
            wall: the time to begin with, seconds since 1970.
        """
        self.wall = wall
        self.ringing: list[Ringing] = []
        self._began = wall

    def seconds(self) -> float:
        """Seconds that have gone by; a client's `clock`."""
        return self.wall - self._began

    def advance(self, seconds: float) -> None:
        """Let time go by.

        Raises:
            ValueError: for less than no time, or a time without an end.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"advance by {seconds!r} s: it must be 0 or more, and finite")
        until = self.wall + seconds
        while (due := self._due(until)) is not None:
            self.wall = max(self.wall, due + self._began)
            for one in tuple(self.ringing):
                one.ring()
        self.wall = max(self.wall, until)

    def _due(self, until: float) -> float | None:
        """What happens next, no later than a time of day."""
        moments = [moment for one in self.ringing if (moment := one.next_due()) is not None]
        first = min(moments, default=None)
        return None if first is None or first > until - self._began else first

    async def sleep_async(self, seconds: float) -> None:
        """Let time go by; an asyncio client's `sleep`."""
        self.advance(seconds)
