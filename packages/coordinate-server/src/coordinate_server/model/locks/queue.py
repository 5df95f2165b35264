"""The queue of those who wait: in the order of asking, each with its paths reserved.

A claim is registered with one thing that is in its way, and looks again when that goes. One that
comes is registered with the last one before it, so of a thousand that wait for one lock one looks
again when it is released. What stands in the queue keeps those who are registered with it when it
turns from waiting to held.
"""

from collections.abc import Iterable
from heapq import heappop, heappush

from coordinate_server.model.locks.claims import Claim
from coordinate_server.model.locks.entries import WAITING, Entry
from coordinate_server.model.locks.holdings import Holdings
from coordinate_server.model.locks.paths import Path
from coordinate_server.model.locks.tree import Tree, conflict

__all__ = ["Queue"]


class Queue:
    """Who waits in one namespace.

    Arguments:
        tree: where what is held and what waits meet.
        holdings: what is held.

    Attributes:
        by_locker: the claims of each locker.
        looks: how often a claim looked whether it is free; tests count it.
    """

    def __init__(self, tree: Tree, holdings: Holdings) -> None:
        self._tree, self._holdings = tree, holdings
        self.by_locker: dict[str, dict[Claim, None]] = {}
        self.looks = 0
        self._ticket = 0
        self._woken: list[tuple[int, Claim, Entry | None]] = []

    # ---- what is in the way ----

    def in_the_way(
        self, path: Path, mode: int, own: str | None = None, before: int | None = None
    ) -> Entry | None:
        """Give something that keeps a path from being granted, or None.

        Arguments:
            path: the path.
            mode: EXCLUSIVE or SHARED.
            own: whose locks do not count.
            before: only who has a lower ticket counts of those who wait; None for all.
        """
        if own is not None and self._holdings.covers(own, path, mode):
            # Whoever waits for this has the lock that covers it in his way already.
            return None
        for state, line in self._tree.against(path, mode):
            for entry in line:
                if state == WAITING and before is not None and entry.ticket >= before:
                    break
                if not is_own(entry, own):
                    return entry
        return None

    def _last_in_the_way(self, path: Path, mode: int, own: str | None) -> Entry | None:
        """Give the one of those in the way that waits and came last, or else one that is held."""
        found: Entry | None = None
        for state, line in self._tree.against(path, mode):
            entry = next((entry for entry in reversed(line) if not is_own(entry, own)), None)
            if entry is None:
                continue
            if found is None or (state == WAITING and entry.ticket > found.ticket):
                found = entry
        return found

    def first_blocked(
        self, wanted: Iterable[tuple[Path, int]], own: str | None = None
    ) -> tuple[int, Entry] | None:
        """Give the first of some paths that cannot be granted now, by number, and why not."""
        for index, (path, mode) in enumerate(wanted):
            blocker = self.in_the_way(path, mode, own)
            if blocker is not None:
                return index, blocker
        return None

    # ---- coming and going ----

    def stand(self, claim: Claim) -> bool:
        """Let a claim with its entries come last; whether it is free at once."""
        wanted = ((entry.path, entry.mode) for entry in claim.entries)
        blocked = self.first_blocked(wanted, claim.own)
        if blocked is None:
            self._enter(claim)
            claim.free = True
            return True
        claim.cursor, blocker = blocked
        entry = claim.entries[claim.cursor]
        last = self._last_in_the_way(entry.path, entry.mode, claim.own)
        self._enter(claim)
        self._register(claim, last or blocker)
        return False

    def _enter(self, claim: Claim) -> None:
        self._number(claim)
        for entry in claim.entries:
            entry.claim = claim
            self._tree.put(entry, WAITING)
        claim.waiting = True
        if claim.locker is not None:
            self.by_locker.setdefault(claim.locker, {})[claim] = None

    def _number(self, claim: Claim) -> None:
        self._ticket += 1
        claim.ticket = self._ticket
        for entry in claim.entries:
            entry.ticket = self._ticket

    def leave(self, claim: Claim) -> None:
        """Let a claim go without having got anything."""
        hint = claim.blocker
        for entry in self.take_out(claim):
            self.vanish(entry, hint)

    def take_out(self, claim: Claim) -> list[Entry]:
        """Let a claim wait no more; gives its entries, which are in the tree still."""
        claim.waiting = claim.free = False
        self._unregister(claim)
        if claim.locker is not None:
            waiting = self.by_locker[claim.locker]
            del waiting[claim]
            if not waiting:
                del self.by_locker[claim.locker]
        entries, claim.entries = claim.entries, []
        for entry in entries:
            entry.claim = None
        return entries

    def step_back(self, claim: Claim) -> None:
        """Let a claim come last again; what came after it is no longer behind it."""
        self._unregister(claim)
        self._number(claim)
        for entry in claim.entries:
            self._tree.move(entry, WAITING)
            self.wake(entry)
        claim.free, claim.cursor = False, 0
        heappush(self._woken, (claim.ticket, claim, None))

    def vanish(self, entry: Entry, hint: Entry | None) -> None:
        """Take an entry that waited out; ``hint`` is what may be in the way of those behind it."""
        self._tree.remove(entry)
        self.wake(entry, hint)

    # ---- looking again ----

    def wake(self, entry: Entry, hint: Entry | None = None) -> None:
        """Have those who are registered with an entry look again, in the order of their tickets."""
        dependents, entry.dependents = entry.dependents, None
        for claim in dependents or ():
            claim.blocker = None
            heappush(self._woken, (claim.ticket, claim, hint))

    def freed(self) -> list[Claim]:
        """Let those look again who have to; gives those that are free now, in order."""
        freed = []
        while self._woken:
            _, claim, hint = heappop(self._woken)
            if claim.waiting and not claim.free and self._is_free(claim, hint):
                claim.free = True
                freed.append(claim)
        return freed

    def _is_free(self, claim: Claim, hint: Entry | None) -> bool:
        self.looks += 1
        blocker = self._still_there(claim, hint) or self._next_blocker(claim)
        if blocker is None and claim.cursor:
            # Only its locker itself can have taken what was reserved: by calls that may re-enter.
            claim.cursor = 0
            blocker = self._next_blocker(claim)
        if blocker is None:
            return True
        self._register(claim, blocker)
        return False

    def _still_there(self, claim: Claim, hint: Entry | None) -> Entry | None:
        """Give what blocked the one that has just left, if it is in the way of this one too.

        Without it those behind one that left would all be registered with the first in the queue.
        """
        if hint is None or hint.node is None or is_own(hint, claim.own):
            return None
        entry = claim.entries[claim.cursor]
        covered = claim.own is not None and self._holdings.covers(claim.own, entry.path, entry.mode)
        return hint if conflict(hint, entry) and not covered else None

    def _next_blocker(self, claim: Claim) -> Entry | None:
        entries = claim.entries
        for index in range(claim.cursor, len(entries)):
            entry = entries[index]
            blocker = self.in_the_way(entry.path, entry.mode, claim.own, claim.ticket)
            if blocker is not None:
                claim.cursor = index
                return blocker
        return None

    def _register(self, claim: Claim, blocker: Entry) -> None:
        claim.blocker = blocker
        if blocker.dependents is None:
            blocker.dependents = {}
        blocker.dependents[claim] = None

    def _unregister(self, claim: Claim) -> None:
        blocker, claim.blocker = claim.blocker, None
        if blocker is not None and blocker.dependents is not None:
            blocker.dependents.pop(claim, None)


def is_own(entry: Entry, own: str | None) -> bool:
    """Whether an entry is no conflict for who may re-enter; a unit's is nobody's own."""
    return own is not None and entry.locker == own and entry.unit is None
