"""What calls for locks give, and how that is said to people."""

from attrs import frozen

from coordinate_protocol.values import key_value
from coordinate_server.model.errors import Refused
from coordinate_server.model.locks.entries import HELD, Entry, UnitName
from coordinate_server.model.locks.paths import Path, path_text

__all__ = [
    "Denied",
    "Granted",
    "Link",
    "LockView",
    "NotHeld",
    "SomeGranted",
    "WaiterView",
    "deadlocked",
    "denied",
    "timed_out",
    "unit_text",
]

_SHOWN_LINKS = 10


@frozen
class Granted:
    """Everything asked for is locked.

    Arguments:
        token: of this grant; None if nothing was asked for.
        deadline: when the first of the locks ends, on ``now``.
    """

    token: int | None
    deadline: float


@frozen
class SomeGranted:
    """What was free is locked.

    Arguments:
        locked: whether, for each path asked for.
        token: of this grant; None if none is locked.
        deadline: when the first of the locks ends, on ``now``.
    """

    locked: tuple[bool, ...]
    token: int | None
    deadline: float


@frozen
class Link:
    """A part of a circle of lockers.

    Arguments:
        locker: who waits.
        waits_for: for which path.
        held_by: who has it, or asked for it earlier.
    """

    locker: str
    waits_for: Path
    held_by: str


@frozen
class Denied:
    """Nothing is locked.

    Arguments:
        code: ``locked``, ``timeout`` or ``deadlock``.
        text: why, for people.
        path: what is in the way; None if nothing was at the end of a wait. Of a deadlock, the path
            that would be waited for.
        holder: who has that, or asked for it earlier; None for a unit that waits.
        cycle: of a deadlock, who waits for whom; the one who asked is the first.
    """

    code: str
    text: str
    path: Path | None
    holder: str | None
    cycle: tuple[Link, ...] = ()


class NotHeld(Refused):
    """A lock is not, or not any more, that of the caller.

    Arguments:
        path: which.
        locker: who called.
        token: the grant that it named, or None.
        owner: a lock of the path that is somebody else's, or of another grant; None for none.
    """

    def __init__(self, path: Path, locker: str, token: int | None, owner: Entry | None) -> None:
        by = repr(locker) if token is None else f"{locker!r} under token {token}"
        now = "" if owner is None else f", but by {_name(owner)} under token {owner.token}"
        super().__init__(f"{path_text(path)} is not locked by {by}{now}")
        self.path = path


@frozen
class WaiterView:
    """Who waits for a lock.

    Arguments:
        locker: who; None for a unit.
        mode: EXCLUSIVE or SHARED.
        since: since when, on ``now``.
        unit: the unit, or None.
    """

    locker: str | None
    mode: int
    since: float
    unit: UnitName | None


@frozen
class LockView:
    """One lock, and who waits for it.

    Arguments:
        path: what is locked.
        mode: EXCLUSIVE or SHARED.
        locker: who has it; a unit's worker.
        token: of the grant, or a unit's attempt.
        granted_at: since when, on ``now``.
        deadline: until when; None for a unit's.
        count: how often its locker has it.
        unit: the unit whose attempt has it, or None.
        waiters: the first of those who wait for it.
        waiters_count: how many there are.
    """

    path: Path
    mode: int
    locker: str
    token: int
    granted_at: float
    deadline: float | None
    count: int
    unit: UnitName | None
    waiters: tuple[WaiterView, ...]
    waiters_count: int


# ---- for people ----


def unit_text(unit: UnitName) -> str:
    """Name a unit."""
    return f"work unit {key_value(unit.key)!r} of {unit.spec!r}"


def _name(entry: Entry) -> str:
    if entry.unit is None:
        return repr(entry.locker)
    worker = "" if entry.locker is None else f" ({entry.locker!r})"
    return unit_text(entry.unit) + worker


def _in_the_way(path: Path, blocker: Entry) -> str:
    wanted, there = path_text(path), path_text(blocker.path)
    if blocker.state != HELD:
        asked = "it" if path == blocker.path else there
        return f"{wanted} cannot be locked: {_name(blocker)} asked for {asked} earlier and waits"
    if path == blocker.path:
        return f"{wanted} is locked by {_name(blocker)}"
    return f"{wanted} cannot be locked: {there} is locked by {_name(blocker)}"


def denied(path: Path, blocker: Entry) -> Denied:
    """Say that a path cannot be locked now."""
    return Denied("locked", _in_the_way(path, blocker), blocker.path, blocker.locker)


def timed_out(path: Path, blocker: Entry | None, seconds: float) -> Denied:
    """Say that somebody has waited in vain for a path."""
    text = f"{round(seconds, 1):g} seconds were over"
    if blocker is None:
        return Denied("timeout", text, None, None)
    why = _in_the_way(path, blocker)
    return Denied("timeout", f"{text}: {why}", blocker.path, blocker.locker)


def deadlocked(cycle: tuple[Link, ...]) -> Denied:
    """Say that to wait would close a circle."""
    links = [
        f" waits for {path_text(link.waits_for)} of {link.held_by!r}"
        for link in cycle[:_SHOWN_LINKS]
    ]
    more = "" if len(cycle) <= _SHOWN_LINKS else f", and so on, {len(cycle)} in all"
    first = cycle[0]
    text = f"deadlock: {first.locker!r}{', who'.join(links)}{more}"
    return Denied("deadlock", text, first.waits_for, first.held_by, cycle)
