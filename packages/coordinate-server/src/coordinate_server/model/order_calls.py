"""The calls that ask something of workers, and tell them."""

from collections.abc import Container, Iterable
from heapq import nsmallest
from typing import TYPE_CHECKING

from coordinate_protocol.constants import IDLE, RUN, TERMINATE
from coordinate_server.model.errors import Refused
from coordinate_server.model.instant import Instant
from coordinate_server.model.modes import EVERYONE, HOST, WORKER, Whose
from coordinate_server.model.order_views import CancelView, HeldView, WorkerOrders, WorkerState
from coordinate_server.model.roster import Roster
from coordinate_server.model.unit import Unit
from coordinate_server.model.workers import Worker

if TYPE_CHECKING:
    from coordinate_server.model.core import Core
    from coordinate_server.model.ground import Ground
    from coordinate_server.model.order_news import OrderNews
    from coordinate_server.model.workers import Workers

__all__ = ["OrderCalls"]

MODES = (RUN, IDLE, TERMINATE)
_MOST_CANCELS = 1000
"""So many units are named to a worker at once; the others when these have ended."""

_MOST_SHOWN = 100
"""So many units of one worker are shown."""


class OrderCalls:
    """What is asked of workers; a part of ``Namespace``."""

    _core: "Core"
    _ground: "Ground"
    workers: "Workers"

    if TYPE_CHECKING:

        def _roster_at(self, at: Instant, name: str) -> Roster: ...

    # ---- modes ----

    def set_modes(
        self,
        at: Instant,
        mode: str,
        worker_ids: Iterable[str] = (),
        hosts: Iterable[str] = (),
        *,
        everyone: bool = False,
    ) -> int:
        """Ask workers to run, to take no more work, or to end.

        Arguments:
            at: the moment.
            mode: what is asked.
            worker_ids: of these workers, as far as they are there.
            hosts: of all workers on these hosts.
            everyone: of all workers.

        Returns:
            How many workers that are there it concerns.

        Raises:
            Refused: there is no such mode.
        """
        if mode not in MODES:
            raise Refused(f"mode {mode!r:.80} is none of {', '.join(MODES)}")
        self._core.run_due(at)
        named, places = dict.fromkeys(worker_ids), dict.fromkeys(hosts)
        whose: list[Whose] = [EVERYONE] if everyone else []
        whose += [(HOST, host) for host in places]
        whose += [(WORKER, name) for name in named if name in self.workers.by_id]
        if whose:
            self.workers.modes.ask(whose, mode)
            self.workers.modes_changed()
        return sum(_concerns(worker, named, places, everyone) for worker in self._there())

    def _there(self) -> Iterable[Worker]:
        return self.workers.by_id.values()

    def asked_modes(self, at: Instant) -> dict[Whose, str]:
        """Give all that is asked, by of whom."""
        self._core.run_due(at)
        return dict(self.workers.modes.kept)

    # ---- what one worker is told ----

    @property
    def order_news(self) -> "OrderNews":
        """Of whom something else may be asked."""
        return self._ground.news

    def orders(self, worker_id: str, children: Iterable[str] = ()) -> WorkerOrders:
        """Give what is asked of a worker.

        Arguments:
            worker_id: its name.
            children: those that it says it has started, besides those that say so themselves.
        """
        worker = self.workers.by_id.get(worker_id)
        packages = worker is not None and worker.wants_packages
        asked = self.workers.modes.of(worker_id)
        if not self._ground.cancels:
            return WorkerOrders(asked, (), packages)
        ids = dict.fromkeys([worker_id, *self.workers.children(worker_id), *children])
        found = [
            CancelView(roster.spec.name, unit.key, unit.attempt, unit.past().cancel)
            for name in ids
            for unit, roster in self._ground.cancels.get(name, {}).items()
        ]
        # The order in which they were handed out, which does not change when leases are renewed.
        found.sort(key=lambda order: order.attempt)
        return WorkerOrders(asked, tuple(found[:_MOST_CANCELS]), packages)

    def parent_of(self, worker_id: str) -> str | None:
        """Give the name of a worker's parent; None if it has none, or is not there."""
        worker = self.workers.by_id.get(worker_id)
        return None if worker is None else worker.parent

    def request_packages(self, at: Instant, worker_ids: Iterable[str]) -> int:
        """Ask workers to say what is installed; how many of them are there."""
        self._core.run_due(at)
        there = [name for name in dict.fromkeys(worker_ids) if name in self.workers.by_id]
        for name in there:
            self.workers.by_id[name].wants_packages = True
            self._ground.news.note(name)
        return len(there)

    # ---- cancelling units ----

    def cancel_units(
        self,
        at: Instant,
        name: str,
        keys: Iterable[bytes],
        reason: str | None = None,
        *,
        now: bool = False,
    ) -> list[str]:
        """End units that nobody is to work on any more.

        Arguments:
            at: the moment.
            name: the spec's name.
            keys: which units.
            reason: why, for people.
            now: whether those who have them lose them at once, and are not waited for.

        Returns:
            For each key ``cancelled``, ``asked`` (of who has it), ``ended`` before, or ``unknown``.

        Raises:
            NoSuchSpec: there is none of that name.
        """
        roster = self._roster_at(at, name)
        why = f"cancelled: {reason}" if reason else "cancelled"
        results = [self._cancel(at, roster, roster.units.get(key), why, now) for key in keys]
        self._core.dependencies.settle(at)
        return results

    def _cancel(self, at: Instant, roster: Roster, unit: Unit | None, why: str, now: bool) -> str:
        return "unknown" if unit is None else roster.cancel(unit, at, why, now=now)

    # ---- workers that are gone, and all of them ----

    def release(self, at: Instant, worker_id: str, lost: Iterable[tuple[str, bytes]] = ()) -> bool:
        """Forget a worker that is gone for good; others can have at once what it had.

        Arguments:
            at: the moment.
            worker_id: its name.
            lost: spec and key of the units that may have ended it: each loses a lease.

        Returns:
            Whether it was known.
        """
        self._core.run_due(at)
        ended = frozenset(lost)
        for unit, roster in list(self._ground.held.get(worker_id, {}).items()):
            if (roster.spec.name, unit.key) in ended:
                roster.expire(unit, at)
            else:
                roster.give_back(unit, at, "released")
        self._core.dependencies.settle(at)
        return self.workers.forget(worker_id)

    def list_workers(
        self,
        at: Instant,
        start: str | None = None,
        limit: int = 100,
        worker_ids: Iterable[str] | None = None,
        host: str | None = None,
    ) -> tuple[list[WorkerState], str | None]:
        """Give workers by name, and the name of the next one or None.

        Arguments:
            at: the moment.
            start: the first name wanted; None for the very first.
            limit: how many at most.
            worker_ids: these and no others; None for all.
            host: those on this host; None for all.
        """
        self._core.run_due(at)
        by_id = self.workers.by_id
        names = by_id if worker_ids is None else {name for name in worker_ids if name in by_id}
        wanted = (name for name in names if start is None or name >= start)
        if host is not None:
            wanted = (name for name in wanted if host in by_id[name].hosts)
        found = nsmallest(limit + 1, wanted)
        states = [self._state(by_id[name]) for name in found[:limit]]
        return states, found[limit] if len(found) > limit else None

    def _state(self, worker: Worker) -> WorkerState:
        held = self._ground.held.get(worker.worker_id, {})
        units = tuple(
            HeldView(
                roster.spec.name,
                unit.key,
                unit.attempt,
                unit.deadline,
                unit.began,
                None if unit.history is None else unit.history.cancel,
            )
            for unit, roster in _first(held.items(), _MOST_SHOWN)
        )
        asked = self.workers.modes.of(worker.worker_id)
        host = worker.hosts[0] if worker.hosts else None
        return WorkerState(worker.view(), asked, host, units, len(held))


def _first(held: Iterable[tuple[Unit, Roster]], most: int) -> Iterable[tuple[Unit, Roster]]:
    return (pair for pair, _ in zip(held, range(most), strict=False))


def _concerns(
    worker: Worker, named: Container[str | None], places: Container[str], everyone: bool
) -> bool:
    if everyone or worker.worker_id in named or worker.parent in named:
        return True
    return any(host in places for host in worker.hosts)
