"""Limits that are not a spec's own count: shared by several specs, and how many in a time."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from coordinate_server.model.policies import Rate

__all__ = ["Limit", "RateLog"]


class Limit:
    """So many units may be pending at once of all specs that use it.

    Arguments:
        name: its name.
        most: how many; None if the server does not define it, and then nothing may run.
    """

    __slots__ = ("most", "name", "used", "users")

    def __init__(self, name: str, most: int | None) -> None:
        self.name, self.most, self.used = name, most, 0
        # The specs that use it; to the limit they are only things to be told of.
        self.users: dict[Any, None] = {}

    def room(self) -> int:
        """Give how many more may be pending."""
        return 0 if self.most is None else max(0, self.most - self.used)


class RateLog:
    """The moments of the latest hand-outs, as many as a rate looks back on.

    Arguments:
        rate: how many units in how many seconds.
        moments: what is known of before, oldest first, on ``now``.
        slot: where the next moment is written down: a ring of as many rows as the rate has units.
    """

    __slots__ = ("moments", "rate", "slot")

    def __init__(self, rate: Rate, moments: Iterable[float] = (), slot: int | None = None) -> None:
        self.rate = rate
        self.moments = deque(moments, maxlen=rate.units)
        self.slot = len(self.moments) % rate.units if slot is None else slot

    @classmethod
    def read(cls, rate: Rate, ring: Mapping[int, float]) -> "RateLog":
        """Take what is written down: the moment in each slot."""
        slots = sorted(ring)
        # The ring begins where a moment is older than the one in the slot before.
        begin = next((n for n in range(1, len(slots)) if ring[slots[n]] < ring[slots[n - 1]]), 0)
        moments = [ring[slot] for slot in slots[begin:] + slots[:begin]]
        return cls(rate, moments, slots[begin] if len(slots) == rate.units else None)

    def note(self, now: float) -> int:
        """Count one hand-out; gives the slot to write it down in."""
        slot, self.slot = self.slot, (self.slot + 1) % self.rate.units
        self.moments.append(now)
        return slot

    def room(self, now: float) -> int:
        """Give how many more may be handed out at this moment."""
        free = self.rate.units - len(self.moments)
        for moment in self.moments:
            if moment + self.rate.seconds > now:
                break
            free += 1
        return free

    def full_until(self, now: float) -> float | None:
        """Give when the next may be handed out; None if that is now."""
        free = self.frees()
        return free if free is not None and free > now else None

    def frees(self) -> float | None:
        """Give when the oldest of a full log counts no more; None while it is not full."""
        full = len(self.moments) == self.rate.units
        return self.moments[0] + self.rate.seconds if full else None
