"""Workers that wait for work, in the order in which they asked."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from heapq import heapify, heappop, heappush
from itertools import count

from attrs import define, field

from coordinate_server.model import Instant, Namespace
from coordinate_server.model.calls import HandOut, WorkRequest
from coordinate_server.service.clock import Clock
from coordinate_server.service.waiting import Later, Pending, Timer

__all__ = ["Asker", "WaitingLines"]

_LOG = logging.getLogger("coordinate.server")


@define
class Asker:
    """A worker that asks for work.

    Arguments:
        namespace: where.
        worker_id: its name.
        request: what it asks for.
        message: what was changed about that, for people.
        attempts: whether it wants to know the attempts of its units.
    """

    namespace: Namespace
    worker_id: str
    request: WorkRequest
    message: str | None
    attempts: bool


@define(eq=False)
class _Waiter:
    """An asker that waits.

    Arguments:
        asker: the asker.
        ticket: the order in which it came.
        pending: its answer.
        timer: ends the wait.
        way: how it asks, as its line has it.
    """

    asker: Asker
    ticket: int
    pending: Pending
    timer: Timer
    way: Hashable = None


@define(eq=False)
class _Line:
    """Who waits in one namespace, by the way in which they ask.

    Those who ask alike get the same work, so where there is none for the first of them, there is
    none for the others: what changes costs as much as there are ways of asking, not workers.
    """

    namespace: Namespace
    ways: dict[Hashable, OrderedDict[int, _Waiter]] = field(factory=dict, init=False)
    version: int = field(default=-1, init=False)

    def add(self, waiter: _Waiter) -> None:
        asker = waiter.asker
        way = waiter.way = self.namespace.way_of_asking(asker.request, asker.worker_id)
        self.ways.setdefault(way, OrderedDict())[waiter.ticket] = waiter

    def remove(self, waiter: _Waiter) -> None:
        waiters = self.ways.get(waiter.way, OrderedDict())
        if waiters.pop(waiter.ticket, None) is not None and not waiters:
            del self.ways[waiter.way]

    def sort_anew(self) -> None:
        """Look again who asks alike: that depends on the specs that there are."""
        if self.version == self.namespace.specs_version:
            return
        waiting = [w for waiters in self.ways.values() for w in waiters.values()]
        self.ways.clear()
        for waiter in sorted(waiting, key=lambda waiter: waiter.ticket):
            self.add(waiter)
        self.version = self.namespace.specs_version

    def may_want(self, way: Hashable, names: frozenset[str] | None) -> bool:
        """Whether specs of some names, None for any, may have work for those who ask so."""
        wanted = self.first(way).asker.request.spec_names
        return names is None or wanted is None or not wanted.isdisjoint(names)

    def first(self, way: Hashable) -> _Waiter:
        return next(iter(self.ways[way].values()))


@define
class WaitingLines:
    """Hands work to those who wait for it, when there is any.

    Arguments:
        clock: gives the moment.
        later: calls a function after so many seconds, unless what it gives is cancelled.
        changed: called when something has changed that nobody called for.
    """

    clock: Clock
    later: Later
    changed: Callable[[], None]
    _lines: dict[Namespace, _Line] = field(factory=dict, init=False)
    _tickets: "count[int]" = field(factory=count, init=False)
    # How often somebody was asked for who turned out to get nothing; tests count it.
    tries: int = field(default=0, init=False)

    def get_work(self, at: Instant, asker: Asker) -> list[HandOut]:
        """Hand out what there is for a worker, once those who wait have got theirs."""
        line = self._lines.get(asker.namespace)
        if line is not None and asker.namespace.stirred:
            self._serve_line(at, line)
        return asker.namespace.get_work(at, asker.worker_id, asker.request)

    def wait(self, until: float, asker: Asker) -> Pending:
        """Have a worker wait for work.

        Arguments:
            until: when it has waited long enough, on ``now``.
            asker: the worker.

        Returns:
            What is settled with a list of what was handed out, an empty one when the time is over.
        """
        line = self._lines.get(asker.namespace)
        if line is None:
            line = self._lines[asker.namespace] = _Line(asker.namespace)
        pending = Pending(lambda: self._remove(waiter), lambda: self._give_up(waiter))
        seconds = max(0.0, until - self.clock.instant().now)
        timer = self.later(seconds, lambda: self._give_up(waiter))
        waiter = _Waiter(asker, next(self._tickets), pending, timer)
        line.sort_anew()
        line.add(waiter)
        return pending

    def serve(self) -> None:
        """Hand out what has come, in all namespaces in which somebody waits."""
        for line in list(self._lines.values()):
            if line.namespace.stirred:
                self._serve_line(self.clock.instant(), line)
                if line.namespace.stirred:
                    self.changed()

    def _serve_line(self, at: Instant, line: _Line) -> None:
        """Ask for the first of each way, oldest first, until there is nothing for any of them."""
        names = line.namespace.take_stirred()
        line.sort_anew()
        heads = [(line.first(way).ticket, way) for way in line.ways if line.may_want(way, names)]
        order = [(ticket, number) for number, (ticket, _) in enumerate(heads)]
        heapify(order)
        while order:
            _, number = heappop(order)
            way = heads[number][1]
            self.tries += 1
            if self._serve_one(at, line, line.first(way)) and way in line.ways:
                heappush(order, (line.first(way).ticket, number))

    def _serve_one(self, at: Instant, line: _Line, waiter: _Waiter) -> bool:
        asker = waiter.asker
        try:
            found: list[HandOut] | Exception
            found = line.namespace.get_work(at, asker.worker_id, asker.request)
        except Exception as error:  # noqa: BLE001 - logged, and told to whom it concerns
            # It is the answer to this call; all that others did goes on to be committed.
            _LOG.exception("work for %r, who waits", asker.worker_id)
            found = error
        if found:
            self._remove(waiter)
            waiter.pending.settle(found)
        return bool(found)

    def _give_up(self, waiter: _Waiter) -> None:
        self._remove(waiter)
        waiter.pending.settle([])
        self.changed()

    def _remove(self, waiter: _Waiter) -> None:
        waiter.timer.cancel()
        line = self._lines.get(waiter.asker.namespace)
        if line is None:
            return
        line.remove(waiter)
        if not line.ways:
            del self._lines[waiter.asker.namespace]

    def take_back(self, namespace: Namespace, found: Sequence[HandOut]) -> None:
        """Take units back that never reached their worker; others can have them at once."""
        at = self.clock.instant()
        for unit in found:
            namespace.take_back(at, unit.spec, unit.key, unit.attempt)
        self.changed()
