"""The tree of paths: what is in the way of a path is found in as many steps as it has parts."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final

from coordinate_server.model.locks.entries import EXCLUSIVE, HELD, SHARED, WAITING, Entry, Line
from coordinate_server.model.locks.paths import Path

__all__ = ["Node", "Tree", "conflict"]

Lines = list[Line | None]
"""By state and mode; None for an empty one."""

_KINDS: Final = 4
# Hardly ever is there more than one of these at a path, and a plain dict is smaller.
_ALONE: Final[dict[int, Callable[[], Line]]] = {HELD + EXCLUSIVE: dict}
# Exclusive is not beside anything, shared not beside what is exclusive; what is held goes first.
_AGAINST: Final = {
    EXCLUSIVE: (HELD + EXCLUSIVE, HELD + SHARED, WAITING + EXCLUSIVE, WAITING + SHARED),
    SHARED: (HELD + EXCLUSIVE, WAITING + EXCLUSIVE),
}


def conflict(one: Entry, other: Entry) -> bool:
    """Whether two entries cannot both be granted, whoever wants them."""
    if one.mode == other.mode == SHARED:
        return False
    depth = min(len(one.path), len(other.path))
    return one.path[:depth] == other.path[:depth]


class Node:
    """One path, or the part of one that several have in common.

    Arguments:
        parent: the path without its last part; None for the root.
        part: the last part.

    Attributes:
        children: the paths with one part more, by that.
        at: the entries of the path itself.
        below: those of all paths that it begins.
    """

    __slots__ = ("at", "below", "children", "parent", "part")

    def __init__(self, parent: "Node | None", part: bytes) -> None:
        self.parent, self.part = parent, part
        self.children: dict[bytes, Node] = {}
        self.at: Lines | None = None
        self.below: Lines | None = None

    def here(self, state: int) -> list[Entry]:
        """Give the entries of the path itself that are in a state."""
        return _in_state(self.at, state)

    def within(self, state: int) -> list[Entry]:
        """Give those of the path, and of all that it begins."""
        return _in_state(self.at, state) + _in_state(self.below, state)


class Tree:
    """The entries of one namespace.

    Attributes:
        root: the node above all paths.
        puts: how often something came into another state; what was free may be so no more.
    """

    __slots__ = ("puts", "root")

    def __init__(self) -> None:
        self.root = Node(None, b"")
        self.puts = 0

    def put(self, entry: Entry, state: int) -> None:
        """Take an entry in, as the last of those of its state."""
        node = self.root
        for part in entry.path:
            child = node.children.get(part)
            if child is None:
                child = node.children[part] = Node(node, part)
            node = child
        entry.node = node
        self._link(node, entry, state)

    def move(self, entry: Entry, state: int) -> None:
        """Let an entry go on in another state, or as the last in the same."""
        node = entry.node
        if node is not None:
            self._unlink(node, entry)
            self._link(node, entry, state)

    def remove(self, entry: Entry) -> None:
        """Take an entry out, and the nodes that are for nothing then."""
        node, entry.node = entry.node, None
        if node is None:
            return
        self._unlink(node, entry)
        while node.parent is not None and node.at is None and not node.children:
            del node.parent.children[node.part]
            node = node.parent

    def _link(self, node: Node, entry: Entry, state: int) -> None:
        self.puts += 1
        entry.state = state
        kind = state + entry.mode
        node.at = _with(node.at, kind, entry, _ALONE.get(kind, OrderedDict))
        above = node.parent
        while above is not None and above.parent is not None:
            above.below = _with(above.below, kind, entry, OrderedDict)
            above = above.parent

    def _unlink(self, node: Node, entry: Entry) -> None:
        kind = entry.state + entry.mode
        node.at = _without(node.at, kind, entry)
        above = node.parent
        while above is not None and above.parent is not None:
            above.below = _without(above.below, kind, entry)
            above = above.parent

    def node(self, path: Path) -> Node | None:
        """Give a path's node, or None where nothing is at it or below it."""
        node = self.root
        for part in path:
            child = node.children.get(part)
            if child is None:
                return None
            node = child
        return node

    def owner(self, path: Path) -> Entry | None:
        """Give what holds exactly a path, the first of several, or None."""
        node = self.node(path)
        return None if node is None else next(iter(node.here(HELD)), None)

    def against(self, path: Path, mode: int) -> Iterator[tuple[int, Line]]:
        """Give the lines whose entries conflict with a path, each with its state."""
        kinds = _AGAINST[mode]
        node = self.root
        for part in path:
            child = node.children.get(part)
            if child is None:
                return
            node = child
            if node.at is not None:
                yield from _some(node.at, kinds)
        if node.below is not None:
            yield from _some(node.below, kinds)


def _some(lines: Lines, kinds: tuple[int, ...]) -> Iterator[tuple[int, Line]]:
    for kind in kinds:
        line = lines[kind]
        if line is not None:
            yield kind & WAITING, line


def _in_state(lines: Lines | None, state: int) -> list[Entry]:
    if lines is None:
        return []
    return [entry for mode in (EXCLUSIVE, SHARED) for entry in lines[state + mode] or ()]


def _with(lines: Lines | None, kind: int, entry: Entry, make: Callable[[], Line]) -> Lines:
    if lines is None:
        lines = [None] * _KINDS
    line = lines[kind]
    if line is None:
        line = lines[kind] = make()
    line[entry] = None
    return lines


def _without(lines: Lines | None, kind: int, entry: Entry) -> Lines | None:
    line = None if lines is None else lines[kind]
    if lines is None or line is None:
        raise AssertionError("an entry is not where it should be")
    del line[entry]
    if not line:
        lines[kind] = None
        if not any(lines):
            return None
    return lines
