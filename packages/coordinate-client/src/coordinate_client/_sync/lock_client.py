# Generated from _async/lock_client.py by tools/unasync.py: change that file, not this one.
"""LockClient: all that can be asked of a server's locks."""

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from coordinate_client._sync.grant import Grant
from coordinate_client._sync.hold import Hold, OnLost
from coordinate_client._sync.lock_calls import LockCalls
from coordinate_client.answers import pair
from coordinate_client.background_sync import Callers
from coordinate_client.backoff import chance
from coordinate_client.exceptions import LostLock
from coordinate_client.locking import Locker, Refusal, WantedLocks, locked, some_locked
from coordinate_client.paths import EXCLUSIVE
from coordinate_client.steady import steady
from coordinate_client.transport_sync import Connect, Sleep, connect, sleep
from coordinate_client.waits import Wait, check_wait

__all__ = ["LockClient"]

logger = logging.getLogger("coordinate_client")


class LockClient(LockCalls):
    """Locks on paths, which form a tree: one who has a path has all that is under it.

    A path is a tuple or list of parts, as in ("index", "shard-3"); where several may be given, they
    are a list of paths. Every method can raise what `_rpc` raises, and ProgrammerError for what no
    server takes.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        locker: str | None = None,
        connect: Connect = connect,
        sleep: Sleep = sleep,
        chance: Callable[[], float] = chance,
        clock: Callable[[], float] = steady,
    ) -> None:
        """Read the configuration; nothing is connected yet.

        Args:
            config: as for every client.
            locker: who locks, for all threads or tasks that use this client: to the server they are
                one, and do not wait for each other. None for names made of host, process and
                chance, with a number for each thread or task.
            connect: as for every client.
            sleep: as for every client.
            chance: as for every client.
            clock: as for every client; when locks end is measured by it.

        Raises:
            ProgrammerError: for a setting that cannot be used.
        """
        super().__init__(config, connect=connect, sleep=sleep, chance=chance, clock=clock)
        self._named = locker
        self._locker = Locker()
        self._callers = Callers()

    def lock(
        self,
        paths: Any,
        ttl: float,
        mode: str = EXCLUSIVE,
        wait: float | None = None,
        reentrant: bool = False,
    ) -> Grant | None:
        """Lock all of the paths, or none; `hold` does it for a block of code.

        A path can be locked where neither it, nor what is above or under it, is locked; shared
        locks are in the way of exclusive ones only.

        Args:
            paths: one path, or a list of paths.
            ttl: seconds until the locks end, unless they are renewed.
            mode: "exclusive" or "shared".
            wait: seconds to wait for the locks, in the order of asking; infinity for as long as it
                takes; None not to wait. Other calls of this client go on meanwhile. A server that
                cannot wait is asked every `poll_seconds`.
            reentrant: whether locks that this locker has already are not in the way; each grant is
                then unlocked by itself.

        Returns:
            The grant, or None where the locks were not free in time; why not is logged.

        Raises:
            Deadlock: where lockers would wait for each other in a circle.
            LockRefused: where the server would not grant them ever.
            LostLock: where the locks ended before this machine heard that they were granted.
            Unsupported: for a mode or `reentrant`, where the server does not know it.
            ClientClosed: where the client was closed while it waited.
        """
        wanted = WantedLocks.of(paths, ttl, mode, reentrant).apart()
        found = self.acquire(wanted, check_wait(wait))
        if not isinstance(found, Refusal):
            return found
        if not found.passing:
            raise found.error
        logger.info("lock: %s", found.message, extra={"server_message": found.message})
        return None

    def acquire(self, wanted: WantedLocks, seconds: float) -> Grant | Refusal:
        """Lock, and tell why if not.

        Args:
            wanted: what is asked for.
            seconds: to wait, at most.

        Raises:
            LostLock: where the locks ended before this machine heard that they were granted.
        """
        wait = Wait(seconds, self.clock)

        def ask(waits: bool) -> Grant | Refusal:
            return self._asked(wanted, wait if waits else None)

        def enough(found: Grant | Refusal) -> bool:
            return not isinstance(found, Refusal) or not found.passing

        if not seconds:
            return ask(False)
        found: Grant | Refusal = self._waited("lock", "locks", wait, ask, enough)
        return found

    def _asked(self, wanted: WantedLocks, wait: Wait | None) -> Grant | Refusal:
        """Ask once; with a wait, a server that can waits with its answer."""
        locker, asked_at = self.locker, self.clock()
        answer = self._call("lock", lambda server: wanted.params(locker, server, wait), wait)
        found = locked(answer)
        if isinstance(found, Refusal):
            return found
        grant = Grant(locker, wanted.paths, found.token, self.clock, asked_at + wanted.ttl)
        # They were granted some time between question and answer: if that was long, only a renewal
        # tells from when on to count.
        if self.clock() - asked_at > wanted.ttl / 3 and not self.renew(grant, wanted.ttl):
            raise LostLock(f"locks {list(wanted.paths)!r} ended before it was heard of them")
        return grant

    def locksome(
        self, paths: Any, ttl: float, mode: str = EXCLUSIVE, reentrant: bool = False
    ) -> Grant | None:
        """Lock as many of the paths as are free.

        Args:
            paths: one path, or a list of paths.
            ttl: seconds until the locks end, unless they are renewed.
            mode: "exclusive" or "shared".
            reentrant: as for `lock`.

        Returns:
            A grant whose `paths` are those that were locked; None where none was free.
        """
        wanted = WantedLocks.of(paths, ttl, mode, reentrant)
        locker, asked_at = self.locker, self.clock()
        answer = self._call("locksome", lambda server: wanted.params(locker, server))
        found, message = some_locked(answer)
        pair("locksome", (found, message), logging.INFO)
        if found is None:
            return None
        ends = asked_at + wanted.ttl
        return Grant(locker, found.paths or (), found.token, self.clock, ends)

    def hold(
        self,
        paths: Any,
        ttl: float = 30.0,
        wait: float | None = None,
        mode: str = EXCLUSIVE,
        reentrant: bool = False,
        on_lost: OnLost | None = None,
    ) -> Hold:
        """A context manager that locks, renews the locks in the background, and unlocks.

        Where the locks are lost inside, because somebody forced it or they could not be renewed in
        time, the code inside is told at once: `grant.lost` is True, `grant.check()` raises,
        `on_lost` is called, a task that runs the block is cancelled, and LostLock comes out of the
        block, unless it raised something else. Nothing is renewed any more when the block is left.

        Args:
            paths: one path, or a list of paths.
            ttl: seconds until the locks end, unless they are renewed, which happens three times as
                often.
            wait: seconds to wait for the locks; None for as long as it takes, 0 not to wait.
            mode: "exclusive" or "shared".
            reentrant: as for `lock`.
            on_lost: called with the grant when it is lost, by the thread or task that renews it.

        Returns:
            A context manager that gives the grant. Entering it raises LockTimeout where the locks
            are not free in time, and otherwise what `lock` raises.
        """
        wanted = WantedLocks.of(paths, ttl, mode, reentrant).apart()
        seconds = math.inf if wait is None else check_wait(wait)
        return Hold(self, wanted, seconds, on_lost)
