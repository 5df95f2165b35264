"""The calls about locks: keeping them, giving them back, looking at them, ruling over others."""

import logging
from collections.abc import AsyncIterator
from typing import Any

from coordinate_client._async.grant import AsyncGrant
from coordinate_client._async.watch_calls import AsyncWatchCalls
from coordinate_client.answers import halves, pair, readable, split
from coordinate_client.background_async import Callers
from coordinate_client.calls import Call, ParamsFor
from coordinate_client.exceptions import ProgrammerError
from coordinate_client.locking import Locker, check_ttl
from coordinate_client.paths import Path, as_path, as_paths, has_several, told_path, wire_paths
from coordinate_client.server import Server, can, check_options
from coordinate_client.waits import Wait, check_wait
from coordinate_protocol.constants import MAX_WAIT

__all__ = ["AsyncLockCalls"]

_GRACE = 1.0  # seconds that an unlock may take although the locks have ended already


class AsyncLockCalls(AsyncWatchCalls):
    """What can be told and asked about locks that somebody has."""

    _named: str | None
    _locker: Locker
    _callers: Callers

    @property
    def locker(self) -> str:
        """Who locks; a name that is made up differs from thread to thread, or task to task."""
        return self._locker.name(self._callers.number()) if self._named is None else self._named

    # ---- keeping and giving back ----

    async def renew(
        self,
        paths: Any,
        ttl: float,
        token: int | None = None,
        wait: float | None = None,
    ) -> bool:
        """Keep all of the locks for longer, or none.

        Args:
            paths: a grant, one path, or a list of paths.
            ttl: seconds until the locks end, from now on.
            token: which grant they have to be of; None for that of a grant, or for any.
            wait: seconds, at most a day, after which it is answered; at once, where the locks are
                lost meanwhile. They are renewed at the beginning.

        Returns:
            Whether they are still this locker's; why not is logged.

        Raises:
            Unsupported: for `token` or `wait`, where the server does not know it.
        """
        who, found, token = self._held(paths, token)
        seconds, ttl = check_wait(wait), check_ttl(ttl)
        if seconds > MAX_WAIT:
            raise ProgrammerError(f"wait {wait!r} must be at most {MAX_WAIT} seconds")
        waited = Wait(seconds, self.clock) if seconds else None
        if waited is not None and not await self._offers("locks"):
            check_options("renew", {"token"}, self.server)
        asked_at = self.clock()
        answer = await self._call("renew", self._renewal(who, found, ttl, token, waited), waited)
        done = bool(pair("renew", answer, logging.INFO))
        if isinstance(paths, AsyncGrant) and done:
            paths.extend(asked_at, ttl)
        elif isinstance(paths, AsyncGrant):
            paths.lose("the server says so")
        return done

    async def keep(self, grant: AsyncGrant, ttl: float, wait: Wait) -> tuple[bool, str | None]:
        """Renew a grant on a line of its own, giving up when it ends; for the keeper of a `hold`.

        Args:
            grant: what to renew.
            ttl: for how many seconds.
            wait: how long a server that can is to wait with its answer.

        Returns:
            Whether they are still this locker's, and why not.
        """
        params = self._renewal(grant.locker, grant.paths, ttl, grant.token, wait)
        call = Call("renew", params, wait, until=grant.deadline, retries=0)
        done, message = split("renew", await self._made(call))
        return bool(done), message

    @staticmethod
    def _renewal(
        locker: str, paths: tuple[Path, ...], ttl: float, token: int | None, wait: Wait | None
    ) -> ParamsFor:
        def params(server: Server | None) -> list[Any]:
            options: dict[str, Any] = {} if token is None else {"token": token}
            check_options("renew", options, server)
            if wait is not None and can(server, "locks"):
                options["wait"] = wait.part
            return [locker, ttl, wire_paths(paths), *([options] if options else [])]

        return params

    async def unlock(self, paths: Any, token: int | None = None) -> bool:
        """Give all of the locks back, or none.

        Args:
            paths: a grant, one path, or a list of paths.
            token: which grant they have to be of; None for that of a grant, or for any.

        Returns:
            Whether they were this locker's; why not is logged.

        Raises:
            Unsupported: for `token`, where the server does not know it.
        """
        answer = await self._call("unlock", self._return(*self._held(paths, token)))
        done = bool(pair("unlock", answer, logging.INFO))
        if isinstance(paths, AsyncGrant) and done:
            paths.release()
        return done

    async def give_back(self, grant: AsyncGrant) -> tuple[bool, str | None]:
        """Unlock a grant, giving up when it has ended by itself; for `hold`.

        Returns:
            Whether they were still this locker's, and why not.
        """
        until = max(grant.deadline, self.clock() + _GRACE)
        call = Call("unlock", self._return(*self._held(grant, None)), until=until)
        done, message = split("unlock", await self._made(call))
        return bool(done), message

    @staticmethod
    def _return(locker: str, paths: tuple[Path, ...], token: int | None) -> ParamsFor:
        def params(server: Server | None) -> list[Any]:
            options = {} if token is None else {"token": token}
            check_options("unlock", options, server)
            return [locker, wire_paths(paths), *([options] if options else [])]

        return params

    # ---- looking, and ruling over others ----

    async def readlock(self, paths: Any) -> Any:
        """Who holds paths.

        Args:
            paths: one path, or a list of paths.

        Returns:
            The locker, or None where nobody holds the path; for a list of paths a list of them.
        """
        found = await self._rpc("readlock", [wire_paths(as_paths(paths))])
        owners = [readable(owner) for owner in found]
        return owners if has_several(paths) else owners[0]

    async def list_locks(
        self, path: Any = (), limit: int | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """The locks at or under a path, page by page.

        Args:
            path: where; () for everywhere.
            limit: how many at most; None for all.

        Yields:
            Maps, by path: `path`, `mode`, `locker_id`, `token`, `age` (seconds), `expires` (seconds
            since 1970, or None), `count` (how often it is locked), for one that a unit has
            `work_spec_name` and `work_unit_key`, and who waits for it: `waiters`, the first 100,
            each with `locker_id`, `mode` and `waiting` (seconds), and `waiters_count`.

        Raises:
            Unsupported: where the server does not have it.
        """
        under = [] if path in ((), []) else list(as_path(path))
        start: Any = None
        seen = 0
        while limit is None or seen < limit:
            asked = {"path": under, "limit": limit and limit - seen, "start": start}
            options = {name: value for name, value in asked.items() if value is not None}
            page, start = halves("list_locks", await self._rpc("list_locks", [options]))
            # All locks of one path are in one page, however many were asked for.
            for found in page[: asked["limit"]]:
                seen += 1
                yield found | {"path": told_path(found["path"])}
            if start is None:
                return

    async def force_unlock(self, paths: Any, token: int | None = None) -> int:
        """Take locks away from whoever has them; those that units have stay.

        Args:
            paths: one path, or a list of paths.
            token: only those of this grant; None for any.

        Returns:
            How many were taken away.

        Raises:
            Unsupported: where the server does not have it.
        """
        options = [] if token is None else [{"token": token}]
        return int(await self._rpc("force_unlock", [wire_paths(as_paths(paths)), *options]))

    async def delete_namespace(self, first_part: Any) -> int:
        """Take all locks away whose paths begin with a part.

        Args:
            first_part: the part.

        Returns:
            How many were taken away.
        """
        return int(await self._rpc("delete_namespace", [first_part]))

    def _held(self, paths: Any, token: int | None) -> tuple[str, tuple[Path, ...], int | None]:
        """What a caller means: the locks of a grant, or those it names."""
        if isinstance(paths, AsyncGrant):
            return paths.locker, paths.paths, paths.token if token is None else token
        return self.locker, as_paths(paths), token
