"""The workers of one namespace: who is there, in which mode, for how long still."""

from collections import Counter
from typing import TYPE_CHECKING

from attrs import define

from coordinate_server.model.calls import WorkerView
from coordinate_server.model.rows import worker_key, worker_row

if TYPE_CHECKING:
    from coordinate_server.model.core import Core

__all__ = ["Worker", "Workers"]

_NOTHING_SAID = b"\xa0"


@define(eq=False)
class Worker:
    """A worker that has registered.

    Arguments:
        worker_id: its name.
        mode: what it says it does.
        parent: its parent's name or None.
        heard: when it was last heard of, on ``now``.
        expiry: when it is forgotten, on ``now``; None for never.
        data: what its last heartbeat said, as CBOR; this does not survive a restart.
        newest: the attempt that its newest hand-out began with; nor does this.
    """

    worker_id: str
    mode: str
    parent: str | None
    heard: float
    expiry: float | None
    data: bytes = _NOTHING_SAID
    newest: int = 0

    def row(self) -> bytes:
        """Write it down."""
        return worker_row(self.mode, self.parent, self.heard, self.expiry)

    def view(self) -> WorkerView:
        """Give what is known of it."""
        return WorkerView(
            self.worker_id, self.mode, self.parent, self.data, self.heard, self.expiry
        )


class Workers:
    """The workers of a namespace.

    Arguments:
        core: what the model shares.
        namespace: the namespace's name.
    """

    def __init__(self, core: "Core", namespace: str) -> None:
        self._core = core
        self._namespace = namespace
        self.by_id: dict[str, Worker] = {}
        self._children: dict[str, dict[str, None]] = {}

    def put(self, worker: Worker) -> None:
        """Take a worker in, in place of one of the same name."""
        known = self.by_id.get(worker.worker_id)
        if known is not None:
            worker.newest = known.newest
        self.take_in(worker)
        self._core.ledger.worker(worker_key(self._namespace, worker.worker_id), worker.row)

    def take_in(self, worker: Worker) -> None:
        """Do as ``put``, for a worker that is written down already."""
        self._unlink(worker.worker_id)
        self.by_id[worker.worker_id] = worker
        if worker.parent is not None:
            self._children.setdefault(worker.parent, {})[worker.worker_id] = None
        if worker.expiry is not None:
            self._core.expiries.add(worker.expiry, (self, worker))

    def forget(self, worker_id: str) -> bool:
        """Forget a worker; whether it was known."""
        if worker_id not in self.by_id:
            return False
        self._unlink(worker_id)
        self._core.ledger.worker(worker_key(self._namespace, worker_id), None)
        return True

    def _unlink(self, worker_id: str) -> None:
        worker = self.by_id.pop(worker_id, None)
        if worker is None or worker.parent is None:
            return
        siblings = self._children[worker.parent]
        del siblings[worker_id]
        if not siblings:
            del self._children[worker.parent]

    def handed(self, worker_id: str, attempt: int) -> None:
        """Note that a worker, if it is known, got units of this attempt and later ones."""
        worker = self.by_id.get(worker_id)
        if worker is not None:
            worker.newest = attempt

    def children(self, parent: str) -> list[str]:
        """Give the names of a worker's children."""
        return list(self._children.get(parent, ()))

    def modes(self) -> dict[str, str]:
        """Give the mode of each."""
        return {worker.worker_id: worker.mode for worker in self.by_id.values()}

    def mode_counts(self) -> dict[str, int]:
        """Give how many are in each mode."""
        return dict(Counter(worker.mode for worker in self.by_id.values()))

    def stats(self) -> dict[str, int]:
        """Give how many there are, have a parent, and can expire."""
        workers = self.by_id.values()
        return {
            "num_workers": len(workers),
            "num_children": sum(worker.parent is not None for worker in workers),
            "num_expirable": sum(worker.expiry is not None for worker in workers),
        }
