"""Calls that wait: for locks, or for the loss of some."""

from typing import TYPE_CHECKING

from attrs import frozen

from coordinate_server.model.instant import Instant
from coordinate_server.model.locks.claims import Claim
from coordinate_server.model.locks.entries import EXCLUSIVE, Entry
from coordinate_server.model.locks.outcomes import Denied, Granted, timed_out
from coordinate_server.model.locks.paths import Path, path_text

if TYPE_CHECKING:
    from coordinate_server.model.locks.table import Locks

__all__ = ["LockRequest", "LockWait", "LockWatch"]


@frozen
class LockRequest:
    """Who wants what locked.

    Arguments:
        locker: who.
        seconds: how long.
        paths: what; none is another, or under another.
        mode: EXCLUSIVE or SHARED.
        reentrant: whether what the locker has, or waits for, is no conflict; a path that it has in
            a mode that suffices is counted once more.
        wait: for how many seconds it would wait.
    """

    locker: str
    seconds: float
    paths: tuple[Path, ...]
    mode: int = EXCLUSIVE
    reentrant: bool = False
    wait: float = 0.0

    @property
    def own(self) -> str | None:
        """Whose locks are not in its way; None for nobody's."""
        return self.locker if self.reentrant else None


class LockWait(Claim):
    """A call that waits until its paths can be locked, or its time is over.

    Arguments:
        request: what it wants.
        at: since when it waits.

    Attributes:
        deadline: when its time is over, on ``now``; None once it has an outcome.
        outcome: what it is answered; None while it waits.
    """

    def __init__(self, request: LockRequest, at: Instant) -> None:
        super().__init__(request.locker, request.own, at.now)
        self.request = request
        self.entries = [Entry(path, request.mode, request.locker) for path in request.paths]
        self.deadline: float | None = at.now + request.wait
        self.outcome: Granted | Denied | None = None

    def proceed(self, locks: "Locks", at: Instant) -> None:
        """Lock the paths."""
        self._settle(locks, locks.grants.make(at, self.request, locks.queue.take_out(self)))

    def end(self, locks: "Locks") -> None:
        """Wait no more: the time is over."""
        if self.outcome is None:
            path = self.entries[self.cursor].path
            self._settle(locks, timed_out(path, self.blocker, self.request.wait))
            locks.queue.leave(self)

    def _settle(self, locks: "Locks", outcome: Granted | Denied) -> None:
        self.outcome, self.deadline = outcome, None
        locks.settled.append(self)


class LockWatch:
    """A call that waits to the end of a time, or for the loss of one of its locks.

    Arguments:
        entries: the locks.
        deadline: the end of the time, on ``now``; None once it is over.

    Attributes:
        done: whether it is over.
        lost: what was lost, and why, for people; None if nothing was.
    """

    def __init__(self, entries: list[Entry], deadline: float) -> None:
        self._entries = entries
        self.deadline: float | None = deadline
        self.done = False
        self.lost: str | None = None
        for entry in entries:
            if entry.watches is None:
                entry.watches = {}
            entry.watches[self] = None

    def lose(self, locks: "Locks", entry: Entry, why: str) -> None:
        """Take note that a lock is lost."""
        self.lost = f"{path_text(entry.path)} is not locked any more: {why}"
        self.end(locks)

    def end(self, locks: "Locks") -> None:
        """Wait no more."""
        if not self.done:
            self.stop()
            locks.settled.append(self)

    def stop(self) -> None:
        """Let go of the locks."""
        self.done, self.deadline = True, None
        entries, self._entries = self._entries, []
        for entry in entries:
            if entry.watches is not None:
                entry.watches.pop(self, None)
