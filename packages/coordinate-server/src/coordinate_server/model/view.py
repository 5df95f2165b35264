"""One distinct way of asking for work, and who is next for those who ask so."""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from coordinate_server.model.fairness import HANDOUT, Bundle, Contender, Round
from coordinate_server.model.limits import Limit
from coordinate_server.model.roster import Rank, Roster
from coordinate_server.model.routes import Routes

__all__ = ["View"]

# Weights are whole numbers: a loop counts half, a continuous spec a twentieth.
_WHOLE = 40
_LOOP = 20
_CONTINUOUS = 2


class _Seat(Contender):
    """A spec in a view.

    What it is owed is kept while it has no place in a round: as it was, if it only may not run;
    if it has no work, only what it had too much, less its share of what is handed out meanwhile.
    """

    __slots__ = ("able", "left_at", "owed", "rank", "share")

    def __init__(self, roster: Roster, weight: int) -> None:
        super().__init__(roster, roster.spec.name, weight)
        self.rank: Rank | None = None
        self.able = False
        self.owed = 0
        self.share = 0.0
        # How many hand-outs there had been when it ran out of work; None if it has not.
        self.left_at: int | None = None


class View:
    """The specs that one way of asking accepts, in the order in which they are handed out from.

    A spec is looked at again only when something about it has changed.

    Arguments:
        rosters: the specs that are accepted.
        routes: how specs follow each other.
    """

    def __init__(self, rosters: Iterable[Roster], routes: Routes) -> None:
        self._routes = routes
        self._seats = {roster: _Seat(roster, self._weight(roster)) for roster in rosters}
        self._rounds: dict[Rank, Round] = {}
        self._ranks: list[tuple[float, float]] = []
        # The bundles that a spec's work, or a full limit, shuts out.
        self._by_ahead: dict[Roster, set[tuple[Rank, Bundle]]] = {}
        self._by_limit: dict[Limit, set[tuple[Rank, Bundle]]] = {}
        self._busy: set[Roster] = set()
        self._waited_for: dict[Limit, list[Roster]] = {}
        for roster in self._seats:
            for limit in roster.limits if routes.waited_for(roster) else ():
                self._waited_for.setdefault(limit, []).append(roster)
        self.handed = 0
        # How much of what has changed this view has taken in; the scheduler's.
        self.seen = 0
        for roster in self._seats:
            self.update(roster)

    def _weight(self, roster: Roster) -> int:
        loop = roster in self._routes.loops
        if roster.spec.continuous:
            return roster.spec.weight * (_CONTINUOUS // 2 if loop else _CONTINUOUS)
        return roster.spec.weight * (_LOOP if loop else _WHOLE)

    def let_go(self) -> None:
        """Have no circles, which no collector looks for; of no use any more after that."""
        for round_ in self._rounds.values():
            round_.let_go()

    def accepts(self, roster: Roster) -> bool:
        """Whether those who ask so may be given units of a spec at all."""
        return roster in self._seats

    # ---- taking in what has changed ----

    def update(self, roster: Roster) -> None:
        """Take in what the scheduler found about a spec (``roster.rank``)."""
        seat = self._seats.get(roster)
        if seat is None:
            return
        if seat.rank != roster.rank:
            if seat.rank is not None:
                self._leave(seat, roster)
            if roster.rank is not None:
                self._join(seat, roster, roster.rank)
        self._check_able(seat, roster)

    def update_limit(self, limit: Limit) -> None:
        """Take in that a limit has become full, or is not any more."""
        for rank, bundle in self._by_limit.get(limit, ()):
            self._check_bundle(rank, bundle)
        for roster in self._waited_for.get(limit, ()):
            self._check_able(self._seats[roster], roster)

    def _leave(self, seat: _Seat, roster: Roster) -> None:
        rank = seat.rank
        if rank is None or seat.bundle is None:
            raise AssertionError("it has no place to leave")
        round_, bundle = self._rounds[rank], seat.bundle
        total = round_.weight or seat.weight
        seat.owed, seat.rank = round_.leave(seat), None
        if roster.rank is None and roster.idle:
            seat.owed, seat.left_at = min(seat.owed, 0), self.handed
            seat.share = seat.weight / total
        if not bundle.members:
            self._drop(rank, round_, bundle)

    def _drop(self, rank: Rank, round_: Round, bundle: Bundle) -> None:
        ahead, uses = bundle.key
        del round_.bundles[bundle.key]
        if ahead is not None:
            self._by_ahead[ahead].discard((rank, bundle))
        for limit in uses:
            self._by_limit[limit].discard((rank, bundle))
        if not round_.bundles:
            del self._rounds[rank]

    def _join(self, seat: _Seat, roster: Roster, rank: Rank) -> None:
        if seat.left_at is not None:
            worked_off = int((self.handed - seat.left_at) * seat.share * HANDOUT)
            seat.owed, seat.left_at = min(seat.owed + worked_off, 0), None
        round_ = self._rounds.get(rank)
        if round_ is None:
            round_ = self._rounds[rank] = Round()
        ahead = self._routes.ahead(roster)
        key = (ahead, roster.limits)
        bundle = round_.bundles.get(key)
        if bundle is None:
            bundle = round_.bundle(key)
            if ahead is not None:
                self._by_ahead.setdefault(ahead, set()).add((rank, bundle))
            for limit in roster.limits:
                self._by_limit.setdefault(limit, set()).add((rank, bundle))
            self._check_bundle(rank, bundle)
        round_.join(seat, bundle, seat.owed)
        seat.rank = rank
        self._offer(rank, round_)

    def _offer(self, rank: Rank, round_: Round) -> None:
        if round_.size and not round_.offered:
            round_.offered = True
            heappush(self._ranks, (-rank[0], -rank[1]))
            if len(self._ranks) > 2 * len(self._rounds) + 64:
                self._ranks = [(-p, -b) for (p, b), r in self._rounds.items() if r.offered]
                heapify(self._ranks)

    # ---- what shuts a bundle out ----

    def _check_bundle(self, rank: Rank, bundle: Bundle) -> None:
        ahead, uses = bundle.key
        shut = (ahead is not None and ahead in self._busy) or any(not u.room() for u in uses)
        round_ = self._rounds[rank]
        round_.set_shut(bundle, shut=shut)
        self._offer(rank, round_)

    def _check_able(self, seat: _Seat, roster: Roster) -> None:
        """See whether a spec can hand out now; others may have to wait for its work."""
        able = seat.rank is not None and all(limit.room() for limit in roster.limits)
        if able == seat.able:
            return
        seat.able = able
        if not self._routes.waited_for(roster):
            return
        looped = roster in self._routes.loops
        reached = self._routes.around(roster) if looped else [roster]
        for step in reached:
            if not self._check_busy(step):
                continue
            reached.extend(relay for relay in self._routes.relays(step) if not self._able(relay))

    def _check_busy(self, roster: Roster) -> bool:
        """See whether a spec, or what goes before it, has work; whether that has changed."""
        if roster in self._routes.loops:
            busy = any(self._able(step) for step in self._routes.loop(roster))
        else:
            busy = self._able(roster) or self._routes.ahead(roster) in self._busy
        if busy == (roster in self._busy):
            return False
        (self._busy.add if busy else self._busy.discard)(roster)
        for rank, bundle in self._by_ahead.get(roster, ()):
            self._check_bundle(rank, bundle)
        return True

    def _able(self, roster: Roster) -> bool:
        seat = self._seats.get(roster)
        return seat is not None and seat.able

    # ---- who is next ----

    def first(self) -> Contender | None:
        """Give who is next, or None for nobody; asking changes nothing."""
        while self._ranks:
            priority, best = self._ranks[0]
            round_ = self._rounds.get((-priority, -best))
            if round_ is not None and round_.size:
                return round_.first()
            heappop(self._ranks)
            if round_ is not None:
                round_.offered = False
        return None

    def charge(self, contender: Contender, number: int) -> None:
        """Count hand-outs that the first one has had."""
        if isinstance(contender, _Seat) and contender.rank is not None:
            self._rounds[contender.rank].charge(contender, number)
        self.handed += number

    # ---- what people ask ----

    def busy_ahead(self, roster: Roster) -> Roster | None:
        """Give the spec further down a spec's chain that has work, and so goes first, or None."""
        ahead = self._routes.ahead(roster)
        if ahead is None or ahead not in self._busy:
            return None
        while ahead is not None and not self._able(ahead):
            if ahead in self._routes.loops:
                return next(step for step in self._routes.loop(ahead) if self._able(step))
            ahead = self._routes.ahead(ahead)
        return ahead

    def order(self) -> list[Roster]:
        """Give the specs of the highest rank in the order in which they are next as things are."""
        first = self.first()
        if not isinstance(first, _Seat) or first.rank is None:
            return []
        return [contender.item for contender in self._rounds[first.rank].order()]
