"""The lease on a unit while its code runs: renewed in the background, or noticed to be lost."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from coordinate_client.exceptions import CoordinateException, LeaseLost, LostLease
from coordinate_client.workers.running.alarms import Alarm, Alarms
from coordinate_client.workers.running.interruption import Interruption

__all__ = ["Lease", "Leased", "Renewal"]

logger = logging.getLogger("coordinate_client.worker")

# Seconds until a server that is away is asked again.
_AGAIN = 5.0
# A lease that lasts for so many seconds is over before anybody could renew it.
_OVER = 0.05


class Leased(Protocol):
    """What a lease is on: a unit of either half."""

    work_spec_name: str
    key: str | bytes
    expires: float | None
    worker_id: str | None
    attempt: int | None

    def lease(self, lease_time: float | None = None) -> float:
        """The seconds of a lease."""


class Lease:
    """Has a lease renewed when half of it is left, and ends the code where it is lost.

    What is done here is done in the thread of the alarms, except for `renewed`, `refused` and
    `failed`, which whoever made a renewal calls.
    """

    __slots__ = (
        "_alarm",
        "_alarms",
        "_asking",
        "_code_has",
        "_interruption",
        "_over",
        "_renew",
        "_seen",
        "_unit",
        "_until",
    )

    def __init__(
        self,
        unit: Leased,
        alarms: Alarms,
        interruption: Interruption,
        renew: "Callable[[Lease, Any], object] | None",
    ) -> None:
        """Watch a lease from now on, where the unit has one.

        Args:
            unit: is given its new `expires`.
            alarms: when to do something.
            interruption: is asked where the lease is lost.
            renew: begins a renewal, and does not wait for it; None where it is only watched.
        """
        self._unit = self._code_has = unit
        self._alarms = alarms
        self._interruption = interruption
        self._renew = renew
        self._asking = self._over = False
        self._alarm: Alarm | None = None
        self._seen = unit.expires
        self._until = 0.0
        if unit.expires is not None:
            left = unit.expires - time.time()
            self._until = alarms.clock() + left
            first = left if renew is None else left - unit.lease() / 2
            self._alarm = alarms.after(max(first, 0.0), self._look)

    def also(self, twin: Leased) -> None:
        """Say which unit the code has, where that is another one."""
        self._code_has = twin

    def close(self) -> None:
        """Look no more; a renewal that is under way changes nothing any more."""
        self._over = True
        alarm, self._alarm = self._alarm, None
        if alarm is not None:
            self._alarms.drop(alarm)

    def _look_again(self, left: float) -> None:
        """Set the next alarm.

        Args:
            left: seconds for which the lease lasts.
        """
        half = self._unit.lease() / 2
        waits = self._renew is None or self._asking
        self._set(left if waits else left - half)

    def _set(self, seconds: float) -> None:
        if self._alarm is not None:
            self._alarms.drop(self._alarm)
        if not self._over:
            self._alarm = self._alarms.after(max(seconds, 0.0), self._look)

    def _look(self) -> None:
        if self._over:
            return
        self._follow()
        left = self._until - self._alarms.clock()
        if left <= _OVER:
            self._lose("it ran out")
            return
        renew = None if self._asking or left > self._unit.lease() / 2 else self._renew
        self._asking = self._asking or renew is not None
        # In this order: a renewal that has been made already sets the next alarm.
        self._look_again(left)
        if renew is not None:
            renew(self, self._unit)

    def _follow(self) -> None:
        """See whether the code has moved the end of the lease."""
        moved = self._code_has.expires
        if moved is not None and moved != self._seen:
            self._take(moved)

    def _take(self, expires: float) -> None:
        self._unit.expires = self._code_has.expires = self._seen = expires
        self._until = self._alarms.clock() + expires - time.time()

    def _lose(self, why: str) -> None:
        unit = self._unit
        self.close()
        self._interruption.ask(
            LeaseLost(f"lost the lease on work unit {unit.key!r} of {unit.work_spec_name!r}: {why}")
        )

    # ---- how a renewal went ----

    def renewed(self, expires: float) -> bool:
        """Take note that the lease goes on; whether that is news to anybody.

        Args:
            expires: until when, seconds since 1970.
        """
        if self._over:
            return False
        self._asking = False
        self._take(expires)
        self._look_again(self._until - self._alarms.clock())
        return True

    def refused(self, why: str) -> None:
        """Take note that the unit is another worker's, or nobody's."""
        if not self._over:
            self._lose(why)

    def failed(self, error: Exception) -> None:
        """Take note that the server could not be asked: it is asked again."""
        if self._over:
            return
        logger.warning("a lease could not be renewed: %s", str(error).split("\n", 1)[0])
        left = self._until - self._alarms.clock()
        self._asking = False
        self._set(min(_AGAIN, left))


class Renewal:
    """One request for a longer lease: what is asked, and what the answer means."""

    __slots__ = ("_asked_at", "_lease", "_unit", "_wanted", "args")

    def __init__(self, lease: Lease, unit: Leased) -> None:
        """Ask now.

        Args:
            lease: is told.
            unit: whose lease it is. Of its data nothing is said, which its code may be changing.
        """
        self._lease = lease
        self._unit = unit
        self._wanted = unit.lease()
        self._asked_at = time.time()
        options: Mapping[str, Any] = {"lease_time": self._wanted}
        self.args = (unit.work_spec_name, unit.key, options, unit.worker_id, unit.attempt)

    def answered(self, *, done: bool) -> bool:
        """Take the server's answer; whether the lease was renewed, and that is news."""
        if done:
            return self._lease.renewed(self._asked_at + self._wanted)
        self._lease.refused("the server does not have the unit any more")
        return False

    def broke(self, error: Exception) -> None:
        """Take what was raised instead of an answer."""
        if isinstance(error, LostLease):
            self._lease.refused(str(error))
        else:
            self._lease.failed(error)
            if not isinstance(error, CoordinateException):
                raise error
