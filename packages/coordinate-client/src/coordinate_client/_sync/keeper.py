# Generated from _async/keeper.py by tools/unasync.py: change that file, not this one.
"""The keeper of a grant: renews it in the background until its holder has left, or it is lost."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from coordinate_client._sync.grant import Grant
from coordinate_client.background_sync import Flag
from coordinate_client.exceptions import CoordinateException
from coordinate_client.waits import Wait

if TYPE_CHECKING:
    from coordinate_client._sync.lock_client import LockClient

__all__ = ["Keeper"]

logger = logging.getLogger("coordinate_client")

# Most blocks are over by then: they cost no further connection, and no call.
_FIRST = 0.05
_AGAIN = 0.1  # of the ttl: how soon a renewal that went wrong is tried again


class Keeper:
    """Renews a grant, so that two thirds of its time are left always.

    A server that can waits with its answer to a renewal, and gives it at once when the locks are
    lost. What it has renewed is known only then, so it waits for half of a third.
    """

    def __init__(
        self, locks: "LockClient", grant: Grant, ttl: float, tell: Callable[[], None]
    ) -> None:
        """Begin; `run` is what has to run in the background.

        Args:
            locks: the client it was granted to.
            grant: what to keep.
            ttl: for how many seconds to renew it.
            tell: called when it is lost.
        """
        self._locks = locks
        self._grant = grant
        self._ttl = ttl
        self._tell = tell
        self._stopped = Flag()
        self._wait: Wait | None = None
        self._trouble: Exception | None = None

    def end(self) -> None:
        """Renew no more."""
        # In this order: `_renewed` looks at the flag once its wait can be ended.
        self._stopped.set()
        wait = self._wait
        if wait is not None:
            wait.end()

    def run(self) -> None:
        """Renew until it is told to end, or the locks are lost; then tell that."""
        self._rest(_FIRST)
        while not self._stopped.is_set() and not self._grant.lost:
            asked_at = self._locks.clock()
            pause = self._renewed(asked_at)
            if not self._grant.lost:
                self._rest(pause - (self._locks.clock() - asked_at))
        if not self._stopped.is_set():
            self._grant.lose(self._reason())
            self._tell()

    def _renewed(self, asked_at: float) -> float:
        """Renew once; gives the seconds from then to the next time."""
        grant, ttl = self._grant, self._ttl
        wait = self._wait = Wait(ttl / 6, self._locks.clock)
        if self._stopped.is_set():
            return 0.0
        try:
            done, message = self._locks.keep(grant, ttl, wait)
        except CoordinateException as error:
            if not self._stopped.is_set():
                logger.info("locks %r are not renewed: %s", list(grant.paths), error)
            self._trouble = error
            return ttl * _AGAIN
        if done:
            self._trouble = None
            grant.extend(asked_at, ttl)
        else:
            grant.lose(message or "the server says so")
        # One that does not wait, or is about to stop, has answered at once. Clocks are not equal.
        return 0.0 if wait.left < ttl / 60 else ttl / 3

    def _rest(self, seconds: float) -> None:
        """Wait, but not beyond the end of the locks."""
        self._stopped.wait(min(seconds, self._grant.left))

    def _reason(self) -> str:
        if self._grant.why is None and self._trouble is not None:
            return f"{self._grant.reason}: {self._trouble}"
        return self._grant.reason
