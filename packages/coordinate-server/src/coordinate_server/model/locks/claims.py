"""What waits in the queue: all the paths of one call or unit, under one ticket."""

from typing import TYPE_CHECKING

from coordinate_server.model.instant import Instant
from coordinate_server.model.locks.entries import Entry

if TYPE_CHECKING:
    from coordinate_server.model.locks.table import Locks

__all__ = ["Claim"]


class Claim:
    """Several paths that are granted together, or not at all.

    Arguments:
        locker: who asks; None for a unit.
        own: whose locks are not in its way; None for nobody's.
        since: when it began to wait, on ``now``.

    Attributes:
        entries: a path each.
        ticket: its place in the order of asking.
        cursor: the first of the entries that may not be free; those before were found so, and what
            was free stays so, because it is reserved.
        blocker: what it waits for, one at a time; it looks again when that goes.
        waiting: whether it stands in the queue.
        free: whether it stands there and nothing is in its way.
    """

    def __init__(self, locker: str | None, own: str | None, since: float) -> None:
        self.locker, self.own, self.since = locker, own, since
        self.entries: list[Entry] = []
        self.ticket = self.cursor = 0
        self.blocker: Entry | None = None
        self.waiting = self.free = False

    def proceed(self, locks: "Locks", at: Instant) -> None:
        """Go on: nothing is in the way any more."""
        raise NotImplementedError
