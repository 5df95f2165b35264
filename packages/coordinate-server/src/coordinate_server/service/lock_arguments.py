"""Reading what clients say of locks, and writing what they are told."""

from collections.abc import Sequence
from typing import Any, Final

from coordinate_protocol.constants import MAX_WAIT
from coordinate_protocol.errors import shown
from coordinate_protocol.values import key_value
from coordinate_server.model.instant import Instant
from coordinate_server.model.locks import (
    Denied,
    Granted,
    LockRequest,
    LockView,
    SomeGranted,
    UnitName,
    WaiterView,
)
from coordinate_server.model.locks.entries import MODES
from coordinate_server.model.locks.paths import Path, path_of, path_value
from coordinate_server.service.arguments import Options, text
from coordinate_server.service.call import Call
from coordinate_server.service.units import wall_time

__all__ = [
    "as_sent",
    "denial",
    "grant",
    "lock_mode",
    "mode_name",
    "path_list",
    "request",
    "seconds",
    "shown_lock",
    "some_granted",
    "token",
    "wait",
]

_NAMES: Final = {mode: name for name, mode in MODES.items()}
_DEFAULT_SECONDS: Final = 60
_MOST_SECONDS: Final = 1_000_000
_MOST_PATHS: Final = 10_000
# Each part of a path is a step in the tree: more of them in one call would stop all others.
_MOST_PARTS: Final = 20_000
_MOST_TOKEN: Final = 2**63 - 1


# ---- in ----


def path_list(value: object, call: Call) -> list[Path]:
    """Read an array of paths.

    Raises:
        ValueError: it is none, or too long, or one of the paths is none.
    """
    if not isinstance(value, list | tuple):
        raise ValueError(f"paths should be an array, not {shown(value)}")
    if len(value) > _MOST_PATHS:
        raise ValueError(f"paths should be at most {_MOST_PATHS}, not {len(value)}")
    most_bytes = call.namespace.settings.key_bytes
    paths = [path_of(path, most_bytes) for path in value]
    parts = sum(map(len, paths))
    if parts > _MOST_PARTS:
        raise ValueError(f"paths should have at most {_MOST_PARTS} parts in all, not {parts}")
    return paths


def seconds(timeout: object, read: Options) -> float:
    """Read for how long something is locked; what is too long is cut, with a note.

    Raises:
        ValueError: it is no number, or below 0.
    """
    timed = Options({"timeout": timeout})
    value: float | None = timed.number("timeout", None, 0)
    if value is None:
        raise ValueError("timeout should be a number, not None")
    value = timed.clamped("timeout", None, 0, _MOST_SECONDS)
    read.note(timed.message)
    return value or _DEFAULT_SECONDS


def lock_mode(name: str) -> int:
    """Read a mode.

    Raises:
        ValueError: there is none of that name.
    """
    mode = MODES.get(name)
    if mode is None:
        raise ValueError(f"mode {shown(name)} is none of {', '.join(MODES)}")
    return mode


def token(read: Options) -> int | None:
    """Read which grant is meant; None for any."""
    return read.integer("token", 0, 0, _MOST_TOKEN) if read.has("token") else None


def wait(read: Options) -> float:
    """Read for how many seconds a call would wait."""
    value: float = read.number("wait", 0, 0, MAX_WAIT)
    return value


def request(
    call: Call, locker_id: object, timeout: object, paths: object, read: Options
) -> LockRequest:
    """Read who wants what locked, with the options of that."""
    return LockRequest(
        locker=text(locker_id, "locker_id"),
        seconds=seconds(timeout, read),
        paths=tuple(path_list(paths, call)),
        mode=lock_mode(read.name("mode") or "exclusive"),
        reentrant=read.flag("reentrant"),
        wait=wait(read),
    )


# ---- out ----


def mode_name(mode: int) -> str:
    """Give a mode's name."""
    return _NAMES[mode]


def grant(granted: Granted, at: Instant, message: str | None) -> dict[str, Any]:
    """Say what was granted."""
    expires = wall_time(at, granted.deadline)
    said = {"granted": True, "token": granted.token, "expires": expires}
    return said if message is None else said | {"message": message}


def denial(denied: Denied, why: str) -> dict[str, Any]:
    """Say why nothing was."""
    said: dict[str, Any] = {"granted": False, "code": denied.code, "message": why}
    if denied.holder is not None:
        said["holder"] = denied.holder
    if denied.path is not None:
        said["path"] = path_value(denied.path)
    if denied.cycle:
        said["cycle"] = [
            {
                "locker_id": link.locker,
                "waits_for": path_value(link.waits_for),
                "held_by": link.held_by,
            }
            for link in denied.cycle
        ]
    return said


def as_sent(paths: object, locked: Sequence[bool]) -> list[Any]:
    """Give those of the paths that were locked as they came, null for the others."""
    given: Sequence[Any] = paths if isinstance(paths, list | tuple) else ()
    return [path if taken else None for path, taken in zip(given, locked, strict=True)]


def some_granted(
    paths: list[Any], some: SomeGranted, at: Instant, message: str | None
) -> dict[str, Any]:
    """Say which paths were granted."""
    expires = None if some.token is None else wall_time(at, some.deadline)
    said = {"paths": paths, "token": some.token, "expires": expires}
    return said if message is None else said | {"message": message}


def shown_lock(view: LockView, at: Instant) -> dict[str, Any]:
    """Show one lock."""
    deadline = view.deadline
    said = {
        "path": path_value(view.path),
        "mode": mode_name(view.mode),
        "locker_id": view.locker,
        "token": view.token,
        "age": at.now - view.granted_at,
        "expires": None if deadline is None else wall_time(at, deadline),
        "count": view.count,
    }
    waiters = [_waiter(waiter, at) for waiter in view.waiters]
    return said | _unit(view.unit) | {"waiters": waiters, "waiters_count": view.waiters_count}


def _waiter(waiter: WaiterView, at: Instant) -> dict[str, Any]:
    said = {"locker_id": waiter.locker, "mode": mode_name(waiter.mode)}
    return said | _unit(waiter.unit) | {"waiting": at.now - waiter.since}


def _unit(unit: UnitName | None) -> dict[str, Any]:
    if unit is None:
        return {}
    return {"work_spec_name": unit.spec, "work_unit_key": key_value(unit.key)}
