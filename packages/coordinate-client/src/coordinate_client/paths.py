"""Paths of locks: as callers write them, as they are sent, and as servers tell them."""

from collections.abc import Iterable, Mapping
from math import isnan
from typing import Any, Final

from coordinate_client.answers import readable
from coordinate_client.exceptions import ProgrammerError

__all__ = [
    "EXCLUSIVE",
    "SHARED",
    "Path",
    "as_path",
    "as_paths",
    "check_apart",
    "check_mode",
    "has_several",
    "told_lock",
    "told_path",
    "wire_locks",
    "wire_paths",
]

EXCLUSIVE: Final = "exclusive"
SHARED: Final = "shared"

Path = tuple[Any, ...]
_FORM = "('index', 'shard-3') is one: text, numbers and tuples"


def as_path(value: Any) -> Path:
    """One path.

    Args:
        value: a tuple or list of parts: text, bytes, numbers, and tuples of them.

    Raises:
        ProgrammerError: for anything else.
    """
    if not isinstance(value, (list, tuple)):
        raise ProgrammerError(f"path {value!r} must be a tuple or list of parts: {_FORM}")
    if not value:
        raise ProgrammerError(f"path {value!r} has no parts: {_FORM}")
    for part in value:
        _check_part(part, value)
    return tuple(value)


def _check_part(part: Any, path: Any) -> None:
    if isinstance(part, tuple):
        for inner in part:
            _check_part(inner, path)
    elif isinstance(part, bool) or not isinstance(part, (str, bytes, int, float)) or _is_nan(part):
        raise ProgrammerError(f"part {part!r} of path {path!r} is not usable: {_FORM}")


def _is_nan(part: Any) -> bool:
    return isinstance(part, float) and isnan(part)


def has_several(value: Any) -> bool:
    """Whether a list of paths was given, and not one path: the first item of a list tells."""
    return isinstance(value, list) and (not value or isinstance(value[0], (list, tuple)))


def as_paths(value: Any) -> tuple[Path, ...]:
    """The paths that are meant.

    Args:
        value: one path, or a list of paths; a tuple is one path always.

    Raises:
        ProgrammerError: for none, and for anything else.
    """
    if not has_several(value):
        return (as_path(value),)
    paths = tuple(as_path(item) for item in value)
    if not paths:
        raise ProgrammerError("there are no paths in the list: it must have at least one")
    return paths


def check_apart(paths: tuple[Path, ...]) -> None:
    """Make sure that paths can be locked together.

    Raises:
        ProgrammerError: where one is there twice, or under another.
    """
    seen = set(paths)
    if len(seen) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise ProgrammerError(f"path {twice!r} is there twice")
    for path in paths:
        for length in range(1, len(path)):
            if path[:length] in seen:
                raise ProgrammerError(f"path {path!r} is under {path[:length]!r}: leave it out")


def check_mode(mode: Any) -> str:
    """The mode of a lock.

    Raises:
        ProgrammerError: for anything but "exclusive" and "shared".
    """
    if mode not in {EXCLUSIVE, SHARED}:
        raise ProgrammerError(f"mode {mode!r} must be {EXCLUSIVE!r} or {SHARED!r}")
    return str(mode)


def wire_paths(paths: Iterable[Path]) -> list[list[Any]]:
    """Paths as they are sent."""
    return [list(path) for path in paths]


def wire_locks(locks: Any) -> list[dict[str, Any]]:
    """The locks that a unit needs, as they are sent.

    Args:
        locks: a list, each a path, (path, mode), or a map with `path` and `mode`.

    Raises:
        ProgrammerError: for anything else, and where one path is there twice, or under another.
    """
    if not isinstance(locks, (list, tuple)) or isinstance(next(iter(locks), None), (str, bytes)):
        raise ProgrammerError(f"locks {locks!r} must be a list of paths, or of (path, mode)")
    found = [_path_and_mode(item) for item in locks]
    check_apart(tuple(path for path, _ in found))
    return [{"path": list(path), "mode": mode} for path, mode in found]


def _path_and_mode(item: Any) -> tuple[Path, str]:
    """Tell (path, mode) from a path: its first part is a path, and its second a text."""
    if isinstance(item, Mapping) and {"path"} <= item.keys() <= {"path", "mode"}:
        return as_path(item["path"]), check_mode(item.get("mode", EXCLUSIVE))
    pair = isinstance(item, (list, tuple)) and len(item) == 2  # noqa: PLR2004 - path and mode
    if pair and isinstance(item[0], (list, tuple)) and isinstance(item[1], str):
        return as_path(item[0]), check_mode(item[1])
    return as_path(item), EXCLUSIVE


def told_path(path: Any) -> Path:
    """A path that a server tells."""
    return tuple(readable(part) for part in path)


def told_lock(lock: Any) -> tuple[Path, str]:
    """A lock that a server says a unit has: a map with `path` and `mode`."""
    return told_path(lock["path"]), str(lock["mode"])
