"""The locks that a work unit needs, as they are said and shown."""

from collections.abc import Mapping
from typing import Any, Final

from coordinate_protocol.errors import BadName, shown
from coordinate_protocol.values import as_text
from coordinate_server.model.calls import LockSet
from coordinate_server.model.errors import Refused
from coordinate_server.model.locks.entries import EXCLUSIVE, MODES
from coordinate_server.model.locks.paths import Path, path_of, path_value, require_apart

__all__ = ["lock_set_of", "lock_set_value"]

_MOST: Final = 100
_NAMES: Final = {mode: name for name, mode in MODES.items()}


def lock_set_of(value: object, most_bytes: int) -> LockSet:
    """Read the locks that a unit needs.

    Arguments:
        value: an array of at most 100, each a path, or a map of ``path`` and ``mode``.
        most_bytes: how long a path may be, encoded.

    Raises:
        Refused: it is not that, or two of the paths are the same or one under the other.
    """
    if not isinstance(value, list | tuple) or len(value) > _MOST:
        raise Refused(f"locks should be an array of at most {_MOST}, not {shown(value)}")
    try:
        wanted = tuple(_lock(item, most_bytes) for item in value)
    except (ValueError, BadName) as error:
        raise Refused(f"locks: {error}") from error
    require_apart([path for path, _ in wanted])
    return wanted


def _lock(item: Any, most_bytes: int) -> tuple[Path, int]:
    if not isinstance(item, Mapping):
        return path_of(item, most_bytes), EXCLUSIVE
    named = {as_text(name): value for name, value in item.items()}
    if not {"path"} <= named.keys() <= {"path", "mode"}:
        raise ValueError(f"a lock should be a path or {{path, mode}}, not {shown(item)}")
    mode = named.get("mode", "exclusive")
    mode = mode.decode(errors="replace") if isinstance(mode, bytes) else mode
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"mode {shown(mode)} is none of {', '.join(MODES)}")
    return path_of(named["path"], most_bytes), MODES[mode]


def lock_set_value(locks: LockSet) -> list[dict[str, Any]]:
    """Give the locks as they go out: a map of ``path`` and ``mode`` each."""
    return [{"path": path_value(path), "mode": _NAMES[mode]} for path, mode in locks]
