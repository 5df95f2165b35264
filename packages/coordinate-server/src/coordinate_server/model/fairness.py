"""Whose turn it is by weight: earliest eligible virtual deadline first.

The rule is that of Stoica and Abdel-Wahab ("Earliest eligible virtual deadline first", 1995), with
one hand-out as the quantum. Virtual time is what a contender of weight 1 has had when all have had
their shares; each contender has a ``start``, the virtual time that its own hand-outs have come to.
The virtual time of all is the mean of the starts by weight. Who is not ahead of it is eligible; of
the eligible, the one whose next hand-out would be over first is next. While the contenders and
their weights stay the same, each stays within one hand-out of its share.

Virtual time is counted in whole numbers, so that sums stay exact however long a round goes on.
"""

from heapq import heapify, heappop, heappush
from typing import Any

__all__ = ["HANDOUT", "Bundle", "Contender", "Round"]

HANDOUT = 1 << 64
"""One hand-out at weight 1, in virtual time."""

# What rounding may add up to, so that two who are equal are found to be equal.
_SLACK = 1 << 24


class Contender:
    """One who takes part in a round.

    Arguments:
        item: what it stands for.
        name: decides where nothing else does; no two of a round have one name.
        weight: its share, a whole number of at least 1.
    """

    __slots__ = ("bundle", "item", "mark", "name", "start", "turn", "weight")

    def __init__(self, item: Any, name: str, weight: int) -> None:
        self.item, self.name, self.weight = item, name, weight
        self.start = self.turn = self.mark = 0
        self.bundle: Bundle | None = None

    @property
    def deadline(self) -> int:
        """The virtual time, in its bundle's, at which its next hand-out would be over."""
        return self.start + HANDOUT // self.weight


class Bundle:
    """Contenders that are let in and shut out together, at the cost of one.

    Their starts count from the bundle's origin, which moves when it was shut: whoever is shut out
    neither gains nor loses anything by it.

    Arguments:
        key: what they have in common.
    """

    __slots__ = (
        "_early",
        "_eligible",
        "key",
        "left",
        "mark",
        "members",
        "moment",
        "origin",
        "weight",
    )

    def __init__(self, key: Any) -> None:
        self.key = key
        self.members: dict[Contender, None] = {}
        self.weight = self.moment = self.origin = self.mark = 0
        # The round's virtual time when the bundle was shut; None while it is in.
        self.left: int | None = None
        self._early: list[tuple[int, str, int, Contender]] = []
        self._eligible: list[tuple[int, int, str, int, Contender]] = []

    def let_go(self) -> None:
        """Forget all contenders."""
        self.members.clear()
        self._early.clear()
        self._eligible.clear()

    def file(self, contender: Contender) -> None:
        """Put a member where its start says, in place of where it was."""
        contender.mark += 1
        entry = (contender.start, contender.name, contender.mark, contender)
        heappush(self._early, entry)
        if len(self._early) > 2 * len(self.members) + 64:
            self._early = [entry for entry in self._early if self._holds(entry[-1], entry[-2])]
            heapify(self._early)

    def _holds(self, contender: Contender, mark: int) -> bool:
        return contender.mark == mark and contender.bundle is self

    def first(self, now: int) -> Contender | None:
        """Give the eligible member with the earliest deadline; ``now`` counts from the origin."""
        early, eligible = self._early, self._eligible
        while early and early[0][0] <= now + _SLACK:
            _, name, mark, contender = heappop(early)
            if self._holds(contender, mark):
                heappush(eligible, (contender.deadline, contender.turn, name, mark, contender))
        while eligible:
            _, _, name, mark, contender = eligible[0]
            if self._holds(contender, mark):
                if contender.start <= now + _SLACK:
                    return contender
                heappush(early, (contender.start, name, mark, contender))
            heappop(eligible)
        return None

    def waiting(self) -> Contender | None:
        """Give the member that is not eligible and will be soonest."""
        early = self._early
        while early:
            _, _, mark, contender = early[0]
            if self._holds(contender, mark):
                return contender
            heappop(early)
        return None


