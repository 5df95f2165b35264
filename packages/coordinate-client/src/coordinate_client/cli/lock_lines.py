"""Locks as lines, and as rows of a table: who has them, and who waits."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coordinate_client.cli.durations import duration
from coordinate_client.cli.output import cell, name_of
from coordinate_client.written_paths import path_text

__all__ = ["TITLES", "holder_text", "lock_lines", "lock_rows", "mode_text", "substance"]

TITLES = ("Path", "Mode", "Locker", "#Token", "#Age", "#Expires in", "#Waiting")

Told = Mapping[str, Any]

# What goes on as time does, or as a holder keeps what it has.
_PASSING = frozenset({"age", "expires", "waiting"})


def holder_text(one: Told) -> str:
    """Who has a lock, or waits for it: a locker; or a unit, with its worker."""
    unit = unit_text(one)
    locker = None if one.get("locker_id") is None else name_of(one["locker_id"])
    if unit is None:
        return locker or "-"
    return unit if locker is None else f"{unit}, worker {locker}"


def unit_text(one: Told) -> str | None:
    """The unit that has a lock, or waits for it; None for anybody else."""
    if one.get("work_unit_key") is None:
        return None
    return f"{name_of(one['work_unit_key'])!r} of {name_of(one['work_spec_name'])!r}"


def mode_text(lock: Told) -> str:
    """How it is locked; and how often, where that is more than once."""
    count = lock.get("count") or 1
    return f"{lock['mode']}, {count} times" if count > 1 else str(lock["mode"])


def lock_lines(locks: Sequence[Told], now: float, *, wants_waiting: bool) -> Iterator[str]:
    """A line for each lock, and perhaps for each that waits for it.

    Arguments:
        locks: as ``list_locks`` gives them.
        now: seconds since 1970.
        wants_waiting: whether those who wait have lines, too.
    """
    if not locks:
        yield "no locks"
    for lock in locks:
        left = _left(lock, now)
        parts = (
            cell(path_text(lock["path"])).plain,
            mode_text(lock),
            cell(holder_text(lock)).plain,
            f"token {lock['token']}",
            f"age {duration(lock['age'])}",
            "ends with the attempt" if left is None else f"expires in {left}",
            f"{lock['waiters_count']} waiting",
        )
        yield "  ".join(parts)
        if wants_waiting:
            for who, mode, seconds in _waiters(lock):
                yield "  ".join(
                    part for part in ("  waits:", mode, cell(who).plain, seconds) if part
                )


def lock_rows(
    locks: Sequence[Told], now: float, *, wants_waiting: bool
) -> Iterator[Sequence[str | None]]:
    """The same as rows under ``TITLES``."""
    for lock in locks:
        yield (
            path_text(lock["path"]),
            mode_text(lock),
            holder_text(lock),
            str(lock["token"]),
            duration(lock["age"]),
            _left(lock, now) or "-",
            str(lock["waiters_count"]),
        )
        if wants_waiting:
            for who, mode, seconds in _waiters(lock):
                yield ("  waits", mode, who, None, seconds, None, None)


def _left(lock: Told, now: float) -> str | None:
    """For how long it is locked still; None for the lock of a unit, which has no end of its own."""
    return None if lock["expires"] is None else duration(lock["expires"] - now)


def _waiters(lock: Told) -> Iterator[tuple[str, str, str]]:
    """Who waits, how, and for how long; a server names no more than 100 of them."""
    for waiter in lock["waiters"]:
        yield holder_text(waiter), waiter["mode"], duration(waiter["waiting"])
    more = lock["waiters_count"] - len(lock["waiters"])
    if more > 0:
        yield f"{more} more", "", ""


def substance(value: Any) -> Any:
    """Locks without what changes although nothing happens."""
    if isinstance(value, Mapping):
        return {name: substance(inner) for name, inner in value.items() if name not in _PASSING}
    return [substance(inner) for inner in value] if isinstance(value, list) else value
