"""The graph of needs: its order, its cycles, and what an edge costs."""

import random
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from coordinate_server.model.graph import Cycle, Graph


class Node:
    """A node that counts how often anything of it is looked at: the work, without a clock."""

    looks = 0

    def __init__(self, name):
        self.name = name
        self._links = None

    def __repr__(self):
        return self.name

    @property
    def links(self):
        Node.looks += 1
        return self._links

    @links.setter
    def links(self, links):
        self._links = links


def nodes(number):
    return [Node(f"n{i}") for i in range(number)]


def link(graph, later, earlier, hard=True):
    return graph.link(later, earlier, hard, f"owner of {later}", f"owner of {earlier}")


def linked(number, edges):
    """A graph of so many nodes, with edges between (later, earlier) by their numbers."""
    graph, made = Graph[Node](), nodes(number)
    for later, earlier in edges:
        assert link(graph, made[later], made[earlier])
    return graph, made


def assert_in_order(made, edges):
    for later, earlier in edges:
        assert made[earlier].links.rank < made[later].links.rank


def chain(number):
    """Edges of a chain of so many nodes; each needs the one before."""
    return [(i + 1, i) for i in range(number - 1)]


def reaches(edges, start, goal):
    """Whether the start needs the goal, directly or not."""
    seen, stack = {start}, [start]
    while stack:
        node = stack.pop()
        if node is goal:
            return True
        found = {earlier for later, earlier in edges if later is node} - seen
        seen |= found
        stack.extend(found)
    return False


def snapshot(graph, made):
    """All that can be seen of a graph: per node the rank, the owner, and both lists of edges."""
    return [
        (
            node.links and (node.links.rank, node.links.owner),
            list(graph.needs(node).items()),
            list(graph.needed_by(node)),
        )
        for node in made
    ]


def assert_true_cycle(path, edges, later, earlier):
    """The path goes through the new edge and otherwise through edges that are there, once round."""
    assert path[0] is path[-1]
    steps = list(pairwise(path))
    assert (later, earlier) in steps
    assert set(steps) <= edges.keys() | {(later, earlier)}
    assert len(set(path)) == len(path) - 1


NUMBER = 10
SOME = st.integers(0, NUMBER - 1)


class GraphMachine(RuleBasedStateMachine):
    """The graph against a plain dict of its edges."""

    def __init__(self):
        super().__init__()
        self.graph = Graph[Node]()
        self.nodes = nodes(NUMBER)
        self.edges = {}

    @rule(later=SOME, earlier=SOME, hard=st.booleans())
    def link(self, later, earlier, hard):
        """An edge is taken exactly if it closes no cycle."""
        later, earlier = self.nodes[later], self.nodes[earlier]
        if reaches(self.edges, earlier, later):
            self.refused(later, earlier, hard)
            return
        known = self.edges.get((later, earlier))
        assert link(self.graph, later, earlier, hard) is (known is None or (hard and not known))
        self.edges[later, earlier] = hard or bool(known)

    def refused(self, later, earlier, hard):
        """A cycle changes nothing, and is one."""
        before = snapshot(self.graph, self.nodes)
        with pytest.raises(Cycle) as caught:
            link(self.graph, later, earlier, hard)
        assert_true_cycle(caught.value.path, self.edges, later, earlier)
        assert snapshot(self.graph, self.nodes) == before

    @rule(later=SOME, earlier=SOME)
    def unlink(self, later, earlier):
        """An edge goes alone; one that is not there is no fault."""
        later, earlier = self.nodes[later], self.nodes[earlier]
        self.graph.unlink(later, earlier)
        self.edges.pop((later, earlier), None)

    @rule(number=SOME)
    def forget(self, number):
        """All edges of a node go, and no other."""
        node = self.nodes[number]
        self.graph.forget(node)
        self.edges = {edge: hard for edge, hard in self.edges.items() if node not in edge}

    @invariant()
    def order_agrees_with_edges(self):
        """What is needed comes first, and no two have one rank."""
        for later, earlier in self.edges:
            assert earlier.links.rank < later.links.rank
        ranks = [node.links.rank for node in self.nodes if node.links]
        assert len(set(ranks)) == len(ranks)

    @invariant()
    def edges_are_those_of_the_oracle(self):
        """Both ends tell the same edges, in the order added; links are there while edges are."""
        for node in self.nodes:
            needs = [(end, hard) for (of, end), hard in self.edges.items() if of is node]
            needed_by = [of for of, end in self.edges if end is node]
            assert list(self.graph.needs(node).items()) == needs
            assert list(self.graph.needed_by(node)) == needed_by
            assert (node.links is not None) == bool(needs or needed_by)


