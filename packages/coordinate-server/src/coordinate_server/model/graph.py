"""Which unit needs which: a graph without cycles, kept in an order."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, count
from typing import Any, Generic, Protocol, TypeVar, cast

from attrs import Factory, define

__all__ = ["Cycle", "Graph", "Links", "Node"]

# A unit of a long chain has one edge each way. Two dicts for these are 448 bytes, all the rest of
# its links is 116. So a single hard edge is kept as the node itself.
_Ends = Any  # None | Node | dict[Node, bool]


class Node(Protocol):
    """What has edges; two are the same only if they are one object.

    Arguments:
        links: its edges, kept by the graph; None while it has none.
    """

    links: "Links | None"


N = TypeVar("N", bound=Node)


@define(eq=False, weakref_slot=False)
class Links:
    """The edges of one node; ``Graph.needs`` and ``Graph.needed_by`` read them.

    Arguments:
        owner: whatever the caller wants to find with the node.
        rank: its place in the order, above that of everything that it needs.
        earlier: what it needs, in the order added, with whether it needs it hard.
        later: what needs it, in the order added.
        told: what those that need it know of it; this and the next two are the caller's.
        unmet: how many of its needs are open.
        broken: how many of its needs can never be met.
    """

    owner: Any
    rank: int
    earlier: _Ends = None
    later: _Ends = None
    told: int = 0
    unmet: int = 0
    broken: int = 0


class Cycle(Exception):
    """An edge that would close a cycle.

    Arguments:
        path: the nodes of the cycle, as many as it has; each needs the next, the last is the first.
    """

    def __init__(self, path: list[Any]) -> None:
        super().__init__(f"cycle of {len(path) - 1} nodes, each of which needs the next")
        self.path = path


class Graph(Generic[N]):
    """Nodes in an order in which everything comes after what it needs.

    The order is that of Pearce and Kelly, "A dynamic topological sort algorithm for directed
    acyclic graphs" (2006): an edge that fits costs nothing, one that does not has the nodes between
    its ends searched, and those that must change sides share their ranks anew. Beyond that, what
    has nothing before it may go to the very front, and what has nothing after it to the very back,
    so a node without edges is never searched for, and a large graph is not moved for the sake of a
    small one.
    """

    __slots__ = ("_back", "_front")

    def __init__(self) -> None:
        self._back = count()
        self._front = count(-1, -1)

    def needs(self, node: N) -> Mapping[N, bool]:
        """Give what a node needs, in the order added, with whether it needs it hard.

        It may be the graph's own: it is valid until the graph changes.
        """
        return _mapping(node.links.earlier) if node.links else {}

    def needed_by(self, node: N) -> Collection[N]:
        """Give what needs a node, in the order added; valid until the graph changes."""
        return _mapping(node.links.later) if node.links else ()

    def link(self, later: N, earlier: N, hard: bool, later_owner: Any, earlier_owner: Any) -> bool:
        """Have a node need another; an edge that is there stays, and hard wins.

        Arguments:
            later: what needs.
            earlier: what is needed.
            hard: whether it needs it hard.
            later_owner: the owner of ``later``; it counts if that has no edges yet.
            earlier_owner: the owner of ``earlier``, likewise.

        Returns:
            Whether the edge is new, or was soft and is hard now.

        Raises:
            Cycle: ``earlier`` needs ``later``, or is it; nothing has changed. An edge that is there
                never raises.
        """
        if later is earlier:
            raise Cycle([later, later])
        known = self.needs(later).get(earlier)
        if known is None:
            self._order(later, earlier, later_owner, earlier_owner)
            of_earlier = _links(earlier)
            of_earlier.later = _with(of_earlier.later, later, hard=True)
        elif known or not hard:
            return False
        of_later = _links(later)
        of_later.earlier = _with(of_later.earlier, earlier, hard)
        return True

    def unlink(self, later: N, earlier: N) -> None:
        """Have a node not need another any more, if it did."""
        if earlier in self.needs(later):
            _drop_earlier(later, earlier)
            _drop_later(earlier, later)

    def forget(self, node: N) -> None:
        """Drop all edges of a node."""
        for earlier in self.needs(node):
            _drop_later(earlier, node)
        for later in self.needed_by(node):
            _drop_earlier(later, node)
        node.links = None

    def _order(self, later: N, earlier: N, later_owner: Any, earlier_owner: Any) -> None:
        if earlier.links is None:
            ranks = self._back if later.links is None else self._front
            earlier.links = Links(earlier_owner, next(ranks))
        if later.links is None:
            later.links = Links(later_owner, next(self._back))
        if earlier.links.rank > later.links.rank:
            self._reorder(later, earlier)

    def _reorder(self, later: N, earlier: N) -> None:
        after = _Search(later, earlier, forward=True)
        before = _Search(earlier, later, forward=False)
        # In turns, so that it costs what the smaller side does.
        searches = after.steps(), before.steps()
        for _ in zip(*searches, strict=False):
            pass
        if not (after.free or before.free):
            for _ in chain(*searches):
                pass
        if after.free:
            _place(after.in_order(), self._back)
        elif before.free:
            _place(reversed(before.in_order()), self._front)
        else:
            nodes = before.in_order() + after.in_order()
            _place(nodes, sorted(_rank(node) for node in nodes))


@define(eq=False)
class _Search(Generic[N]):
    """What is found from one end of an edge, as far as the rank of the other end.

    Arguments:
        start: the end to begin at.
        goal: the other end.
        forward: whether to go from what is needed to what needs it.
        origins: each node that was found, and from which.
        free: whether the search is over, and nothing was beyond that rank.
    """

    start: N
    goal: N
    forward: bool
    origins: dict[N, N] = Factory(dict)
    free: bool = False

    def steps(self) -> Iterator[None]:
        """Look at one edge each time, near ones first.

        Raises:
            Cycle: the goal was found.
        """
        bound = _rank(self.goal)
        within = True
        self.origins[self.start] = self.start
        queue = deque([self.start])
        while queue:
            node = queue.popleft()
            for other in self._neighbours(node):
                yield
                rank = _rank(other)
                if rank > bound if self.forward else rank < bound:
                    within = False
                elif other not in self.origins:
                    self.origins[other] = node
                    queue.append(other)
                    if other is self.goal:
                        raise Cycle(self._cycle())
        self.free = within

    def in_order(self) -> list[N]:
        """Give what was found, by rank."""
        return sorted(self.origins, key=_rank)

    def _neighbours(self, node: N) -> Iterable[N]:
        links = _links(node)
        return _mapping(links.later if self.forward else links.earlier)

    def _cycle(self) -> list[N]:
        trail = [self.goal]
        while trail[-1] is not self.start:
            trail.append(self.origins[trail[-1]])
        if self.forward:
            return [self.start, *trail]
        return [self.goal, *reversed(trail)]


def _place(nodes: Iterable[Node], ranks: Iterable[int]) -> None:
    for node, rank in zip(nodes, ranks, strict=False):  # ranks may have no end
        _links(node).rank = rank


def _rank(node: Node) -> int:
    return _links(node).rank


def _links(node: Node) -> Links:
    return cast("Links", node.links)  # asked only of nodes that have edges


def _drop_earlier(node: Node, earlier: Node) -> None:
    links = _links(node)
    links.earlier = _without(links.earlier, earlier)
    _drop_unused(node)


def _drop_later(node: Node, later: Node) -> None:
    links = _links(node)
    links.later = _without(links.later, later)
    _drop_unused(node)


def _drop_unused(node: Node) -> None:
    links = _links(node)
    if links.earlier is None and links.later is None:
        node.links = None


def _mapping(ends: _Ends) -> Mapping[Any, bool]:
    if isinstance(ends, dict):
        return ends
    return {} if ends is None else {ends: True}


def _with(ends: _Ends, node: Node, hard: bool) -> _Ends:
    if ends is None and hard:
        return node
    if not isinstance(ends, dict):
        ends = dict(_mapping(ends))
    ends[node] = hard
    return ends


def _without(ends: _Ends, node: Node) -> _Ends:
    if not isinstance(ends, dict):
        return None
    del ends[node]
    return ends or None
