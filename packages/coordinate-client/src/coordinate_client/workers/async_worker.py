"""A worker that runs many units at once in one event loop, for work that waits."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from coordinate_client import TaskMaster
from coordinate_client.workers.async_crew import AsyncCrew
from coordinate_client.workers.heart import Heart, Pulse
from coordinate_client.workers.running import AsyncRunner, RunnerSettings
from coordinate_client.workers.stopping import StopSignals
from coordinate_client.workers.unit_tasks import UnitTasks
from coordinate_client.workers.wanted import WantedUnits
from coordinate_client.workers.worker import Worker

__all__ = ["AsyncWorker"]


class AsyncWorker(Worker):
    """A worker that runs units as tasks of one event loop, ``async_worker: {num_workers}`` at once.

    Plain functions run in threads beside it. To the server it is one worker that has several units.

    Arguments:
        config: as for ``Worker``.
        task_master: as for ``Worker``; the loop and the heart have connections of their own.
        work_spec_names: the specs to take work of; None for those of the configuration, or all.
        once: whether it ends when there is no work.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        task_master: TaskMaster | None = None,
        work_spec_names: Sequence[str] | None = None,
        *,
        once: bool = False,
    ) -> None:
        super().__init__(config, task_master)
        known = self.settings.work_spec_names
        self.work_spec_names = known if work_spec_names is None else tuple(work_spec_names)
        self.once = once

    def run(self) -> bool:
        """Run units until SIGTERM or SIGINT comes, or the server asks for it; whether it ran any.

        Those that run then are finished; a second signal gives them back.
        """
        return asyncio.run(self._run())

    async def _run(self) -> bool:
        from coordinate_client import AsyncTaskMaster

        settings = self.settings
        pulse = Pulse(self.registered_id, self.parent, settings.heartbeat_interval)
        wanted = WantedUnits(
            self.registered_id, settings.num_tasks, self.work_spec_names, settings.runtimes
        )
        async with AsyncTaskMaster(self.config) as task_master:
            tasks = UnitTasks(task_master, wanted, once=self.once)
            tasks.runner = AsyncRunner(RunnerSettings.of(self.config), on_progress=tasks.progressed)
            crew = AsyncCrew(pulse, tasks, asyncio.get_running_loop(), settings.packages)
            heart = Heart(TaskMaster(self.config), pulse, crew)
            with StopSignals(crew.stop, crew.stop_now, crew.stop_now):
                heart.start()
                try:
                    return bool(await tasks.work())
                finally:
                    await asyncio.to_thread(heart.stop)
                    tasks.runner.close()
