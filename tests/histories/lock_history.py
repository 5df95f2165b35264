"""Checks what was recorded of locks: linearizable, over each set of paths that calls connect."""

from collections.abc import Iterable, Iterator

from attrs import frozen

from tests.histories import lock_model
from tests.histories.events import Call
from tests.histories.linearizability import Operation, Outcome, search
from tests.histories.lock_calls import paths_of
from tests.histories.lock_operations import operations_of
from tests.histories.restarts import Restart, restarts_of
from tests.histories.unit_locks import calls_for_locks

CHANGING = {"lock", "locksome", "renew", "unlock", "force_unlock"}


@frozen
class Component:
    """Paths that calls connect.

    Arguments:
        paths: every path of it that a call named.
        outcome: what the search for an order found.
    """

    paths: frozenset[tuple]
    outcome: Outcome


def check_locks(calls: Iterable[Call]) -> Iterator[Component]:
    """Search for an order of the calls, component by component."""
    calls = list(calls)
    changing = [call for call in calls if call.kind in CHANGING] + list(calls_for_locks(calls))
    restarts = restarts_of(calls)
    for paths in connected(paths_of(call) for call in changing):
        inside = [call for call in changing if paths.issuperset(paths_of(call))]
        operations = operations_of(inside, calls, paths)
        operations += [_restart(restart) for restart in restarts]
        yield Component(paths, search(operations, lock_model.NOTHING))


def _restart(restart: Restart) -> Operation:
    step = lock_model.restarted(restart)
    return Operation(restart.call, restart.killed, restart.ready, step)


def connected(groups: Iterable[Iterable[tuple]]) -> list[frozenset[tuple]]:
    """Put together what one call names, and what is under one another."""
    named = [frozenset(group) for group in groups]
    above: dict[tuple, tuple] = {path: path for group in named for path in group}

    def find(path: tuple) -> tuple:
        while above[path] != path:
            path = above[path]
        return path

    for group in named:
        first = next(iter(group))
        # Each path, and what is named of that which it is under.
        for part in [path[:depth] for path in group for depth in range(1, len(path) + 1)]:
            if part in above:
                above[find(part)] = find(first)
    found: dict[tuple, set[tuple]] = {}
    for path in above:
        found.setdefault(find(path), set()).add(path)
    return [frozenset(paths) for paths in found.values()]
