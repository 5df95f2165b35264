"""What has changed in one namespace, in order, for those who watch.

A position is a number that only grows, across restarts too. So much is remembered; who knows less
than that has to read everything anew. Nothing is remembered while nobody watches.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

if TYPE_CHECKING:
    from coordinate_server.model.core import Core

__all__ = [
    "LOCKS",
    "REMEMBERED",
    "SPECS",
    "Change",
    "Feed",
    "Happened",
    "Topic",
    "locks_below",
    "newest_of",
    "units_of",
]

REMEMBERED: Final = 65_536
"""How many changes are remembered."""

_INTEREST: Final = 600.0
"""For so many seconds after somebody watched last changes are remembered."""

_SCANNED: Final = 10_000
"""So many changes are looked at for one call, so that it does not stop all others."""

Topic = tuple[str | bytes, ...]
"""What a change is of: the specs, the units of one spec, or the locks at a path and below it."""

SPECS: Final[Topic] = ("spec",)
LOCKS: Final[Topic] = ("lock",)


def units_of(spec: str) -> Topic:
    """Give the topic of a spec's units, by its name."""
    return "unit", spec


def locks_below(path: tuple[bytes, ...]) -> Topic:
    """Give the topic of the locks at a path and below it."""
    return *LOCKS, *path


@frozen
class Change:
    """One change.

    Arguments:
        topic: what it is of; LOCKS for a lock.
        key: the name, key or path of what has changed.
        state: how it is now; None for gone.
    """

    topic: Topic
    key: Any
    state: tuple[Any, ...] | None

    def topics(self) -> Iterable[Topic]:
        """Give all that it is of."""
        if self.topic != LOCKS:
            return (self.topic,)
        return (locks_below(self.key[:depth]) for depth in range(len(self.key) + 1))


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

    def news(self, after: int) -> Iterator[Change] | None:
        """Give all changes after a position, oldest first; None if they are not remembered."""
        known = self.position - len(self._changes)
        return self._after(after - known) if known <= after else None

    def since(self, after: int, topics: frozenset[Topic], limit: int) -> Happened:
        """Give what has happened to some topics after a position, or up to a further one.

        Arguments:
            after: the position.
            topics: what is of interest.
            limit: how many changes at most.
        """
        known = self.position - len(self._changes)
        if not known <= after <= self.position:
            return Happened(self.position, reset=True, changes=())
        newest: dict[tuple[Topic, Hashable], Change] = {}
        position = after
        for change in islice(self._after(after - known), _SCANNED):
            if any(topic in topics for topic in change.topics()):
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


def newest_of(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Give each thing once, as it was last, in the order in which they changed last."""
    newest: dict[tuple[Topic, Hashable], Change] = {}
    for change in changes:
        place = change.topic, change.key
        newest.pop(place, None)
        newest[place] = change
    return tuple(newest.values())
