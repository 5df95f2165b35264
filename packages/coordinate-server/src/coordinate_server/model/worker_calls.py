"""The calls about workers."""

from typing import TYPE_CHECKING

from coordinate_server.model.additions import check_data
from coordinate_server.model.calls import HeldUnit, Presence, WorkerView
from coordinate_server.model.instant import Instant
from coordinate_server.model.numbers import check_number
from coordinate_server.model.workers import Worker

if TYPE_CHECKING:
    from coordinate_server.model.core import Core
    from coordinate_server.model.ground import Ground
    from coordinate_server.model.workers import Workers

__all__ = ["WorkerCalls"]

_ALONE = Presence()


class WorkerCalls:
    """Who is there, in which mode, with what in its hands; a part of ``Namespace``."""

    _core: "Core"
    _ground: "Ground"
    workers: "Workers"

    def heartbeat(
        self,
        at: Instant,
        worker_id: str,
        mode: str,
        expire_seconds: float | None,
        data: bytes,
        around: Presence = _ALONE,
    ) -> None:
        """Register a worker or renew it.

        Arguments:
            at: the moment.
            worker_id: its name.
            mode: what it does.
            expire_seconds: how long this holds; None for ever.
            data: what it says, as CBOR.
            around: its parent, its children and its host.

        Raises:
            Refused: the time is no number or below zero, or the data are too large.
        """
        if expire_seconds is not None:
            check_number("expire_seconds", expire_seconds, 0)
        check_data(data + (around.packages or b""), self._core.settings)
        self._core.run_due(at)
        expiry = None if expire_seconds is None else at.now + expire_seconds
        worker = Worker(worker_id, mode, around.parent, at.now, expiry, data, hosts=around.hosts)
        worker.packages = around.packages
        self.workers.put(worker)
        for child in around.children:
            self.workers.extend(child, at.now, expiry)

    def unregister(self, at: Instant, worker_id: str) -> bool:
        """Forget a worker; whether it was known."""
        self._core.run_due(at)
        return self.workers.forget(worker_id)

    def worker_modes(self, at: Instant) -> dict[str, str]:
        """Give the mode of each worker that has not expired."""
        self._core.run_due(at)
        return self.workers.modes_told()

    def worker_info(self, at: Instant, worker_id: str) -> WorkerView | None:
        """Give what is known of a worker, or None."""
        self._core.run_due(at)
        worker = self.workers.by_id.get(worker_id)
        return None if worker is None else worker.view()

    def mode_counts(self, at: Instant) -> dict[str, int]:
        """Give how many workers are in each mode."""
        self._core.run_due(at)
        return self.workers.mode_counts()

    def child_units(self, at: Instant, parent: str) -> dict[str, list[HeldUnit]]:
        """Give what each child of a worker has in its hands, of its newest hand-out.

        0.1.5's parents stop a child whose lease is over; what it was given before and neither
        ended nor gave back is none of its business any more.
        """
        self._core.run_due(at)
        return {child: self._units_of(child) for child in self.workers.children(parent)}

    def _units_of(self, worker_id: str) -> list[HeldUnit]:
        newest = self.workers.by_id[worker_id].newest
        return [
            HeldUnit(roster.spec.name, unit.key, unit.data, worker_id, unit.deadline or 0)
            for unit, roster in self._ground.held.get(worker_id, {}).items()
            if unit.attempt >= newest
        ]

    def worker_stats(self, at: Instant) -> dict[str, int]:
        """Give how many workers there are, have a parent, and can expire."""
        self._core.run_due(at)
        return self.workers.stats()