TestGraphMachine = GraphMachine.TestCase
TestGraphMachine.settings = settings(stateful_step_count=60)


def test_random_edges_keep_the_order_or_are_refused(seed):
    """Large enough a graph that every way to make room is taken, often."""
    rng = random.Random(seed)
    graph, made = Graph[Node](), nodes(60)
    edges: dict[tuple[Node, Node], bool] = {}
    for _ in range(600):
        later, earlier = rng.choices(made, k=2)
        if reaches(edges, earlier, later):
            before = snapshot(graph, made)
            with pytest.raises(Cycle) as caught:
                link(graph, later, earlier)
            assert_true_cycle(caught.value.path, edges, later, earlier)
            assert snapshot(graph, made) == before
        else:
            assert link(graph, later, earlier) is ((later, earlier) not in edges)
            edges[later, earlier] = True
        if rng.random() < 0.3 and edges:
            graph.unlink(*(gone := rng.choice(list(edges))))
            del edges[gone]
        assert all(earlier.links.rank < later.links.rank for later, earlier in edges)


def test_node_may_not_need_itself():
    """An edge from a node to itself is the shortest cycle."""
    graph, [node] = Graph[Node](), nodes(1)
    with pytest.raises(Cycle) as caught:
        link(graph, node, node)
    assert caught.value.path == [node, node]
    assert str(caught.value) == "cycle of 1 nodes, each of which needs the next"
    assert node.links is None


def test_path_of_a_cycle_begins_with_the_new_edge():
    """Each needs the next, the last is the first, and it is the shortest that there is."""
    graph, made = linked(5, [(1, 0), (2, 1), (3, 2), (4, 3), (3, 1)])
    with pytest.raises(Cycle) as caught:
        link(graph, made[0], made[4])
    assert caught.value.path == [made[0], made[4], made[3], made[1], made[0]]


def test_path_is_the_same_from_the_other_end():
    """A cycle that is found from what is needed is told as one that is found from what needs."""
    # n0 has much after it, so the search from n3 is over first.
    edges = [(1, 0), (2, 1), (3, 2), *((i, 0) for i in range(4, 40))]
    graph, made = linked(40, edges)
    with pytest.raises(Cycle) as caught:
        link(graph, made[0], made[3])
    assert caught.value.path == [made[0], made[3], made[2], made[1], made[0]]


def test_diamond_is_no_cycle():
    """Two ways to one node are fine; the way back is not."""
    edges = [(1, 0), (2, 0), (3, 1), (3, 2)]
    graph, made = linked(4, edges)
    assert_in_order(made, edges)
    assert list(graph.needs(made[3])) == [made[1], made[2]]
    assert list(graph.needed_by(made[0])) == [made[1], made[2]]
    with pytest.raises(Cycle):
        link(graph, made[0], made[3])


def test_hard_wins_over_soft_and_keeps_its_place():
    """A soft edge becomes hard, never the other way, and stays where it was in the order added."""
    graph, [a, b, c] = Graph[Node](), nodes(3)
    assert link(graph, a, b, hard=False)
    assert link(graph, a, c, hard=True)
    assert not link(graph, a, b, hard=False)
    assert link(graph, a, b, hard=True)
    assert not link(graph, a, b, hard=False)
    assert not link(graph, a, b, hard=True)
    assert list(graph.needs(a).items()) == [(b, True), (c, True)]


