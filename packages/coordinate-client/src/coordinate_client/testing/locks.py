"""What the server in memory answers about locks."""

from collections.abc import Sequence
from typing import Any

from coordinate_client.testing.arguments import Options, array
from coordinate_client.testing.lock_paths import Path, path_of, path_text, path_value
from coordinate_client.testing.lock_records import (
    HeldLock,
    WantedLocks,
    lock_seconds,
    paths_of,
    related,
    require_apart,
)
from coordinate_client.testing.memory import Memory
from coordinate_client.testing.refusals import Refusal
from coordinate_protocol.constants import MAX_WAIT
from coordinate_protocol.values import as_text

__all__ = ["LockOperations"]

_LIST_DEFAULT, _LIST_MOST = 1000, 10_000

Pair = tuple[bool, str | None]


class LockOperations:
    """Locks: who has which paths. A wait for them goes by on the clock, at once."""

    memory: Memory

    def __init__(self) -> None:
        """Begin without locks."""
        super().__init__()
        self._locks: list[HeldLock] = []

    # ---- locking ----

    def lock(
        self, locker_id: object, timeout: object, paths: object, options: object = None
    ) -> Pair | dict[str, Any]:
        """Lock all of the paths, or none."""
        read = Options.read(options, ("mode", "wait", "reentrant", "grant"))
        wanted = WantedLocks.read(locker_id, timeout, paths, read)
        wait, told = read.number("wait", 0, 0, MAX_WAIT), bool(read.get("grant"))
        try:
            require_apart(wanted.paths)
        except Refusal as error:
            return _denied("refused", str(error)) if told else (False, str(error))
        blocker = self._awaited(wanted, self.memory.clock.wall + wait)
        if blocker is None:
            token, expires = self._grant(wanted, wanted.paths)
            return {"granted": True, "token": token, "expires": expires} if told else (True, None)
        said = _in_the_way(wanted, *blocker, waited=bool(wait))
        return said if told else (False, said["message"])

    def locksome(
        self, locker_id: object, timeout: object, paths: object, options: object = None
    ) -> tuple[list[Any], None] | dict[str, Any]:
        """Lock as many of the paths as are free, each by itself."""
        read = Options.read(options, ("mode", "reentrant", "grant"))
        wanted = WantedLocks.read(locker_id, timeout, paths, read)
        chosen: list[Path] = []
        given = []
        for path, sent in zip(wanted.paths, array(paths, "paths"), strict=True):
            apart = not any(related(path, other) for other in chosen)
            free = apart and not self._in_the_way(wanted, path)
            chosen += [path] if free else []
            given.append(sent if free else None)
        token, expires = self._grant(wanted, chosen) if chosen else (None, None)
        if not read.get("grant"):
            return given, None
        return {"paths": given, "token": token, "expires": expires}

    def _awaited(self, wanted: WantedLocks, until: float) -> tuple[Path, HeldLock] | None:
        """Let time go by until all is free, or the wait is over; gives what is in the way then.

        Whoever would wait for himself would wait for ever: that is over at once.
        """
        clock = self.memory.clock
        while True:
            self._end()
            paths = wanted.paths
            blockers = [(path, lock) for path in paths for lock in self._in_the_way(wanted, path)]
            own = [one for one in blockers if one[1].locker == wanted.locker]
            if not blockers or own or clock.wall >= until:
                return next(iter([*own, *blockers]), None)
            ends = min(lock.deadline for lock in self._locks)
            clock.advance(min(ends, until) - clock.wall)

    def _in_the_way(self, wanted: WantedLocks, path: Path) -> list[HeldLock]:
        own = [lock for lock in self._live() if wanted.reentrant and lock.locker == wanted.locker]
        if any(path[: len(lock.path)] == lock.path and lock.suffices(wanted.mode) for lock in own):
            return []
        others = [lock for lock in self._live() if lock not in own]
        return [lock for lock in others if wanted.conflicts(path, lock)]

    def _grant(self, wanted: WantedLocks, paths: Sequence[Path]) -> tuple[int | None, float]:
        now = self.memory.clock.wall
        again = [self._again(wanted, path) for path in paths]
        tokens = {lock.token for lock in again if lock is not None}
        known = len(tokens) == 1 and None not in again
        token = (tokens.pop() if known else self.memory.next_number()) if paths else None
        deadline = now + wanted.seconds
        for path, lock in zip(paths, again, strict=True):
            if token is not None and lock is not None:
                lock.tokens.append(token)
                lock.renew(deadline)
            elif token is not None:
                new = HeldLock(path, wanted.mode, wanted.locker, token, now, deadline, [token])
                self._locks.append(new)
        if again and None not in again:
            deadline = min(lock.deadline for lock in again if lock is not None)
        return token, deadline

    def _again(self, wanted: WantedLocks, path: Path) -> HeldLock | None:
        """The lock that a locker has of a path already, where it may have that once more."""
        if not wanted.reentrant:
            return None
        mine = [lock for lock in self._live() if (lock.path, lock.locker) == (path, wanted.locker)]
        return next((lock for lock in reversed(mine) if lock.suffices(wanted.mode)), None)

    # ---- keeping and releasing ----

    def renew(
        self, locker_id: object, timeout: object, paths: object, options: object = None
    ) -> Pair:
        """Keep all of the locks for longer, or none; it is answered at once, whatever the wait."""
        read = Options.read(options, ("token", "wait"))
        seconds = lock_seconds(timeout)
        try:
            for lock in self._own(as_text(locker_id), paths_of(paths), read.number("token")):
                lock.renew(self.memory.clock.wall + seconds)
        except Refusal as error:
            return False, str(error)
        return True, None

    def unlock(self, locker_id: object, paths: object, options: object = None) -> Pair:
        """Release all of the locks, or none; what was locked twice is still locked then."""
        token = Options.read(options, ("token",)).number("token")
        try:
            for lock in self._own(as_text(locker_id), paths_of(paths), token):
                lock.release(token)
        except Refusal as error:
            return False, str(error)
        self._end()
        return True, None

    def _own(self, locker: str, paths: Sequence[Path], token: int | None) -> list[HeldLock]:
        if len(set(paths)) < len(paths):
            raise Refusal("a path is asked for twice")
        return [self._own_one(locker, path, token) for path in paths]

    def _own_one(self, locker: str, path: Path, token: int | None) -> HeldLock:
        for lock in reversed(self._live()):
            if (lock.locker, lock.path) == (locker, path) and lock.is_of(token):
                return lock
        raise Refusal(f"{path_text(path)} is not locked by {locker!r}")

    def force_unlock(self, paths: object, options: object = None) -> int:
        """Release locks, whosever they are."""
        token, wanted = Options.read(options, ("token",)).number("token"), paths_of(paths)
        return self._take_away(
            [one for one in self._live() if one.path in wanted and one.is_of(token)]
        )

    def delete_namespace(self, namespace: object) -> int:
        """Release every lock whose path begins with a part."""
        path = path_of([namespace])
        return self._take_away([lock for lock in self._live() if lock.path[:1] == path])

    def _take_away(self, going: list[HeldLock]) -> int:
        self._locks = [lock for lock in self._locks if lock not in going]
        return len(going)

    # ---- looking ----

    def readlock(self, paths: object) -> list[str | None]:
        """Who has each path."""
        owners: dict[Path, str] = {}
        for lock in sorted(self._live(), key=lambda lock: lock.mode):
            owners.setdefault(lock.path, lock.locker)
        return [owners.get(path) for path in paths_of(paths)]

    def list_locks(self, options: object = None) -> tuple[list[dict[str, Any]], list[Any] | None]:
        """The locks at and below a path, by path, in pages."""
        read = Options.read(options, ("path", "limit", "start"))
        under = path_of(read.get("path", ()), empty=True)
        start = path_of(read.get("start", ()), empty=True)
        limit = int(read.number("limit", _LIST_DEFAULT, 1, _LIST_MOST))
        below = [lock for lock in self._live() if lock.path[: len(under)] == under]
        found = sorted(
            (lock for lock in below if lock.path >= start), key=lambda lock: (lock.path, lock.mode)
        )
        # All locks of one path are in one page.
        paths = sorted({lock.path for lock in found[:limit]})
        page = [self._shown(lock) for lock in found if lock.path in paths]
        return page, path_value(found[len(page)].path) if len(page) < len(found) else None

    def _shown(self, lock: HeldLock) -> dict[str, Any]:
        return {
            "path": path_value(lock.path),
            "mode": lock.mode,
            "locker_id": lock.locker,
            "token": lock.token,
            "age": self.memory.clock.wall - lock.granted_at,
            "expires": lock.deadline,
            "count": len(lock.tokens),
            "waiters": [],
            "waiters_count": 0,
        }

    def _live(self) -> list[HeldLock]:
        self._end()
        return self._locks

    def _end(self) -> None:
        now = self.memory.clock.wall
        self._locks = [lock for lock in self._locks if lock.tokens and lock.deadline > now]


def _denied(code: str, why: str) -> dict[str, Any]:
    return {"granted": False, "code": code, "message": why}


def _in_the_way(
    wanted: WantedLocks, path: Path, blocker: HeldLock, *, waited: bool
) -> dict[str, Any]:
    """Say why nothing is locked."""
    me, holder = wanted.locker, blocker.locker
    if waited and holder == me:
        why = f"deadlock: {me!r} waits for {path_text(path)} of {me!r}"
        cycle = [{"locker_id": me, "waits_for": path_value(path), "held_by": me}]
        said = {"holder": me, "path": path_value(path), "cycle": cycle}
        return _denied("deadlock", why) | said
    why = f"{path_text(blocker.path)} is locked by {holder!r}"
    said = {"holder": holder, "path": path_value(blocker.path)}
    return _denied("timeout" if waited else "locked", why) | said
