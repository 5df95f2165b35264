"""Lockers that wait for each other in a circle, found when one comes that would close it."""

from collections import deque
from collections.abc import Iterator

from attrs import define, field

from coordinate_server.model.locks.claims import Claim
from coordinate_server.model.locks.entries import WAITING, Entry, Line
from coordinate_server.model.locks.holdings import Holdings
from coordinate_server.model.locks.outcomes import Link, unit_text
from coordinate_server.model.locks.paths import Path
from coordinate_server.model.locks.queue import Queue, is_own
from coordinate_server.model.locks.tree import Tree

__all__ = ["Deadlocks"]

_Who = str | Claim
"""A locker; a unit that waits is one of its own."""


@define
class Deadlocks:
    """Searches for circles.

    A locker waits for those who have what conflicts with one of its claims, or asked for it
    earlier. A circle can only come into being when somebody begins to wait: a grant makes no new
    edge, because who has a lock was waited for already while it waited.

    Arguments:
        tree: where all locks and claims are.
        queue: who waits.
        holdings: who has what.

    Attributes:
        steps: how many entries were looked at; tests count them.
    """

    tree: Tree
    queue: Queue
    holdings: Holdings
    steps: int = field(default=0, init=False)

    def closed_by(self, claim: Claim) -> tuple[Link, ...] | None:
        """Give the circle that a claim would close, which is about to come last, or None."""
        locker = claim.locker
        if locker is None or not (self.holdings.has_any(locker) or locker in self.queue.by_locker):
            # Nobody can wait for one who has nothing and has asked for nothing.
            return None
        search = _Search(self, locker)
        found = search.run(claim)
        self.steps += search.steps
        return found

    def claims_of(self, who: _Who) -> Iterator[Claim]:
        """Give what a locker waits for."""
        if isinstance(who, Claim):
            yield who
        else:
            yield from self.queue.by_locker.get(who, ())


class _Reader:
    """A line that is read once by all who come to it, each to its own ticket."""

    def __init__(self, line: Line) -> None:
        self._entries = iter(line)
        self._next = next(self._entries, None)
        # Of the one who begins the search: not in its own way, but in the way of others.
        self.passed: list[Entry] = []

    def to(self, before: int | None) -> Iterator[Entry]:
        while self._next is not None and (before is None or self._next.ticket < before):
            entry, self._next = self._next, next(self._entries, None)
            yield entry


class _Search:
    """One search, breadth first: the circle that it finds is among the shortest.

    Each line is read once, so it takes no more steps than there are entries.
    """

    def __init__(self, deadlocks: Deadlocks, start: str) -> None:
        self._deadlocks, self._start = deadlocks, start
        self._readers: dict[int, _Reader] = {}
        # Who is waited for: by whom, and for which path.
        self._reached: dict[_Who, tuple[_Who, Path]] = {}
        self.steps = 0

    def run(self, claim: Claim) -> tuple[Link, ...] | None:
        waiting: deque[_Who] = deque()
        claims: Iterator[Claim] | tuple[Claim] = (claim,)
        who: _Who = self._start
        while True:
            for path, reached in self._edges(claims):
                if reached == self._start:
                    return self._circle(who, path)
                if reached not in self._reached:
                    self._reached[reached] = who, path
                    waiting.append(reached)
            if not waiting:
                return None
            who = waiting.popleft()
            claims = self._deadlocks.claims_of(who)

    def _edges(self, claims: Iterator[Claim] | tuple[Claim]) -> Iterator[tuple[Path, _Who]]:
        for claim in claims:
            for entry in claim.entries:
                if not self._is_covered(claim, entry):
                    for blocker in self._in_the_way(claim, entry):
                        yield entry.path, _who(blocker)

    def _is_covered(self, claim: Claim, entry: Entry) -> bool:
        holdings = self._deadlocks.holdings
        return claim.own is not None and holdings.covers(claim.own, entry.path, entry.mode)

    def _in_the_way(self, claim: Claim, entry: Entry) -> Iterator[Entry]:
        for state, line in self._deadlocks.tree.against(entry.path, entry.mode):
            reader = self._readers.get(id(line))
            if reader is None:
                reader = self._readers[id(line)] = _Reader(line)
            before = (claim.ticket or None) if state == WAITING else None
            yield from self._foreign(claim, reader.passed, before)
            for other in reader.to(before):
                self.steps += 1
                if not is_own(other, claim.own):
                    yield other
                elif other.locker == self._start:
                    reader.passed.append(other)

    def _foreign(self, claim: Claim, passed: list[Entry], before: int | None) -> Iterator[Entry]:
        if claim.own == self._start:
            return
        for other in passed:
            if before is None or other.ticket < before:
                yield other
                return

    def _circle(self, last: _Who, path: Path) -> tuple[Link, ...]:
        links = [Link(_shown(last), path, self._start)]
        who = last
        while who != self._start:
            before, path = self._reached[who]
            links.append(Link(_shown(before), path, _shown(who)))
            who = before
        return tuple(reversed(links))


def _who(entry: Entry) -> _Who:
    if entry.locker is not None:
        return entry.locker
    if entry.claim is None:
        raise AssertionError("what has no locker is a unit's claim")
    return entry.claim


def _shown(who: _Who) -> str:
    if isinstance(who, str):
        return who
    unit = who.entries[0].unit
    return "" if unit is None else unit_text(unit)
