"""A worker that runs what one call to the server gives it."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from coordinate_client import TaskMaster
from coordinate_client.workers.running import Runner, RunnerSettings
from coordinate_client.workers.running.alarms import shared_alarms
from coordinate_client.workers.stopping import StopSignals
from coordinate_client.workers.unit_loop import UnitLoop
from coordinate_client.workers.wanted import WantedUnits
from coordinate_client.workers.watcher import Watcher
from coordinate_client.workers.worker import Worker

__all__ = ["SingleWorker"]

logger = logging.getLogger("coordinate_client.worker")


class SingleWorker(Worker):
    """A worker that runs what one call to the server gives it.

    Arguments:
        config: as for ``Worker``; its ``worker_job_fetch`` says how many units to fetch at most
            where ``max_jobs`` does not.
        task_master: as for ``Worker``.
        work_spec_names: the specs to take work of; None for those of the configuration, or all.
        max_jobs: how many units, all of one spec, to fetch at most.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        task_master: TaskMaster | None = None,
        work_spec_names: Sequence[str] | None = None,
        max_jobs: int | None = None,
    ) -> None:
        super().__init__(config, task_master)
        known = self.settings.work_spec_names
        self.work_spec_names = known if work_spec_names is None else tuple(work_spec_names)
        self.max_jobs = self.settings.job_fetch if max_jobs is None else max_jobs
        self.runner = Runner(RunnerSettings.of(self.config))
        self._alarms = shared_alarms()

    def run(self) -> bool:
        """Do the work that ``run_one`` does."""
        return self.run_one()

    def run_one(self) -> bool:
        """Fetch units once and run them, one after the other.

        The first SIGTERM or SIGINT lets the unit that runs end, a second one gives it back, too.

        Returns:
            True if there was work, also where it failed.

        Raises:
            CoordinateException: the server could not be asked for work.
        """
        loop = self.loop()
        with StopSignals(loop.stop, loop.stop_now, loop.give_up) as self.stopped:
            return loop.run_once()

    def loop(self) -> UnitLoop:
        """A loop that fetches and runs units for this worker."""
        wanted = WantedUnits(
            self.registered_id, self.max_jobs, self.work_spec_names, self.settings.runtimes
        )
        return UnitLoop(self.task_master, self.runner, wanted, Watcher(), self._alarms)

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
