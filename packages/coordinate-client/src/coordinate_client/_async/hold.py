"""Holding locks: a block of code that runs under them."""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from coordinate_client._async.grant import AsyncGrant
from coordinate_client._async.keeper import AsyncKeeper
from coordinate_client.background_async import Background, Inside
from coordinate_client.exceptions import CoordinateException, LostLock, ProgrammerError
from coordinate_client.locking import Refusal, WantedLocks
from coordinate_client.transport_async import current_owner

if TYPE_CHECKING:
    from coordinate_client._async.lock_client import AsyncLockClient

__all__ = ["AsyncHold"]

logger = logging.getLogger("coordinate_client")

OnLost = Callable[[AsyncGrant], None]


class AsyncHold:
    """A context manager that takes locks, keeps them, and gives them back."""

    def __init__(
        self,
        locks: "AsyncLockClient",
        wanted: WantedLocks,
        wait: float,
        on_lost: OnLost | None = None,
    ) -> None:
        """Take note of what is wanted; nothing is asked for yet.

        Args:
            locks: the client that asks.
            wanted: what for.
            wait: for how many seconds, at most.
            on_lost: called once when the locks are lost inside.
        """
        self._locks = locks
        self._wanted = wanted
        self._seconds = wait
        self._on_lost = on_lost
        self._grant: AsyncGrant | None = None
        self._owner: object = None

    async def __aenter__(self) -> AsyncGrant:
        """Take the locks.

        Raises:
            LockTimeout: they were not free in time.
            Deadlock: they would never be free.
            ProgrammerError: they are held by this very object already.
        """
        if self._grant is not None:
            raise ProgrammerError("this hold is in use: call hold() for each block")
        self._inside = Inside()
        found = await self._locks.acquire(self._wanted, self._seconds)
        if isinstance(found, Refusal):
            raise found.error
        self._grant, self._owner = found, current_owner()
        self._keeper = AsyncKeeper(self._locks, found, self._wanted.ttl, self._tell)
        self._background = Background(self._keeper.run)
        return found

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the locks back.

        Raises:
            LostLock: they were lost inside, and the block raised nothing else.
        """
        del kind, trace
        grant, self._grant = self._grant, None
        # A forked child that leaves the block as well leaves the locks to its parent.
        if grant is None or current_owner() != self._owner:
            return
        self._keeper.end()
        await self._background.stop()
        interrupted = self._inside.settled(error)
        await self._given_back(grant)
        if grant.lost and (error is None or interrupted):
            raise LostLock(f"locks {list(grant.paths)!r} were lost: {grant.reason}") from None

    async def _given_back(self, grant: AsyncGrant) -> None:
        """Unlock; what cannot be given back now ends by itself."""
        lost, done, message = grant.lost, False, None
        try:
            done, message = await self._locks.give_back(grant)
        except CoordinateException as error:
            logger.warning("locks %r end by themselves: %s", list(grant.paths), error)
        if lost:
            return
        # Without a token it may be an answer to a call that was made twice.
        if message is not None and not done and grant.token is not None:
            grant.lose(message)
        else:
            grant.release()

    def _tell(self) -> None:
        grant = self._grant
        if grant is None:
            return
        logger.warning("locks %r are lost: %s", list(grant.paths), grant.reason)
        try:
            if self._on_lost is not None:
                self._on_lost(grant)
        except Exception:
            logger.exception("on_lost failed for locks %r", list(grant.paths))
        self._inside.interrupt()
