"""Calls about locks before they are sent, and what servers answer to them."""

import os
from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

from coordinate_client.answers import readable, split
from coordinate_client.exceptions import (
    Deadlock,
    InvalidAnswer,
    LockRefused,
    LockTimeout,
    ProgrammerError,
)
from coordinate_client.paths import (
    EXCLUSIVE,
    Path,
    as_paths,
    check_apart,
    check_mode,
    told_path,
    wire_paths,
)
from coordinate_client.server import Server, can, check_options
from coordinate_client.waits import Wait

__all__ = ["Granted", "Locker", "Refusal", "WantedLocks", "check_ttl", "locked", "some_locked"]

# What servers take at most; they would shorten a longer one.
_LONGEST_TTL = 1_000_000


def check_ttl(seconds: Any) -> float:
    """For how long a lock holds, unless it is renewed.

    Raises:
        ProgrammerError: for anything but a number that servers take as it is.
    """
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not number or not 0 < seconds <= _LONGEST_TTL:
        raise ProgrammerError(
            f"ttl {seconds!r} must be a number of seconds, above 0 and at most {_LONGEST_TTL}"
        )
    return float(seconds)


@define
class Locker:
    """Who locks, where nobody says it: a name for each process, with a number for each caller."""

    _process: str = field(default="", init=False)
    _pid: int = field(default=0, init=False)

    def name(self, caller: int) -> str:
        """The name; a forked child has another than its parent.

        Args:
            caller: the number of the thread or task.
        """
        if self._pid != os.getpid():
            import socket

            self._process = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"
            self._pid = os.getpid()
        return f"{self._process}:{caller}"


@frozen
class Granted:
    """Locks that a server granted.

    Args:
        token: the number of the grant; None by servers that do not number them.
        paths: what was locked; None for all that was asked for.
    """

    token: int | None
    paths: tuple[Path, ...] | None = None


@frozen
class Refusal:
    """Why a server granted no locks.

    Args:
        code: "locked", "timeout", "deadlock", or what servers may say some day.
        message: the same for people.
        holder: who holds what is in the way, or None.
        path: what is in the way, or None.
        cycle: who waits for whom, where that is a circle.
    """

    code: str
    message: str
    holder: str | None = None
    path: Path | None = None
    cycle: tuple[Mapping[str, Any], ...] = ()

    @property
    def passing(self) -> bool:
        """Whether the locks may be granted to one that waits (on)."""
        return self.code in {"locked", "timeout"}

    @property
    def error(self) -> LockRefused:
        """The refusal as an exception."""
        if self.code == "deadlock":
            return Deadlock(self.message, self.cycle)
        kind = LockTimeout if self.passing else LockRefused
        return kind(self.message, self.holder, self.path)


@frozen
class WantedLocks:
    """Locks that are asked for.

    Args:
        paths: all of them, or none.
        ttl: for how many seconds, unless they are renewed.
        mode: "exclusive" or "shared".
        reentrant: whether locks that the locker has already are not in the way.
    """

    paths: tuple[Path, ...]
    ttl: float
    mode: str = EXCLUSIVE
    reentrant: bool = False

    @classmethod
    def of(cls, paths: Any, ttl: Any, mode: Any, reentrant: Any) -> "WantedLocks":
        """Check what a caller gives.

        Raises:
            ProgrammerError: for paths, a time or a mode that no server takes.
        """
        return cls(as_paths(paths), check_ttl(ttl), check_mode(mode), bool(reentrant))

    def apart(self) -> "WantedLocks":
        """Make sure that all of the paths can be locked together.

        Raises:
            ProgrammerError: where one is there twice, or under another.
        """
        check_apart(self.paths)
        return self

    def params(self, locker: str, server: Server | None, wait: Wait | None = None) -> list[Any]:
        """The parameters of `lock` and `locksome`.

        Args:
            locker: who asks.
            server: who is asked.
            wait: the time for which a server that can is asked to wait.

        Raises:
            Unsupported: for a mode or a way of asking that the server does not know.
        """
        options: dict[str, Any] = {} if self.mode == EXCLUSIVE else {"mode": self.mode}
        if self.reentrant:
            options["reentrant"] = True
        check_options("lock", options, server)
        params = [locker, self.ttl, wire_paths(self.paths)]
        if not can(server, "locks"):
            return params
        if wait is not None:
            options["wait"] = wait.part
        return [*params, options | {"grant": True}]


def locked(answer: Any) -> Granted | Refusal:
    """What a server says to `lock`: a map, or a pair by one that has no tokens.

    Raises:
        InvalidAnswer: for anything else.
    """
    if not isinstance(answer, Mapping):
        done, message = split("lock", answer)
        return Granted(None) if done else Refusal("locked", message or "locked")
    if answer.get("granted"):
        return Granted(answer.get("token"))
    return _refusal(answer)


def _refusal(answer: Mapping[str, Any]) -> Refusal:
    path = answer.get("path")
    cycle = answer.get("cycle") or ()
    code = str(answer.get("code", "locked"))
    return Refusal(
        code,
        str(answer.get("message") or code),
        readable(answer.get("holder")),
        None if path is None else told_path(path),
        tuple(
            {
                name: told_path(value) if name == "waits_for" else value
                for name, value in one.items()
            }
            for one in cycle
        ),
    )


def some_locked(answer: Any) -> tuple[Granted | None, str | None]:
    """What a server says to `locksome`: what it locked, if anything, and a message for people.

    Raises:
        InvalidAnswer: for anything but a map or a pair.
    """
    if isinstance(answer, Mapping):
        found, token, message = answer.get("paths"), answer.get("token"), answer.get("message")
    else:
        (found, message), token = split("locksome", answer), None
    if not isinstance(found, (list, tuple)):
        raise InvalidAnswer(f"locksome was answered with {answer!r:.200}")
    paths = tuple(told_path(path) for path in found if path is not None)
    return Granted(token, paths) if paths else None, message
