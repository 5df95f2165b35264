"""What is asked of the workers of one namespace: to run, to take no more work, or to end."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from coordinate_protocol.constants import RUN
from coordinate_server.model.rows import asked_key

if TYPE_CHECKING:
    from coordinate_server.model.ledger import Ledger
    from coordinate_server.model.workers import Worker

__all__ = ["EVERYONE", "HOST", "WORKER", "AskedModes", "Whose"]

WORKER: Final = "worker"
HOST: Final = "host"
Whose = tuple[str, str]
"""Of whom something is asked: WORKER or HOST with its name, or EVERYONE."""

EVERYONE: Final[Whose] = ("all", "")


class AskedModes:
    """Modes that were asked for; what is said of fewer workers counts before what is said of more.

    A RUN that changes nothing is not kept, so where everybody just runs, there is nothing here.

    Arguments:
        ledger: where changes are noted.
        namespace: the namespace's name.
        workers: who is there, by name.
    """

    def __init__(self, ledger: "Ledger", namespace: str, workers: "Mapping[str, Worker]") -> None:
        self._ledger, self._namespace, self._workers = ledger, namespace, workers
        self.kept: dict[Whose, str] = {}
        # A number that changes when something else may be asked of somebody.
        self.version = 0

    def of(self, worker_id: str) -> str:
        """Give what is asked of a worker, whether it is there or not."""
        return RUN if not self.kept else self._first(self._of_worker(worker_id))

    def _first(self, whose: Iterator[Whose]) -> str:
        return next((self.kept[who] for who in whose if who in self.kept), RUN)

    def _of_worker(self, worker_id: str) -> Iterator[Whose]:
        """Give whose modes are a worker's, the one that counts most first."""
        yield WORKER, worker_id
        worker = self._workers.get(worker_id)
        if worker is not None:
            parent = None if worker.parent is None else self._workers.get(worker.parent)
            if worker.parent is not None:
                yield WORKER, worker.parent
            hosts = worker.hosts or (() if parent is None else parent.hosts)
            yield from ((HOST, host) for host in hosts)
        yield EVERYONE

    def ask(self, whose: Iterable[Whose], mode: str) -> None:
        """Have a mode asked of some."""
        for who in whose:
            self._keep(who, mode)
        for other in [who for who, kept in self.kept.items() if kept == RUN]:
            if self._is_pointless(other):
                self.take_away(other)

    def _is_pointless(self, whose: Whose) -> bool:
        """Whether one of whom RUN is asked would run anyway."""
        kind, name = whose
        if kind == WORKER:
            others = (who for who in self._of_worker(name) if who != whose)
            return self._first(others) == RUN
        return kind != HOST or EVERYONE not in self.kept

    def take_away(self, whose: Whose) -> None:
        """Have nothing asked of somebody in particular."""
        if self.kept.pop(whose, None) is not None:
            self.version += 1
            self._ledger.asked(asked_key(self._namespace, *whose), None)

    def _keep(self, whose: Whose, mode: str) -> None:
        self.kept[whose] = mode
        self.version += 1
        self._ledger.asked(asked_key(self._namespace, *whose), mode)

    def load(self, whose: Whose, mode: str) -> None:
        """Take in what is written down."""
        self.kept[whose] = mode
