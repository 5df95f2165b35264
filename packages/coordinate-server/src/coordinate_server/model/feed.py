"""What has changed in one namespace, in order, for those who watch.

A position is a number that only grows, across restarts too. So much is remembered; who knows less
than that has to read everything anew. Nothing is remembered while nobody watches.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

if TYPE_CHECKING:
    from coordinate_server.model.core import Core

__all__ = ["LOCKS", "REMEMBERED", "SPECS", "Change", "Feed", "Happened", "Topic", "units_of"]

REMEMBERED: Final = 65_536
"""How many changes are remembered."""

_INTEREST: Final = 600.0
"""For so many seconds after somebody watched last changes are remembered."""

Topic = tuple[str, ...]
"""What a change is of: the specs, the units of one spec, or the locks."""

SPECS: Final[Topic] = ("spec",)
LOCKS: Final[Topic] = ("lock",)


def units_of(spec: str) -> Topic:
    """Give the topic of a spec's units, by its name."""
    return "unit", spec


@frozen
class Change:
    """One change.

    Arguments:
        topic: what it is of.
        key: the name, key or path of what has changed.
        state: how it is now; None for gone.
    """

    topic: Topic
    key: Any
    state: tuple[Any, ...] | None


@frozen
class Happened:
    """What has happened since a position.

    Arguments:
        position: where to go on from.
        reset: whether something may have happened that is not remembered.
        changes: what has, oldest first, each thing once.
    """

    position: int
    reset: bool
    changes: tuple[Change, ...]


class Feed:
    """The changes of one namespace.

    Arguments:
        core: what the model shares; its counter is where positions begin.
    """

    def __init__(self, core: "Core") -> None:
        self._core = core
        self.on = False
        self._until = 0.0
        # Position of the last change; 0 until somebody watches.
        self.position = 0
        self._changes: deque[Change] = deque(maxlen=REMEMBERED)

    def note(self, topic: Topic, key: Hashable, state: tuple[Any, ...] | None) -> None:
        """Note a change, if anybody watches."""
        if self.on:
            self.position += 1
            self._changes.append(Change(topic, key, state))

    def watch(self, now: float) -> None:
        """Take note that somebody watches, at a moment on ``now``."""
        self._until = now + _INTEREST
        if not self.on:
            # Higher than any position there was: time goes faster than changes do.
            self.position = max(self.position + 1, self._core.next_attempt())
            self.on = True

    def rest(self, now: float) -> None:
        """Remember nothing more, if nobody has watched for long."""
        if self.on and now >= self._until:
            self.on = False
            self._changes.clear()

    def forget(self) -> None:
        """Have everybody read everything anew: too much has changed to tell one by one."""
        self.position += 1
        self._changes.clear()

    def topics_since(self, after: int) -> frozenset[Topic] | None:
        """Give what has changed after a position; None for what is not remembered."""
        known = self.position - len(self._changes)
        if after < known:
            return None
        return frozenset(change.topic for change in self._after(after - known))

    def since(self, after: int, wanted: Callable[[Change], bool], limit: int) -> Happened:
        """Give what has happened after a position.

        Arguments:
            after: the position.
            wanted: whether a change is of interest.
            limit: how many changes at most.
        """
        known = self.position - len(self._changes)
        if not known <= after <= self.position:
            return Happened(self.position, reset=True, changes=())
        newest: dict[tuple[Topic, Hashable], Change] = {}
        position = after
        for change in self._after(after - known):
            if wanted(change):
                place = change.topic, change.key
                if place not in newest and len(newest) >= limit:
                    break
                newest.pop(place, None)
                newest[place] = change
            position += 1
        return Happened(position, reset=False, changes=tuple(newest.values()))

    def _after(self, skipped: int) -> Iterator[Change]:
        """Give the changes behind the first so many; from the end that is nearer."""
        wanted = len(self._changes) - skipped
        if wanted > skipped:
            return islice(self._changes, skipped, None)
        return reversed(list(islice(reversed(self._changes), wanted)))
