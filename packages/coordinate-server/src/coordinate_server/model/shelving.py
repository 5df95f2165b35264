"""Ended units leave memory in the order of their ending, all but the last ones."""

from collections import deque
from typing import TYPE_CHECKING

from coordinate_server.model.ledger import Ledger
from coordinate_server.model.rows import ID_BYTES
from coordinate_server.model.shelf import CommittedRows

if TYPE_CHECKING:
    from coordinate_server.model.roster import Roster

__all__ = ["Shelving"]

_SHARE = 100


class Shelving:
    """The ended units that are in memory, the oldest first, of all specs.

    An entry is the key of a unit's row, so that it keeps nothing in memory. It is never looked for
    to take it out: one whose unit is gone, or has not ended any more, is dropped in its turn.

    Arguments:
        committed: where units are that have left memory; None where all stay.
        kept: how many entries stay.
    """

    def __init__(self, committed: CommittedRows | None, kept: int) -> None:
        self.committed, self._kept = committed, kept
        self._order: deque[bytes] = deque()
        self._rosters: dict[bytes, Roster] = {}
        # Specs that may have more room for units in memory than they need.
        self._wasteful: dict[Roster, None] = {}

    def watch(self, roster: "Roster") -> None:
        """Know a spec by what its rows begin with."""
        self._rosters[roster.key] = roster

    def leave(self, roster: "Roster") -> None:
        """Forget a spec whose units have gone at once."""
        self._rosters.pop(roster.key, None)

    def note(self, row_key: bytes) -> None:
        """Note that a unit has ended, or has come back from its rows."""
        if self.committed is not None:
            self._order.append(row_key)

    def step(self, most: int) -> bool:
        """Have some of the oldest leave.

        Arguments:
            most: how many entries to look at, besides a hundredth of those that are to leave: so
                these never become many, however quickly units end.

        Returns:
            Whether there is more to do.
        """
        if self.committed is None:
            return False
        leaving = len(self._order) - self._kept
        for _ in range(min(most + leaving // _SHARE, leaving)):
            self._take_next(self.committed.ledger)
        self._shrink()
        return len(self._order) > self._kept or bool(self._wasteful)

    def _take_next(self, ledger: Ledger) -> None:
        row_key = self._order.popleft()
        roster = self._rosters.get(row_key[:ID_BYTES])
        if roster is None:
            return
        if ledger.holds(row_key):
            self._order.append(row_key)
        else:
            roster.units.shelve(row_key[ID_BYTES:])
            self._wasteful[roster] = None

    def _shrink(self) -> None:
        """Look at one spec, whose dicts are some hundreds."""
        roster = next(iter(self._wasteful), None)
        if roster is not None and not roster.units.shrink():
            del self._wasteful[roster]