class Round:
    """Contenders of one rank, in bundles.

    Every operation costs the logarithm of the number of contenders and bundles; a bundle of any
    size goes in and out as one.
    """

    __slots__ = (
        "_early",
        "_eligible",
        "_last",
        "_tie",
        "bundles",
        "moment",
        "offered",
        "size",
        "turn",
        "weight",
    )

    def __init__(self) -> None:
        self.bundles: dict[Any, Bundle] = {}
        self.size = self.weight = self.moment = self.turn = 0
        self._last = self._tie = 0
        # Whether its rank is among those to be looked at; whoever keeps the rounds uses it.
        self.offered = False
        self._early: list[tuple[int, int, int, Bundle]] = []
        self._eligible: list[tuple[int, int, str, int, int, Bundle]] = []

    @property
    def now(self) -> int:
        """The virtual time."""
        if self.weight:
            self._last = self.moment // self.weight
        return self._last

    def bundle(self, key: Any) -> Bundle:
        """Give the bundle of that key; a new one is in."""
        bundle = self.bundles.get(key)
        if bundle is None:
            bundle = self.bundles[key] = Bundle(key)
        return bundle

    # ---- coming and going ----

    def join(self, contender: Contender, bundle: Bundle, lag: int = 0) -> None:
        """Let a contender take part.

        Arguments:
            contender: one that takes part in no round.
            bundle: one of the round's.
            lag: what it is owed, in virtual time at weight 1; below zero what it has had too much.
        """
        now = self.now if bundle.left is None else bundle.left
        contender.start = now - lag // contender.weight - bundle.origin
        contender.bundle = bundle
        self._count(bundle, contender.weight, contender.start * contender.weight, 1)
        bundle.members[contender] = None
        bundle.file(contender)
        self._file(bundle)

    def leave(self, contender: Contender) -> int:
        """Let a contender go; gives its lag."""
        bundle = self._of(contender)
        now = self.now if bundle.left is None else bundle.left
        lag = contender.weight * (now - bundle.origin - contender.start)
        del bundle.members[contender]
        contender.bundle = None
        self._count(bundle, -contender.weight, -contender.start * contender.weight, -1)
        self._file(bundle)
        return lag

    def set_shut(self, bundle: Bundle, *, shut: bool) -> None:
        """Shut a bundle's members out, or let them in again."""
        if shut == (bundle.left is not None):
            return
        if bundle.left is None:
            left = self.now
            self._weigh(bundle, -1)
            bundle.left = left
        else:
            bundle.origin += self.now - bundle.left
            bundle.left = None
            self._weigh(bundle, 1)
        self._file(bundle)

    def _count(self, bundle: Bundle, weight: int, moment: int, number: int) -> None:
        if bundle.left is None:
            self.weight += weight
            self.moment += moment + bundle.origin * weight
            self.size += number
        bundle.weight += weight
        bundle.moment += moment

    def _weigh(self, bundle: Bundle, sign: int) -> None:
        self.weight += sign * bundle.weight
        self.moment += sign * (bundle.moment + bundle.origin * bundle.weight)
        self.size += sign * len(bundle.members)

    # ---- whose turn it is ----

    def let_go(self) -> None:
        """Have bundles not know their members, who know them; of no use any more after that."""
        for bundle in self.bundles.values():
            bundle.let_go()

    def first(self) -> Contender | None:
        """Give who is next, or None if all are out; nobody's turn is over by that."""
        if not self.size:
            return None
        now = self.now
        while self._early and self._early[0][0] <= now + _SLACK:
            _, _, mark, bundle = heappop(self._early)
            if bundle.mark == mark:
                self._file(bundle)
        while self._eligible:
            deadline, _, _, _, mark, bundle = self._eligible[0]
            current = bundle.mark == mark
            contender = bundle.first(now - bundle.origin) if current else None
            if contender is not None and contender.deadline + bundle.origin == deadline:
                return contender
            heappop(self._eligible)
            if current:
                self._file(bundle)
        return self._soonest()

    def _soonest(self) -> Contender | None:
        """Only rounding can leave nobody eligible."""
        waiting = [(b.origin, b.waiting()) for b in self.bundles.values() if b.left is None]
        found = [(origin + c.start, c.name, c) for origin, c in waiting if c is not None]
        return min(found)[-1] if found else None

    def charge(self, contender: Contender, number: int) -> None:
        """Count hand-outs that a contender has had."""
        if self.size == 1:
            return  # alone it is never ahead of its share, and it is nobody's turn before
        bundle = self._of(contender)
        self.turn += 1
        contender.turn = self.turn
        step = number * HANDOUT // contender.weight
        contender.start += step
        bundle.moment += step * contender.weight
        self.moment += step * contender.weight
        bundle.file(contender)
        self._file(bundle)

    def order(self) -> list[Contender]:
        """Give all who are in, in the order in which they would be next as things are."""
        now = self.now
        members = [(b, c) for b in self.bundles.values() if b.left is None for c in b.members]
        ranks = [
            (b.origin + c.start > now + _SLACK, b.origin + c.deadline, c.turn, c.name, c)
            for b, c in members
        ]
        return [rank[-1] for rank in sorted(ranks)]

    def _of(self, contender: Contender) -> Bundle:
        if contender.bundle is None:
            raise AssertionError(f"{contender.name} takes part in no round")
        return contender.bundle

    def _file(self, bundle: Bundle) -> None:
        """Put a bundle where its members say, in place of where it was."""
        bundle.mark += 1
        if bundle.left is not None:
            return
        origin, mark = bundle.origin, bundle.mark
        self._tie += 1
        first = bundle.first(self.now - origin)
        if first is not None:
            deadline = origin + first.deadline
            entry = (deadline, first.turn, first.name, self._tie, mark, bundle)
            heappush(self._eligible, entry)
        waiting = bundle.waiting()
        if waiting is not None:
            heappush(self._early, (origin + waiting.start, self._tie, mark, bundle))
        self._sweep()

    def _sweep(self) -> None:
        most = 2 * len(self.bundles) + 64
        if len(self._early) > most:
            self._early = [entry for entry in self._early if entry[-1].mark == entry[-2]]
            heapify(self._early)
        if len(self._eligible) > most:
            self._eligible = [entry for entry in self._eligible if entry[-1].mark == entry[-2]]
            heapify(self._eligible)
