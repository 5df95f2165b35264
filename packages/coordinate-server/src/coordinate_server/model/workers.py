"""The workers of one namespace: who is there, in which mode, for how long still."""

from collections import Counter
from typing import TYPE_CHECKING

from attrs import define

from coordinate_protocol.constants import RUN
from coordinate_server.model.calls import WorkerView
from coordinate_server.model.modes import WORKER, AskedModes
from coordinate_server.model.rows import worker_key, worker_row

if TYPE_CHECKING:
    from coordinate_server.model.core import Core
    from coordinate_server.model.ground import Ground

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
        hosts: the names of the machine that it says it is on.
        wants_packages: whether it is to say what is installed; nor does this.
        packages: what it last said that is installed, as CBOR; nor does this.
    """

    worker_id: str
    mode: str
    parent: str | None
    heard: float
    expiry: float | None
    data: bytes = _NOTHING_SAID
    newest: int = 0
    hosts: tuple[str, ...] = ()
    wants_packages: bool = False
    packages: bytes | None = None

    def row(self) -> bytes:
        """Write it down."""
        return worker_row(self.mode, self.parent, self.heard, self.expiry, self.hosts)

    def place(self) -> tuple[str | None, tuple[str, ...], bool]:
        """Give what its orders rest on, and those of who started it."""
        return self.parent, self.hosts, self.wants_packages

    def view(self) -> WorkerView:
        """Give what is known of it."""
        return WorkerView(
            self.worker_id,
            self.mode,
            self.parent,
            self.data,
            self.heard,
            self.expiry,
            self.packages,
        )


class Workers:
    """The workers of a namespace.

    Arguments:
        core: what the model shares.
        ground: what the specs of its namespace share.
    """

    def __init__(self, core: "Core", ground: "Ground") -> None:
        self._core = core
        self._ground, self._namespace = ground, ground.name
        self.by_id: dict[str, Worker] = {}
        self.modes = AskedModes(core.ledger, ground.name, self.by_id)
        self._children: dict[str, dict[str, None]] = {}

    def put(self, worker: Worker) -> None:
        """Take a worker in, in place of one of the same name."""
        known = self.by_id.get(worker.worker_id)
        if known is not None:
            worker.newest = known.newest
            worker.wants_packages = known.wants_packages and worker.packages is None
            worker.packages = worker.packages or known.packages
        self.take_in(worker)
        if known is None or known.place() != worker.place():
            self._moved(known, worker)
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
        known = self.by_id.get(worker_id)
        if known is None:
            return False
        self._unlink(worker_id)
        self._core.ledger.worker(worker_key(self._namespace, worker_id), None)
        self._moved(known)
        self.modes.take_away((WORKER, worker_id))
        return True

    def _moved(self, *versions: Worker | None) -> None:
        """Note that orders may differ: a worker came, went, or is elsewhere."""
        for worker in versions:
            if worker is not None:
                self._ground.news.note(worker.worker_id)
            if worker is not None and worker.parent is not None:
                self._ground.news.note(worker.parent)
        if self.modes.kept:
            self.modes_changed()

    def modes_changed(self) -> None:
        """Note that other modes may be asked of workers than before."""
        self.modes.version += 1
        self._ground.news.note_all()
        # Those who wait for work may get some now.
        self._ground.stirred = None

    def extend(self, worker_id: str, now: float, expiry: float | None) -> None:
        """Note that a worker, if it is known, is there still, and until when that holds."""
        worker = self.by_id.get(worker_id)
        if worker is None or worker.expiry is None:
            return
        worker.heard = now
        worker.expiry = None if expiry is None else max(expiry, worker.expiry)
        if worker.expiry is not None:
            self._core.expiries.add(worker.expiry, (self, worker))
        self._core.ledger.worker(worker_key(self._namespace, worker_id), worker.row)

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

    def resting(self) -> int:
        """Give how many are told to take no work."""
        if not self.modes.kept:
            return 0
        return sum(self.modes.of(worker_id) != RUN for worker_id in self.by_id)

    def modes_told(self) -> dict[str, str]:
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
