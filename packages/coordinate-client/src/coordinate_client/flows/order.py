"""Which unit goes before which. Nothing here recurses: a chain may have as many units as a file."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coordinate_client.flows.parts import Unit, UnitName, called

__all__ = ["cycle_text", "cycles", "runs", "targets_first"]

MOST_NAMED = 20


def cycles(units: Mapping[UnitName, Unit]) -> Iterator[list[UnitName]]:
    """The cycles among units: at least one of every knot.

    Yields:
        Units that each need the next; the first is the last, too.
    """
    clear: set[UnitName] = set()
    for start in units:
        if start in clear:
            continue
        path = {start: 0}
        left = [iter(units[start].needs)]
        while left:
            for need in left[-1]:
                earlier = need.earlier
                if earlier in path:
                    yield [*list(path)[path[earlier] :], earlier]
                elif earlier in units and earlier not in clear:
                    path[earlier] = len(path)
                    left.append(iter(units[earlier].needs))
                    break
            else:
                left.pop()
                clear.add(path.popitem()[0])


def cycle_text(path: Sequence[UnitName]) -> str:
    """A cycle in one line, as the server tells it; the middle of a long one is left out."""
    if len(path) == 2:  # noqa: PLR2004 - the first and the last, which are the same
        return f"work unit {called(path[0])} needs itself"
    texts = [called(name) for name in path]
    if len(texts) > MOST_NAMED:
        half = MOST_NAMED // 2
        texts[half:-half] = [f"({len(texts) - 2 * half} more)"]
    return f"cycle of dependencies: {' -> '.join(texts)}"


def runs(units: Mapping[UnitName, Unit]) -> Iterator[list[Unit]]:
    """The units such that none comes before one that it needs, in runs of one spec each.

    A run holds all units of its spec that can go by then: the fewer runs, the fewer calls. Among
    specs and within one, the order is the one that was given.

    Arguments:
        units: without cycles; what they need of others is not looked at.
    """
    waits: dict[UnitName, int] = {}
    later: dict[UnitName, list[Unit]] = {}
    ready: dict[str, deque[Unit]] = {}
    for name, unit in units.items():
        inside = [need.earlier for need in unit.needs if need.earlier in units]
        waits[name] = len(inside)
        for earlier in inside:
            later.setdefault(earlier, []).append(unit)
        queue = ready.setdefault(unit.spec, deque())
        if not inside:
            queue.append(unit)
    while any(ready.values()):
        queue = next(queue for queue in ready.values() if queue)
        run: list[Unit] = []
        while queue:
            unit = queue.popleft()
            run.append(unit)
            for waiting in later.get(unit.name, ()):
                waits[waiting.name] -= 1
                if not waits[waiting.name]:
                    ready[waiting.spec].append(waiting)
        yield run


def targets_first(specs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names of specs, each after the one that its `then` names; a loop begins anywhere."""
    placed: dict[str, None] = {}
    for start in specs:
        chain: dict[str, None] = {}
        name: Any = start
        while name in specs and name not in placed and name not in chain:
            chain[name] = None
            name = specs[name].get("then")
        placed.update(dict.fromkeys(reversed(chain)))
    return list(placed)
