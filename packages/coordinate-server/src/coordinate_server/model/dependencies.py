"""What units need of each other: edges, and what the end of one means for those that need it."""

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from coordinate_protocol.constants import BLOCKED, FAILED, FINISHED
from coordinate_server.model.calls import NeedView
from coordinate_server.model.errors import NotAdded
from coordinate_server.model.graph import Cycle, Graph
from coordinate_server.model.instant import Instant
from coordinate_server.model.keys import key_text
from coordinate_server.model.ledger import Ledger
from coordinate_server.model.rows import SIZE_BYTES
from coordinate_server.model.unit import Unit

if TYPE_CHECKING:
    from coordinate_server.model.roster import Roster

__all__ = ["Dependencies", "Edge", "named"]

Edge = tuple[Unit, "Roster", Unit, "Roster", bool]
"""Who needs, its spec; who is needed, its spec; and whether hard."""

_SHOWN = 1000
_SHOWN_PATH = 10
_AT_ONCE = 5000
"""How many units hear of an end within one call; the others hear of it in the next ones."""


def named(roster: "Roster", unit: Unit) -> str:
    """Name a unit for people."""
    return f"{key_text(unit.key)} of {roster.spec.name!r}"


class Dependencies:
    """The graph of units.

    What a unit has told those that need it is kept (``links.told``), as is how many of its own
    needs are open or broken by what it was told (``links.unmet``, ``links.broken``). So an end can
    be told later, in slices: until then it has just not been heard of.

    Arguments:
        ledger: where changes are noted.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._graph: Graph[Unit] = Graph()
        self._ended: deque[Unit] = deque()
        self._taken_back: deque[Unit] = deque()

    # ---- edges ----

    def link(self, edges: Iterable[Edge]) -> None:
        """Add edges, all or none.

        Raises:
            NotAdded: they would close a cycle; the message has its path.
        """
        added: list[Edge] = []
        known: list[Edge] = []
        for edge in edges:
            if edge[2] in self._graph.needs(edge[0]):
                known.append(edge)
                continue
            try:
                self._link(edge)
            except Cycle as cycle:
                text = self._path(cycle.path, edge)
                for later, _, earlier, _, _ in reversed(added):
                    self._graph.unlink(later, earlier)
                raise NotAdded(f"cycle of dependencies: {text}") from None
            added.append(edge)
        for edge in added:
            self._count(edge[0], edge[2], was_soft=False)
            self._note(edge)
        # An edge that is there already closes no cycle, so from here on nothing is refused.
        for edge in known:
            if self._link(edge):
                self._count(edge[0], edge[2], was_soft=True)
                self._note(edge)

    def _link(self, edge: Edge) -> bool:
        later, later_roster, earlier, earlier_roster, hard = edge
        first = not self._graph.needed_by(earlier)
        new = self._graph.link(later, earlier, hard, later_roster, earlier_roster)
        if first and earlier.links is not None:
            earlier.links.told = _end(earlier)
        return new

    def _note(self, edge: Edge) -> None:
        later, later_roster, earlier, earlier_roster, _ = edge
        hard = self._graph.needs(later)[earlier]
        self._ledger.edge(_edge_key(later_roster, later, earlier_roster, earlier), hard=hard)

    def _path(self, path: list[Unit], edge: Edge) -> str:
        """Name a cycle's units, each of which needs the next; of a long one the ends."""
        shown = [self._named(unit, edge) for unit in path[:_SHOWN_PATH]]
        if len(path) > 2 * _SHOWN_PATH:
            shown.append(f"... ({len(path) - 1} in all)")
        rest = path[max(_SHOWN_PATH, len(path) - _SHOWN_PATH) :]
        return " -> ".join([*shown, *(self._named(unit, edge) for unit in rest)])

    def _named(self, unit: Unit, edge: Edge) -> str:
        for end, roster in ((edge[0], edge[1]), (edge[2], edge[3])):
            if unit is end:
                return named(roster, unit)
        return named(unit.links.owner if unit.links else edge[1], unit)

    def _count(self, later: Unit, earlier: Unit, *, was_soft: bool) -> None:
        if later.links is None or earlier.links is None:
            raise AssertionError("an edge has two ends")
        hard, links = self._graph.needs(later)[earlier], later.links
        told = earlier.links.told
        if was_soft:
            links.unmet -= _unmet(told)
            links.broken -= _broken(told, hard=False)
        links.unmet += _unmet(told)
        links.broken += _broken(told, hard=hard)

    def load(self, edges: Iterable[Edge]) -> list[Unit]:
        """Take in edges that are written down; gives the units that need something."""
        units: dict[Unit, None] = {}
        for edge in edges:
            self._link(edge)
            self._count(edge[0], edge[2], was_soft=False)
            units[edge[0]] = None
        return list(units)

    def forget(self, unit: Unit, at: Instant) -> None:
        """Drop all edges of a unit that is going."""
        if unit.links is None:
            return
        self._tell(unit, at)
        roster, told = unit.links.owner, unit.links.told
        for earlier, _ in list(self._graph.needs(unit).items()):
            if earlier.links is not None:
                self._ledger.forget_edge(_edge_key(roster, unit, earlier.links.owner, earlier))
        for later in list(self._graph.needed_by(unit)):
            if later.links is None:
                continue
            hard, owner = self._graph.needs(later)[unit], later.links.owner
            self._ledger.forget_edge(_edge_key(owner, later, roster, unit))
            later.links.unmet -= _unmet(told)
            later.links.broken -= _broken(told, hard=hard)
            if later.status == BLOCKED:
                self._graph.unlink(later, unit)
                owner.need_changed(later, at)
        self._graph.forget(unit)

    # ---- what became of a unit ----

    def changed(self, unit: Unit) -> None:
        """Note that a unit has ended, or has not any more."""
        queue = self._ended if _end(unit) else self._taken_back
        queue.append(unit)

    @property
    def waiting(self) -> bool:
        """Whether somebody has yet to hear of an end."""
        return bool(self._ended or self._taken_back)

    def settle(self, at: Instant) -> None:
        """Tell those who need a unit what became of it; ends in slices, what begins anew at once.

        A unit that begins anew is told of at once, since what needs it must not run meanwhile.
        """
        told = 0
        while self._taken_back or (self._ended and told < _AT_ONCE):
            unit = (self._taken_back or self._ended).popleft()
            told += 1 + self._tell(unit, at)

    def _tell(self, unit: Unit, at: Instant) -> int:
        links = unit.links
        if links is None or links.told == _end(unit):
            return 0
        before, links.told = links.told, _end(unit)
        later_units = list(self._graph.needed_by(unit))
        for later in later_units:
            if later.links is None:
                continue
            hard = self._graph.needs(later)[unit]
            mends = _broken(before, hard=hard) - _broken(links.told, hard=hard)
            later.links.unmet += _unmet(links.told) - _unmet(before)
            later.links.broken -= mends
            later.links.owner.need_changed(later, at, mends=mends > 0)
        return len(later_units)

    def culprit(self, unit: Unit) -> str:
        """Name the unit whose own failure keeps a unit from ever running."""
        for earlier, hard in self._graph.needs(unit).items():
            if hard and earlier.links is not None and earlier.links.told == FAILED:
                by_need = earlier.history.culprit if earlier.history else None
                return by_need or named(earlier.links.owner, earlier)
        raise AssertionError("nothing that it needs has failed")

    # ---- what people ask ----

    def needs(self, unit: Unit) -> tuple[tuple[NeedView, ...], int, int]:
        """Give the first of what a unit needs, how many that is, and how many keep it waiting."""
        needs = self._graph.needs(unit)
        if unit.links is None or not needs:
            return (), 0, 0
        views: list[NeedView] = []
        for earlier, hard in needs.items():
            if len(views) == _SHOWN:
                break
            spec = earlier.links.owner.spec.name if earlier.links else ""
            views.append(NeedView(spec, earlier.key, hard, earlier.status))
        return tuple(views), len(needs), unit.links.unmet + unit.links.broken

    def needing(self, unit: Unit) -> list[Unit]:
        """Give the units that wait for a unit which has not ended."""
        if unit.links is None or _end(unit):
            return []
        return [later for later in self._graph.needed_by(unit) if later.status == BLOCKED]


def _end(unit: Unit) -> int:
    """Give how a unit has ended; 0 if it has not."""
    return unit.status if unit.status in (FINISHED, FAILED) else 0


def _unmet(end: int) -> int:
    return 0 if end else 1


def _broken(end: int, *, hard: bool) -> int:
    return 1 if hard and end == FAILED else 0


def _edge_key(
    later_roster: "Roster", later: Unit, earlier_roster: "Roster", earlier: Unit
) -> bytes:
    size = len(later.key).to_bytes(SIZE_BYTES, "big")
    return later_roster.key + size + later.key + earlier_roster.key + earlier.key
