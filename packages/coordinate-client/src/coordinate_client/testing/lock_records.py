"""Locks of the server in memory: who has a path, and what a call asks for."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from attrs import define, field, frozen

from coordinate_client.testing.arguments import Options, array
from coordinate_client.testing.lock_paths import Path, path_of, path_text
from coordinate_client.testing.refusals import Refusal
from coordinate_protocol.errors import shown
from coordinate_protocol.values import as_text

__all__ = ["HeldLock", "WantedLocks", "lock_seconds", "paths_of", "related", "require_apart"]

_EXCLUSIVE, _SHARED = "exclusive", "shared"
_DEFAULT_SECONDS: Final = 60
_MOST_SECONDS: Final = 1_000_000


@define(eq=False)
class HeldLock:
    """A path that somebody has locked: once for each of its tokens, the first one being `token`."""

    path: Path
    mode: str
    locker: str
    token: int
    granted_at: float
    deadline: float
    tokens: list[int] = field(factory=list)

    def renew(self, deadline: float) -> None:
        """End later; not earlier, where it is locked more than once."""
        self.deadline = max(self.deadline, deadline) if len(self.tokens) > 1 else deadline

    def suffices(self, mode: str) -> bool:
        """Whether who has this needs no other lock of the path for a mode."""
        return self.mode in (_EXCLUSIVE, mode)

    def release(self, token: int | None) -> None:
        """Have it locked once less: by that grant, or by the latest that is not its first."""
        others = [one for one in self.tokens if one != self.token]
        latest = others[-1] if others else self.token
        self.tokens.remove(latest if token is None else token)

    def is_of(self, token: int | None) -> bool:
        """Whether one of the times that it was locked was that grant; None is any."""
        return token is None or token in self.tokens


@frozen
class WantedLocks:
    """What a call wants locked."""

    locker: str
    seconds: float
    paths: Sequence[Path]
    mode: str
    reentrant: bool

    @classmethod
    def read(
        cls, locker_id: object, timeout: object, paths: object, read: Options
    ) -> "WantedLocks":
        """Read the parameters and options of a call.

        Raises:
            ValueError: for what is no mode, path or time.
        """
        mode = as_text(read.get("mode", _EXCLUSIVE))
        if mode not in (_EXCLUSIVE, _SHARED):
            raise ValueError(f"mode {shown(mode)} is none of {_EXCLUSIVE}, {_SHARED}")
        reentrant = bool(read.get("reentrant"))
        return cls(as_text(locker_id), lock_seconds(timeout), paths_of(paths), mode, reentrant)

    def conflicts(self, path: Path, lock: HeldLock) -> bool:
        """Whether a lock is in the way of one of the paths."""
        return related(lock.path, path) and not lock.mode == self.mode == _SHARED


def related(path: Path, other: Path) -> bool:
    """Whether two paths are equal, or one is under the other."""
    shorter = min(len(path), len(other))
    return path[:shorter] == other[:shorter]


def require_apart(paths: Sequence[Path]) -> None:
    """Refuse paths of which one is another, or under it.

    Raises:
        Refusal: it names them.
    """
    for path, following in pairwise(sorted(paths)):
        if related(path, following):
            both = f"{path_text(path)} and {path_text(following)}"
            raise Refusal(f"{both} are not apart: one of them is the other, or under it")


def paths_of(paths: object) -> list[Path]:
    """Read an array of paths."""
    return [path_of(path) for path in array(paths, "paths")]


def lock_seconds(timeout: object) -> float:
    """Read for how many seconds something is locked; 0 means 60."""
    value = Options({"timeout": timeout}).number("timeout", None, 0)
    if value is None:
        raise ValueError("timeout should be a number, not None")
    return min(value, _MOST_SECONDS) or _DEFAULT_SECONDS
