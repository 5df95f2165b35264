"""Specs that have limits for their ended units, looked at in turns and in small steps."""

from collections import deque
from typing import TYPE_CHECKING

from coordinate_server.model.archive import archive
from coordinate_server.model.dependencies import Dependencies
from coordinate_server.model.instant import Instant

if TYPE_CHECKING:
    from coordinate_server.model.roster import Roster

__all__ = ["Retention"]


class Retention:
    """What is left of one round over all of these specs; the next begins when it is over.

    Arguments:
        dependencies: who needs whom.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._rosters: dict[Roster, None] = {}
        self._round: deque[Roster] = deque()

    def watch(self, roster: "Roster") -> None:
        """Look at a spec too, from the next round on."""
        self._rosters[roster] = None

    def leave(self, roster: "Roster") -> None:
        """Look at a spec no more: it is gone, or all of its units stay."""
        self._rosters.pop(roster, None)

    def step(self, at: Instant, most: int) -> bool:
        """Forget some of the units that are beyond the limits.

        Arguments:
            at: the moment; ages are by ``wall``.
            most: how much to do, at most: specs that are looked at, and units that go.

        Returns:
            Whether the round is not over.
        """
        if not self._round:
            self._round.extend(self._rosters)
        left = most
        while self._round and left > 0:
            looks = self._archive(self._round[0], at, left)
            if looks < left:
                self._round.popleft()
            left -= looks + 1
        return bool(self._round)

    def _archive(self, roster: "Roster", at: Instant, most: int) -> int:
        return archive(roster, at, self._dependencies, most) if roster in self._rosters else 0
