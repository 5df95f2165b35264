"""What every worker is."""

import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from coordinate_client import TaskMaster
from coordinate_client.environment import environment
from coordinate_client.exceptions import ProgrammerError
from coordinate_client.workers import codes
from coordinate_client.workers.settings import WorkerSettings

__all__ = ["Worker", "run_worker"]

logger = logging.getLogger("coordinate_client.worker")


class Worker(ABC):
    """What every worker is: known to the server under an id, from ``register`` to ``unregister``.

    Arguments:
        config: the ``coordinate:`` block; ``TaskMaster`` and ``WorkerSettings`` say what they read
            of it.
        task_master: the way to the server; one made from ``config`` where it is None.
    """

    EXIT_SUCCESS: ClassVar[int] = codes.RAN
    """Exit status of a process that ran something, well or not."""
    EXIT_EXCEPTION: ClassVar[int] = codes.ERROR
    """Exit status of a process that could not get any work because of an error."""
    EXIT_BORED: ClassVar[int] = codes.BORED
    """Exit status of a process that had nothing to do."""

    lifetime: float = 100 * 60
    """For how many seconds the server believes the worker alive after a heartbeat."""

    def __init__(
        self, config: Mapping[str, Any] | None = None, task_master: TaskMaster | None = None
    ) -> None:
        self.config: dict[str, Any] = dict(config or {})
        self.settings = WorkerSettings.of(self.config)
        self.task_master = TaskMaster(self.config) if task_master is None else task_master
        self.worker_id: str | None = None
        self.parent: str | None = None

    def environment(self) -> dict[str, Any]:
        """What heartbeats say about this process: its ids and its host."""
        return environment(self.registered_id, self.parent)

    def register(self, parent: str | None = None) -> str:
        """Take a new id and tell the server about it.

        Arguments:
            parent: the id of the worker that started this one.

        Returns:
            The new id, also in ``worker_id``.

        Raises:
            ProgrammerError: it is registered already.
        """
        self.take_id(parent)
        self.heartbeat()
        return self.registered_id

    def take_id(self, parent: str | None = None) -> str:
        """Take a new id, and tell nobody yet; arguments and result as for ``register``."""
        if self.worker_id is not None:
            raise ProgrammerError(f"worker {self.worker_id!r} is registered: unregister it first")
        self.parent = parent
        self.worker_id = secrets.token_hex(16)
        return self.worker_id

    def heartbeat(self) -> str:
        """Tell the server that this worker lives; the mode that the server's users asked for."""
        mode: str = self.task_master.get_mode()
        self.task_master.worker_heartbeat(
            self.registered_id, mode, self.lifetime, self.environment(), parent=self.parent
        )
        return mode

    def unregister(self) -> None:
        """Tell the server that this worker is gone."""
        self.task_master.worker_unregister(self.registered_id)
        self.worker_id = None

    @property
    def registered_id(self) -> str:
        """The worker's id.

        Raises:
            ProgrammerError: it is not registered.
        """
        if self.worker_id is None:
            raise ProgrammerError("the worker has no id: call register() first")
        return self.worker_id

    @abstractmethod
    def run(self) -> bool:
        """Do what this kind of worker does; whether there was anything to do."""


def run_worker(worker_class: type[Worker], *args: Any, **kwargs: Any) -> str:
    """Make a worker, register it, run it, and unregister it.

    Arguments:
        worker_class: the kind of worker.
        *args: what it is made with.
        **kwargs: what it is made with.

    Returns:
        The id that it had.

    Raises:
        Exception: what the worker raises; it is logged and unregistered then, too.
    """
    try:
        worker = worker_class(*args, **kwargs)
        worker_id = worker.register()
        try:
            worker.run()
        finally:
            worker.unregister()
    except Exception:
        logger.exception("%s failed", worker_class.__name__)
        raise
    return worker_id
