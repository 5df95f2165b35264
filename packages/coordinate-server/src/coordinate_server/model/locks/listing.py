"""Lists of locks: by path, in pages, each with who waits for it."""

from collections.abc import Iterator
from heapq import heapify, heappop, merge
from itertools import groupby, islice

from coordinate_server.model.locks.entries import HELD, WAITING, Entry, Line
from coordinate_server.model.locks.outcomes import LockView, WaiterView
from coordinate_server.model.locks.paths import Path
from coordinate_server.model.locks.tree import Node, Tree

__all__ = ["list_locks"]

_WAITERS_SHOWN = 100


def list_locks(
    tree: Tree, under: Path, limit: int, start: Path | None
) -> tuple[list[LockView], Path | None]:
    """Give locks at a path and below it, and the path at which the next page begins, or None.

    Parts are in the order of their CBOR, so shorter ones come first. The locks of one path are in
    one page, which may be longer for that.

    Arguments:
        tree: where they are.
        under: the path.
        limit: how many at least, where there are so many.
        start: the first path wanted; None for the very first.
    """
    node = tree.node(under)
    found: list[LockView] = []
    if node is None:
        return found, None
    for path, here in _nodes(node, under, start or ()):
        held = here.here(HELD)
        if held and len(found) >= limit:
            return found, path
        found += [_view(tree, entry) for entry in held]
    return found, None


def _nodes(node: Node, path: Path, start: Path) -> Iterator[tuple[Path, Node]]:
    """Give nodes from a path on, each before those below it."""
    if path >= start:
        yield path, node
    depth = len(path)
    # Below a path that begins the start, what is before the start need not be looked at.
    least = start[depth] if path == start[:depth] and len(start) > depth else b""
    if path < start and not least:
        return
    parts = [part for part in node.children if part >= least]
    heapify(parts)
    while parts:
        part = heappop(parts)
        yield from _nodes(node.children[part], (*path, part), start)


def _view(tree: Tree, entry: Entry) -> LockView:
    waiters, number = _waiters(tree, entry)
    if entry.locker is None:
        raise AssertionError("a lock is somebody's")
    return LockView(
        path=entry.path,
        mode=entry.mode,
        locker=entry.locker,
        token=entry.token,
        granted_at=entry.granted_at,
        deadline=entry.deadline,
        count=entry.count,
        unit=entry.unit,
        waiters=waiters,
        waiters_count=number,
    )


def _waiters(tree: Tree, entry: Entry) -> tuple[tuple[WaiterView, ...], int]:
    lines = [line for state, line in tree.against(entry.path, entry.mode) if state == WAITING]
    if not lines:
        return (), 0
    in_order = merge(*lines, key=lambda waiting: waiting.ticket)
    # Several paths of one claim may be below the lock; they have one ticket.
    claims = (next(same) for _, same in groupby(in_order, lambda waiting: waiting.ticket))
    return tuple(_waiter(one) for one in islice(claims, _WAITERS_SHOWN)), _number(entry, lines)


def _waiter(entry: Entry) -> WaiterView:
    since = 0.0 if entry.claim is None else entry.claim.since
    return WaiterView(entry.locker, entry.mode, since, entry.unit)


def _number(entry: Entry, lines: list[Line]) -> int:
    """Count claims; above and at the lock each has one path, as its paths are apart."""
    below = [] if entry.node is None else entry.node.below or []
    several = [line for line in lines if any(line is other for other in below)]
    number = sum(len(line) for line in lines) - sum(len(line) for line in several)
    return number + len({waiting.ticket for line in several for waiting in line})
