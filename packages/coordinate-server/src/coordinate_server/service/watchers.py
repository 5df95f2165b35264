"""Clients that wait for something to change."""

from collections.abc import Callable, Mapping

from attrs import define, field

from coordinate_server.model import Namespace
from coordinate_server.model.feed import Change, Feed, Happened, Topic, newest_of
from coordinate_server.service.clock import Clock
from coordinate_server.service.waiting import Later, Pending, Timer

__all__ = ["Interest", "Watchers"]


@define(eq=False)
class Interest:
    """What a client watches.

    Arguments:
        topics: what it is.
        limit: how many changes are answered at once.
    """

    topics: frozenset[Topic]
    limit: int


@define(eq=False)
class _Watcher:
    """A client that waits.

    Arguments:
        interest: what it watches.
        pending: its answer.
        timer: ends the wait.
    """

    interest: Interest
    pending: Pending
    timer: Timer


@define(eq=False)
class _Watched:
    """One namespace that is watched.

    Arguments:
        namespace: the namespace.
        seen: the position up to which everybody who waits was told.
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
        if namespace not in self._watched:
            self._watched[namespace] = _Watched(namespace, feed.position)
        if after is None:
            return Happened(feed.position, reset=False, changes=())
        return feed.since(after, interest.topics, interest.limit)

    def wait(self, namespace: Namespace, interest: Interest, seconds: float) -> Pending:
        """Wait for something to happen after the position now.

        Gives what is settled with ``Happened``, after so many seconds without a change.
        """
        watched = self._watched[namespace]
        # So that everybody who waits has seen the same.
        self._tell(watched)
        pending = Pending(
            lambda: self._remove(watched, watcher), lambda: self._give_up(watched, watcher)
        )
        timer = self.later(seconds, lambda: self._give_up(watched, watcher))
        watcher = _Watcher(interest, pending, timer)
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
            self._tell(watched)

    def _rests(self, watched: _Watched) -> bool:
        watched.namespace.feed.rest(self.clock.instant().now)
        if not watched.namespace.feed.on:
            del self._watched[watched.namespace]
            return True
        return False

    def _tell(self, watched: _Watched) -> None:
        feed, seen = watched.namespace.feed, watched.seen
        if feed.position == seen:
            return
        watched.seen = feed.position
        if not watched.watchers:
            return
        news = feed.news(seen)
        if news is None:
            for watcher in _all(watched.watchers):
                self._settle(watched, watcher, Happened(feed.position, reset=True, changes=()))
            return
        by_topic: dict[Topic, list[Change]] = {}
        for change in news:
            for topic in change.topics():
                if topic in watched.watchers:
                    by_topic.setdefault(topic, []).append(change)
        told = {topic: newest_of(changes) for topic, changes in by_topic.items()}
        for watcher in _all({topic: watched.watchers[topic] for topic in told}):
            self._settle(watched, watcher, _happened(feed, seen, watcher.interest, told))

    def _give_up(self, watched: _Watched, watcher: _Watcher) -> None:
        # What has happened since the last commit is told by the next call.
        self._settle(watched, watcher, Happened(watched.seen, reset=False, changes=()))
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


def _all(watchers: Mapping[Topic, Mapping[_Watcher, None]]) -> list[_Watcher]:
    return list({watcher: None for found in watchers.values() for watcher in found})


def _happened(
    feed: Feed, seen: int, interest: Interest, told: Mapping[Topic, tuple[Change, ...]]
) -> Happened:
    """Put together what a watcher of some topics is told; mostly it is of one."""
    concerned = [told[topic] for topic in interest.topics if topic in told]
    if len(concerned) == 1 and len(concerned[0]) <= interest.limit:
        return Happened(feed.position, reset=False, changes=concerned[0])
    return feed.since(seen, interest.topics, interest.limit)
