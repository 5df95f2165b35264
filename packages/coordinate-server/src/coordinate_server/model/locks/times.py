"""When locks and waits end, in all namespaces."""

from typing import TYPE_CHECKING

from coordinate_server.model.alarms import Alarms, Horizon
from coordinate_server.model.instant import Instant
from coordinate_server.model.locks.entries import Entry

if TYPE_CHECKING:
    from coordinate_server.model.locks.table import Locks
    from coordinate_server.model.locks.waits import LockWait, LockWatch

__all__ = ["LockTimes"]


def _holds(item: "tuple[Locks, Entry | LockWait | LockWatch]", moment: float) -> bool:
    return item[1].deadline == moment


class LockTimes:
    """Ends locks and waits, each at its moment; at the same moment a wait comes after a lock.

    So whoever waits to the very end of a lock gets it.

    Arguments:
        horizon: that of what is due by ``now``.
    """

    def __init__(self, horizon: Horizon) -> None:
        self.expiries: Alarms[tuple[Locks, Entry]] = Alarms(_holds, horizon)
        self.ends: Alarms[tuple[Locks, LockWait | LockWatch]] = Alarms(_holds, horizon)

    def first(self) -> float | None:
        """Give when something ends next, or None."""
        expiry, end = self.expiries.first(), self.ends.first()
        if expiry is None or end is None:
            return end if expiry is None else expiry
        return min(expiry, end)

    def run(self, at: Instant) -> None:
        """End what ends now or before."""
        while (moment := self.first()) is not None and moment <= at.now:
            self._run_one(moment, at)

    def _run_one(self, moment: float, at: Instant) -> None:
        touched: dict[Locks, None] = {}
        for locks, entry in self.expiries.due(moment):
            locks.lose(entry, "its time was over")
            touched[locks] = None
        for locks in touched:
            locks.settle(at)
        for locks, wait in self.ends.due(moment):
            wait.end(locks)
            touched[locks] = None
        for locks in touched:
            locks.settle(at)