def test_only_edge_stays_soft():
    """That a lone hard edge is kept in another way shows nowhere."""
    graph, [a, b] = Graph[Node](), nodes(2)
    link(graph, a, b, hard=False)
    assert dict(graph.needs(a)) == {b: False}
    assert list(graph.needed_by(b)) == [a]


def test_forget_clears_links_of_those_left_alone():
    """A neighbour without other edges has no links any more; one with others keeps them."""
    graph, made = linked(4, [(1, 0), (2, 1), (3, 2)])
    graph.forget(made[1])
    assert made[0].links is None
    assert made[1].links is None
    assert list(graph.needed_by(made[2])) == [made[3]]
    assert not graph.needs(made[2])
    graph.forget(made[1])
    assert made[1].links is None


def test_unlink_clears_links_of_those_left_alone():
    """Taking out the last edge takes out the links; what is not there may be taken out."""
    graph, made = linked(3, [(1, 0), (2, 1)])
    graph.unlink(made[1], made[0])
    assert made[0].links is None
    assert made[1].links is not None
    graph.unlink(made[0], made[2])
    assert list(graph.needs(made[2])) == [made[1]]


def test_owner_is_found_with_the_node():
    """Each end has its own owner, the one of its first edge."""
    graph, made = linked(3, [(1, 0), (2, 1)])
    graph.link(made[2], made[0], True, "somebody", "somebody else")
    assert [node.links.owner for node in made] == ["owner of n0", "owner of n1", "owner of n2"]


@pytest.mark.parametrize("way", ["forwards", "backwards", "shuffled"])
def test_chain_of_thousands_is_in_order(way, seed):
    """However a long chain is put together, it is one chain; its ends cannot be joined."""
    edges = chain(5000)
    if way == "backwards":
        edges.reverse()
    elif way == "shuffled":
        random.Random(seed).shuffle(edges)
    graph, made = linked(5000, edges)
    assert_in_order(made, edges)
    with pytest.raises(Cycle) as caught:
        link(graph, made[0], made[-1])
    assert caught.value.path == [made[0], *reversed(made)]


FEW = 1000
NATURAL = {
    "chain forwards": chain(FEW),
    "chain backwards": chain(FEW)[::-1],
    "fan-in": [(0, i) for i in range(1, FEW)],
    "fan-out": [(i, 0) for i in range(1, FEW)],
    "layers": [(30 + i, j) for i in range(30) for j in range(30)],
}


@pytest.mark.parametrize("shape", NATURAL)
def test_natural_order_costs_the_same_for_each_edge(shape):
    """What is added in a natural order is never searched."""
    edges = NATURAL[shape]
    graph, made = Graph[Node](), nodes(FEW)
    for later, earlier in edges:
        Node.looks = 0
        link(graph, made[later], made[earlier])
        assert Node.looks <= 12
    assert_in_order(made, edges)


@pytest.mark.parametrize("side", ["before", "after"])
def test_small_side_moves_past_a_large_graph(side):
    """A pair that is made by itself goes before or after a large graph for the price of a pair."""
    first, second = FEW, FEW + 1
    pair, large = [(second, first)], chain(FEW)
    if side == "before":
        edges, joint = large + pair, (0, second)
    else:
        edges, joint = pair + large, (first, FEW - 1)
    graph, made = linked(FEW + 2, edges)
    Node.looks = 0
    link(graph, made[joint[0]], made[joint[1]])
    assert Node.looks <= 60
    assert_in_order(made, [*edges, joint])


def test_only_what_lies_between_is_searched():
    """An edge across the middle of a long chain costs what its ends are apart in the order."""
    middle, other = FEW // 2, FEW
    edges = [*chain(FEW)[: middle + 5], (other, middle - 1), *chain(FEW)[middle + 5 :]]
    graph, made = linked(FEW + 1, edges)
    Node.looks = 0
    link(graph, made[middle], made[other])
    assert Node.looks <= 150
    assert_in_order(made, [*edges, (middle, other)])
