"""What waits for what, said as plainly as possible: a dict of edges, walked on every question."""

from itertools import pairwise

from tests.model.oracle import AVAILABLE, DELAYED, FAILED, FINISHED

BLOCKED = 2
RESTING = (AVAILABLE, BLOCKED, DELAYED)


class Edges:
    """Who needs whom; a unit is (spec, key), and ``statuses`` gives the status of each."""

    def __init__(self, statuses):
        self._statuses = statuses
        self.needs = {}

    def of(self, later):
        """Give {earlier: hard} of a unit."""
        return self.needs.get(later, {})

    def dependents(self, earlier):
        """Who needs a unit itself, not by way of others."""
        return sorted(later for later, needed in self.needs.items() if earlier in needed)

    def add(self, later, earlier, hard):
        """One that is there stays, and hard wins."""
        needed = self.needs.setdefault(later, {})
        needed[earlier] = needed.get(earlier, False) or hard

    def forget(self, unit):
        """A unit is gone, and with it every edge from and to it."""
        self.needs.pop(unit, None)
        for needed in self.needs.values():
            needed.pop(unit, None)

    def met(self, later, earlier):
        status = self._statuses(earlier)
        return status == FINISHED or (status == FAILED and not self.needs[later][earlier])

    def unmet(self, later):
        """What a unit still waits for."""
        return [earlier for earlier in self.of(later) if not self.met(later, earlier)]

    def culprits(self, later):
        """What a unit needs, and has failed."""
        return [
            earlier
            for earlier, hard in self.of(later).items()
            if hard and self._statuses(earlier) == FAILED
        ]

    def beyond(self, later):
        """Everything that a unit needs, also by way of others."""
        found, waiting = set(), [later]
        while waiting:
            for earlier in self.of(waiting.pop()):
                if earlier not in found:
                    found.add(earlier)
                    waiting.append(earlier)
        return found

    def cyclic(self, edges):
        """Whether these edges, with those there are, would close a cycle."""
        saved = {later: dict(needed) for later, needed in self.needs.items()}
        for later, earlier, hard in edges:
            self.add(later, earlier, hard)
        found = any(later in self.beyond(later) for later in self.needs)
        self.needs = saved
        return found

    def is_cycle(self, path, edges):
        """Whether each unit of a path needs the next, by an edge there is or one of these."""
        there = {(later, earlier) for later, earlier, _ in edges}
        steps = list(pairwise(path))
        return (
            len(path) > 1
            and path[0] == path[-1]
            and all(step in there or step[1] in self.of(step[0]) for step in steps)
        )
