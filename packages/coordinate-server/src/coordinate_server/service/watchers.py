"""Clients that wait for something to change."""

from collections.abc import Callable

from attrs import define, field

from coordinate_server.model import Namespace
from coordinate_server.model.feed import Change, Happened, Topic
from coordinate_server.service.clock import Clock
from coordinate_server.service.waiting import Later, Pending, Timer

__all__ = ["Interest", "Watchers"]


@define(eq=False)
class Interest:
    """What a client watches.

    Arguments:
        topics: of what changes may be of interest.
        wanted: whether one is.
        limit: how many are answered at once.
    """

    topics: frozenset[Topic]
    wanted: Callable[[Change], bool]
    limit: int


@define(eq=False)
class _Watcher:
    """A client that waits.

    Arguments:
        interest: what it watches.
        after: what it has seen, or is of no interest to it.
        pending: its answer.
        timer: ends the wait.
    """

    interest: Interest
    after: int
    pending: Pending
    timer: Timer


@define(eq=False)
class _Watched:
    """One namespace that is watched.

    Arguments:
        namespace: the namespace.
        seen: the position up to which everybody was told.
    """

    namespace: Namespace
    seen: int
    watchers: dict[Topic, dict[_Watcher, None]] = field(factory=dict, init=False)


@define
class Watchers:
    """Tells those who wait what has changed; a change costs only those whose it is.

    Arguments:
        clock: gives the moment.
        later: calls a function after so many seconds.
        changed: called when an answer leaves that nothing has changed for.
    """

    clock: Clock
    later: Later
    changed: Callable[[], None]
    _watched: dict[Namespace, _Watched] = field(factory=dict, init=False)

    def look(self, namespace: Namespace, interest: Interest, after: int | None) -> Happened:
        """Give what has happened after a position; without one, the position now."""
        feed = namespace.feed
        feed.watch(self.clock.instant().now)
        self._watched.setdefault(namespace, _Watched(namespace, feed.position))
        if after is None:
            return Happened(feed.position, reset=False, changes=())
        return feed.since(after, interest.wanted, interest.limit)

    def wait(self, namespace: Namespace, interest: Interest, after: int, seconds: float) -> Pending:
        """Wait for something to happen after a position up to which nothing of interest has.

        Gives what is settled with ``Happened``, after so many seconds without a change.
        """
        watched = self._watched[namespace]
        pending = Pending(
            lambda: self._remove(watched, watcher), lambda: self._give_up(watched, watcher)
        )
        timer = self.later(seconds, lambda: self._give_up(watched, watcher))
        watcher = _Watcher(interest, after, pending, timer)
        for topic in interest.topics:
            watched.watchers.setdefault(topic, {})[watcher] = None
        return pending

    def serve(self) -> None:
        """Tell what has happened."""
        for watched in list(self._watched.values()):
            feed = watched.namespace.feed
            if watched.watchers:
                feed.watch(self.clock.instant().now)
            elif self._rests(watched):
                continue
            if feed.position != watched.seen:
                self._tell(watched)

    def _rests(self, watched: _Watched) -> bool:
        watched.namespace.feed.rest(self.clock.instant().now)
        if not watched.namespace.feed.on:
            del self._watched[watched.namespace]
            return True
        return False

    def _tell(self, watched: _Watched) -> None:
        feed = watched.namespace.feed
        told: dict[_Watcher, None] = {}
        topics = feed.topics_since(watched.seen)
        for topic in watched.watchers if topics is None else topics:
            told |= watched.watchers.get(topic, {})
        watched.seen = feed.position
        for watcher in told:
            interest = watcher.interest
            happened = feed.since(watcher.after, interest.wanted, interest.limit)
            if happened.changes or happened.reset:
                self._settle(watched, watcher, happened)
            else:
                watcher.after = happened.position

    def _give_up(self, watched: _Watched, watcher: _Watcher) -> None:
        interest = watcher.interest
        happened = watched.namespace.feed.since(watcher.after, interest.wanted, interest.limit)
        self._settle(watched, watcher, happened)
        self.changed()

    def _settle(self, watched: _Watched, watcher: _Watcher, happened: Happened) -> None:
        self._remove(watched, watcher)
        watcher.pending.settle(happened)

    def _remove(self, watched: _Watched, watcher: _Watcher) -> None:
        watcher.timer.cancel()
        for topic in watcher.interest.topics:
            watchers = watched.watchers.get(topic, {})
            watchers.pop(watcher, None)
            if not watchers:
                watched.watchers.pop(topic, None)
