"""Which spec the next hand-out comes from.

First what may run at all; then no spec whose work further down the chain goes first; then the
highest (spec priority, priority of its best unit); then weights, by earliest eligible virtual
deadline first (Stoica and Abdel-Wahab, 1995), with one hand-out as the quantum.

Weights are kept as *lags*: what a spec is owed, in hand-outs. The lags of those who contend add
up to nothing, who is owed something is eligible, and the earliest deadline is the least
(1 - lag) / weight. A spec without work loses what it is owed, so it comes back with no claim;
what it had too much of it keeps.
"""

from collections.abc import Mapping

from attrs import frozen

from coordinate_server.model.calls import WorkRequest
from coordinate_server.model.instant import Instant
from coordinate_server.model.roster import Roster

__all__ = ["Choice", "Scheduler"]

_LOOP_SHARE = 1 / 2
_CONTINUOUS_SHARE = 1 / 20
# Lags are sums of rounded fractions; without slack, two that are equal could both seem not owed.
_SLACK = 1e-9


@frozen
class Choice:
    """A spec, and those that it was chosen among.

    Arguments:
        roster: the spec to hand out from.
        weights: the weight of each contender, itself included.
    """

    roster: Roster
    weights: Mapping[Roster, float]


class Scheduler:
    """Chooses among the specs of one namespace; a choice looks at each spec once.

    Arguments:
        rosters: the specs by name; the namespace's own dict.
    """

    def __init__(self, rosters: Mapping[str, Roster]) -> None:
        self._rosters = rosters
        self._loops: frozenset[str] = frozenset()
        self._turn = 0
        self._largest = 1

    def specs_changed(self) -> None:
        """Look at the chains again; to be called when a spec comes, goes or is defined anew."""
        self._loops = frozenset(name for name in self._rosters if self._returns(name))

    def _returns(self, name: str) -> bool:
        seen: set[str] = set()
        following = self._then(name)
        while following is not None and following != name and following not in seen:
            seen.add(following)
            following = self._then(following)
        return following == name

    def _then(self, name: str) -> str | None:
        roster = self._rosters.get(name)
        then = None if roster is None else roster.spec.then
        return then if then in self._rosters else None

    def choose(self, at: Instant, request: WorkRequest) -> Choice | None:
        """Choose a spec for a worker; None if there is nothing for it.

        The same state and arguments give the same choice. What comes of it is told by ``charge``.
        """
        able = self._able(at, request)
        ahead: dict[str, bool] = {}
        ranks = {
            name: (self._rosters[name].spec.priority, best)
            for name, best in able.items()
            if not self._preempted(name, able, ahead)
        }
        if not ranks:
            return None
        highest = max(ranks.values())
        contenders = [self._rosters[name] for name, rank in ranks.items() if rank == highest]
        return self._fairest(contenders)

    def charge(self, choice: Choice, number: int) -> None:
        """Count hand-outs that came of a choice.

        Arguments:
            choice: what ``choose`` gave.
            number: how many units were handed out.
        """
        total = sum(choice.weights.values())
        for roster, weight in choice.weights.items():
            roster.lag += number * weight / total
        self._turn += 1
        self._largest = max(self._largest, number)
        choice.roster.lag -= number
        choice.roster.turn = self._turn

    # ---- what may run ----

    def _able(self, at: Instant, request: WorkRequest) -> dict[str, float]:
        """Give the best priority of each spec that this worker could be given a unit of now."""
        able = {}
        for name, roster in self._rosters.items():
            best = roster.best_priority(at.wall)
            if best is None:
                roster.lag = min(roster.lag, 0.0)
            elif roster.runs() and _suits(roster, request):
                able[name] = best
        return able

    def _preempted(self, name: str, able: Mapping[str, float], ahead: dict[str, bool]) -> bool:
        """Whether something further down the chain could run; each spec is looked at once."""
        if name in self._loops:
            return False
        walked: list[str] = []
        step: str | None = name
        while step is not None and step not in ahead and step not in self._loops:
            walked.append(step)
            step = self._preempting(step)
        found = False if step is None else self._at(step, able, ahead)
        for walker in reversed(walked):
            following = self._preempting(walker)
            found = following is not None and (found or following in able)
            ahead[walker] = found
        return ahead[name]

    def _at(self, name: str, able: Mapping[str, float], ahead: Mapping[str, bool]) -> bool:
        """Whether a spec looked at before has work ahead, or anything in a loop can run."""
        if name not in self._loops:
            return ahead[name]
        seen: set[str] = set()
        step: str | None = name
        while step is not None and step not in seen:
            if step in able:
                return True
            seen.add(step)
            step = self._preempting(step)
        return False

    def _preempting(self, name: str) -> str | None:
        return self._then(name) if self._rosters[name].spec.then_preempts else None

    # ---- whose turn it is ----

    def _fairest(self, contenders: list[Roster]) -> Choice:
        weights = {roster: self._weight(roster) for roster in contenders}
        self._balance(weights)
        eligible = [roster for roster in contenders if roster.lag >= -_SLACK]
        # Only rounding and the bound on lags can leave nobody eligible.
        chosen = min(
            eligible or contenders,
            key=lambda r: (round((1 - r.lag) / weights[r], 9), r.turn, r.spec.name),
        )
        return Choice(chosen, weights)

    def _weight(self, roster: Roster) -> float:
        loop = _LOOP_SHARE if roster.spec.name in self._loops else 1
        return roster.spec.weight * loop * (_CONTINUOUS_SHARE if roster.spec.continuous else 1)

    def _balance(self, weights: Mapping[Roster, float]) -> None:
        """Make lags add up to nothing again, after specs came and went; nobody is owed a flood."""
        shift = sum(roster.lag for roster in weights) / sum(weights.values())
        for roster, weight in weights.items():
            lag = roster.lag - weight * shift
            roster.lag = min(max(lag, -self._largest), self._largest)


def _suits(roster: Roster, request: WorkRequest) -> bool:
    if request.spec_names is not None and roster.spec.name not in request.spec_names:
        return False
    return request.available_gb is None or roster.spec.min_gb <= request.available_gb
