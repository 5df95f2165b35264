"""How specs follow each other by ``then``: who lets whom go first, and what forms a loop."""

from collections.abc import Iterable, Iterator, Mapping

from coordinate_server.model.roster import Roster

__all__ = ["Routes"]


class Routes:
    """The chains of one namespace, as its specs define them at one time.

    Arguments:
        rosters: the specs by name.
    """

    def __init__(self, rosters: Mapping[str, Roster]) -> None:
        self._next = {
            roster: rosters[roster.spec.then]
            for roster in rosters.values()
            if roster.spec.then is not None and roster.spec.then in rosters
        }
        self.loops = frozenset(_in_loops(self._next))
        # A loop is waited for from outside; its own specs do not wait for each other.
        self._ahead = {
            roster: following
            for roster, following in self._next.items()
            if roster.spec.then_preempts
        }
        self._behind: dict[Roster, list[Roster]] = {}
        for roster, following in self._ahead.items():
            if roster not in self.loops:
                self._behind.setdefault(following, []).append(roster)
        self._relays = {
            roster: [r for r in behind if self.waited_for(r)]
            for roster, behind in self._behind.items()
        }

    def ahead(self, roster: Roster) -> Roster | None:
        """Give the spec whose work, or the work of those after it, goes first; None for none."""
        return None if roster in self.loops else self._ahead.get(roster)

    def relays(self, roster: Roster) -> Iterable[Roster]:
        """Give the specs that let a spec go first, and that others let go first."""
        return self._relays.get(roster, ())

    def waited_for(self, roster: Roster) -> bool:
        """Whether another spec may have to wait for this one's work."""
        return roster in self._behind or roster in self.loops

    def loop(self, roster: Roster) -> Iterator[Roster]:
        """Go along the loop that a spec is in, as far as work goes first; itself first."""
        seen: set[Roster] = set()
        step: Roster | None = roster
        while step is not None and step not in seen:
            seen.add(step)
            yield step
            step = self._ahead.get(step)

    def around(self, roster: Roster) -> list[Roster]:
        """Give all specs of the loop that a spec is in."""
        found = [roster]
        step = self._next[roster]
        while step is not roster:
            found.append(step)
            step = self._next[step]
        return found


def _in_loops(following: Mapping[Roster, Roster]) -> Iterator[Roster]:
    """Give the specs that lead back to themselves; each is looked at once."""
    done: set[Roster] = set()
    for begin in following:
        walked: dict[Roster, None] = {}
        step: Roster | None = begin
        while step is not None and step not in done and step not in walked:
            walked[step] = None
            step = following.get(step)
        if step is not None and step in walked:
            path = list(walked)
            yield from path[path.index(step) :]
        done.update(walked)
