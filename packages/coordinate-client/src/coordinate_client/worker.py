"""Workers: what fetches work units, runs their code, and tells the server how it went.

    Worker           registers, tells the server that it lives, unregisters
    └── SingleWorker runs what one call to the server gives it

Nothing beyond the client itself is needed; psutil, where installed, tells how much memory is free.
"""

import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from coordinate_client import TaskMaster, WorkUnit
from coordinate_client.environment import environment
from coordinate_client.exceptions import LostLease, ProgrammerError

__all__ = ["SingleWorker", "Worker", "available_gb"]

logger = logging.getLogger(__name__)

MEMORY_FILE = Path("/proc/meminfo")


def available_gb(memory_file: Path = MEMORY_FILE) -> float | None:
    """Tell how much memory a new job could use, in GiB; None where that cannot be known.

    Arguments:
        memory_file: Linux's account of its memory, read where psutil is not installed.
    """
    try:
        import psutil
    except ImportError:
        return _available_gb_of(memory_file)
    return float(psutil.virtual_memory().available) / 2**30


def _available_gb_of(memory_file: Path) -> float | None:
    try:
        lines = memory_file.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            return int(amount.split()[0]) / 2**20
    return None


class Worker(ABC):
    """What every worker is: known to the server under an id, from ``register`` to ``unregister``.

    Arguments:
        config: the ``coordinate:`` block; ``TaskMaster`` says what it reads of it.
        task_master: the way to the server; one made from ``config`` where it is None.
    """

    lifetime: float = 100 * 60
    """For how many seconds the server believes the worker alive after a heartbeat."""

    def __init__(
        self, config: Mapping[str, Any] | None = None, task_master: TaskMaster | None = None
    ) -> None:
        self.config: dict[str, Any] = dict(config or {})
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
        if self.worker_id is not None:
            raise ProgrammerError(f"worker {self.worker_id!r} is registered: unregister it first")
        self.parent = parent
        self.worker_id = secrets.token_hex(16)
        self.heartbeat()
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


class SingleWorker(Worker):
    """A worker that runs what one call to the server gives it.

    Arguments:
        config: as for ``Worker``; its ``worker_job_fetch`` says how many units to fetch at most
            where ``max_jobs`` does not.
        task_master: as for ``Worker``.
        work_spec_names: the specs to take work of; None for all.
        max_jobs: how many units, all of one spec, to fetch at most.
    """

    EXIT_SUCCESS: ClassVar[int] = 0
    """Exit status of a process that ran something, well or not."""
    EXIT_EXCEPTION: ClassVar[int] = 1
    """Exit status of a process that could not get any work because of an error."""
    EXIT_BORED: ClassVar[int] = 2
    """Exit status of a process that had nothing to do."""

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        task_master: TaskMaster | None = None,
        work_spec_names: Sequence[str] | None = None,
        max_jobs: int | None = None,
    ) -> None:
        super().__init__(config, task_master)
        self.work_spec_names = work_spec_names
        self.max_jobs = self.config.get("worker_job_fetch", 1) if max_jobs is None else max_jobs

    def run(self) -> bool:
        """Do the work that ``run_one`` does."""
        return self.run_one()

    def run_one(self) -> bool:
        """Fetch units once and run them, one after the other.

        Returns:
            True if there was work, also where it failed.

        Raises:
            CoordinateException: the server could not be asked for work.
        """
        units = self._fetch()
        self._run_or_release(units)
        return bool(units)

    def run_as_process(self, parent: str | None = None) -> int:
        """Register, run, unregister: the whole life of a process that is there for one fetch.

        Arguments:
            parent: the id of the worker that started this one.

        Returns:
            The status to exit with: ``EXIT_SUCCESS``, ``EXIT_EXCEPTION`` or ``EXIT_BORED``.
        """
        try:
            self.register(parent)
            try:
                return self.EXIT_SUCCESS if self.run() else self.EXIT_BORED
            finally:
                self.unregister()
        except Exception:
            logger.exception("worker %r could not get any work", self.worker_id)
            return self.EXIT_EXCEPTION

    def _fetch(self) -> list[WorkUnit]:
        got = self.task_master.get_work(
            self.registered_id,
            available_gb=available_gb(),
            work_spec_names=self.work_spec_names,
            max_jobs=self.max_jobs,
        )
        if got is None:
            return []
        return [got] if isinstance(got, WorkUnit) else list(got)

    def _run_or_release(self, units: list[WorkUnit]) -> None:
        waiting = list(units)
        try:
            while waiting:
                self._run_unit(waiting.pop(0))
        finally:
            # Left only when the process is being stopped: others can have them at once.
            for unit in waiting:
                self._release(unit)

    def _run_unit(self, unit: WorkUnit) -> None:
        try:
            unit.run()
        except LostLease:
            logger.warning("lost the lease on %r of %r", unit.key, unit.work_spec_name)
        except Exception as error:
            logger.exception("%r of %r failed", unit.key, unit.work_spec_name)
            self._fail(unit, error)

    @staticmethod
    def _fail(unit: WorkUnit, error: Exception) -> None:
        try:
            unit.fail(error)
        except LostLease:
            logger.warning("lost the lease on %r of %r", unit.key, unit.work_spec_name)

    @staticmethod
    def _release(unit: WorkUnit) -> None:
        try:
            unit.update(lease_time=-1)
        except LostLease:
            logger.warning("lost the lease on %r of %r", unit.key, unit.work_spec_name)
