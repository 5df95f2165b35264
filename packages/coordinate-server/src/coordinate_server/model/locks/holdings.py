"""What is locked in one namespace: by whom, until when, and the rows that say so."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from coordinate_server.model.feed import LOCKS, Feed
from coordinate_server.model.instant import Instant
from coordinate_server.model.locks.entries import HELD, Entry
from coordinate_server.model.locks.paths import Path
from coordinate_server.model.locks.rows import lock_key, lock_row
from coordinate_server.model.locks.tree import Tree

if TYPE_CHECKING:
    from coordinate_server.model.ledger import Ledger

__all__ = ["Holdings"]


class Holdings:
    """The locks of a namespace.

    Arguments:
        ledger: where changes are noted.
        namespace: the namespace's name.
        tree: where they are.
        feed: where those who watch see it.
        end_later: has a lock end at a moment, unless its deadline is another one by then.
    """

    def __init__(
        self,
        ledger: "Ledger",
        namespace: str,
        tree: Tree,
        feed: Feed,
        end_later: Callable[[float, Entry], None],
    ) -> None:
        self._ledger, self._namespace, self._tree, self._feed = ledger, namespace, tree, feed
        self._end_later = end_later
        self._by_locker: dict[str, dict[Path, tuple[Entry, ...]]] = {}

    # ---- who has what ----

    def has_any(self, locker: str) -> bool:
        """Whether a locker, or a unit of a worker of that name, has any lock."""
        return locker in self._by_locker

    def own(self, locker: str, path: Path, token: int | None = None) -> Entry | None:
        """Give the lock of a path that a locker has, the newest of several; None for none.

        Arguments:
            locker: who.
            path: exactly this one.
            token: of which grant; None for any.
        """
        for entry in reversed(self._of(locker, path)):
            if entry.unit is None and entry.is_of(token):
                return entry
        return None

    def sufficient(self, locker: str, path: Path, mode: int) -> Entry | None:
        """Give the lock of a path that a locker has, if it need not lock it again for a mode."""
        for entry in reversed(self._of(locker, path)):
            if entry.unit is None and entry.suffices(mode):
                return entry
        return None

    def covers(self, locker: str, path: Path, mode: int) -> bool:
        """Whether a locker has a path, or one that it is under, in a mode that suffices."""
        if locker not in self._by_locker:
            return False
        return any(
            self.sufficient(locker, path[:depth], mode) is not None
            for depth in range(1, len(path) + 1)
        )

    def _of(self, locker: str, path: Path) -> tuple[Entry, ...]:
        paths = self._by_locker.get(locker)
        return () if paths is None else paths.get(path, ())

    # ---- changes ----

    def hold(self, at: Instant, entry: Entry, token: int, deadline: float | None) -> None:
        """Lock a path; what waited for it keeps those who are registered with it.

        Arguments:
            at: the moment.
            entry: what is to be held; nothing may be in its way.
            token: of the grant.
            deadline: when it ends, on ``now``; None for a unit's.
        """
        entry.token, entry.granted_at, entry.ticket = token, at.now, 0
        self.take_in(entry, deadline)
        self.write(entry)
        self._tell(entry.path)

    def take_in(self, entry: Entry, deadline: float | None) -> None:
        """Do as ``hold``, for a lock that is written down already."""
        if entry.node is None:
            self._tree.put(entry, HELD)
        else:
            self._tree.move(entry, HELD)
        if entry.locker is None:
            raise AssertionError("a lock is somebody's")
        paths = self._by_locker.setdefault(entry.locker, {})
        paths[entry.path] = (*paths.get(entry.path, ()), entry)
        self.end_at(entry, deadline)

    def end_at(self, entry: Entry, deadline: float | None) -> None:
        """Have a lock end at a moment."""
        if deadline != entry.deadline:
            entry.deadline = deadline
            if deadline is not None:
                self._end_later(deadline, entry)

    def renew(self, entry: Entry, deadline: float) -> None:
        """Have a lock end at a moment, or later where somebody else counts on that."""
        if entry.count > 1 and entry.deadline is not None:
            deadline = max(entry.deadline, deadline)
        self.end_at(entry, deadline)
        self.write(entry)

    def again(self, entry: Entry, token: int, deadline: float) -> None:
        """Count a lock once more, for a grant of its own locker."""
        entry.count += 1
        if token != entry.token:
            entry.others = [*(entry.others or ()), token]
        self.renew(entry, deadline)

    def once_less(self, entry: Entry, token: int | None) -> bool:
        """Count a lock once less; whether nothing is left, and it is to be dropped."""
        if entry.count == 1:
            return True
        entry.count -= 1
        others = entry.others or []
        if token in others:
            others.remove(token)
        elif others and token is None:
            others.pop()
        self.write(entry)
        return False

    def drop(self, entry: Entry) -> None:
        """Let a lock go; those who are registered with it are the caller's business."""
        self._tree.remove(entry)
        entry.deadline = None
        if entry.locker is None:
            raise AssertionError("a lock is somebody's")
        paths = self._by_locker[entry.locker]
        left = tuple(other for other in paths[entry.path] if other is not entry)
        if left:
            paths[entry.path] = left
        else:
            del paths[entry.path]
            if not paths:
                del self._by_locker[entry.locker]
        if entry.unit is None:
            self._ledger.lock(lock_key(self._namespace, entry), None)
        self._tell(entry.path)

    def _tell(self, path: Path) -> None:
        """Tell those who watch who has a path now."""
        if self._feed.on:
            owner = self._tree.owner(path)
            state = None if owner is None else (owner.locker, owner.token)
            self._feed.note(LOCKS, path, state)

    def write(self, entry: Entry) -> None:
        """Note that a lock changed; a unit's is in the row of the unit."""
        if entry.unit is None:
            self._ledger.lock(lock_key(self._namespace, entry), lambda: lock_row(entry))
