"""A worker that runs units in its own process, until it is stopped."""

from collections.abc import Mapping, Sequence
from typing import Any

from coordinate_client import TaskMaster
from coordinate_client.workers.crew import Crew, Hand, crew_heart
from coordinate_client.workers.heart import Pulse
from coordinate_client.workers.noted import NotedWatcher
from coordinate_client.workers.running import Runner, RunnerSettings
from coordinate_client.workers.single import SingleWorker
from coordinate_client.workers.stopping import StopSignals
from coordinate_client.workers.unit_loop import LoopTimes, UnitLoop
from coordinate_client.workers.wanted import MemoryGauge, WantedUnits

__all__ = ["LoopWorker"]


class LoopWorker(SingleWorker):
    """A worker that fetches and runs units one after the other, until it is told to stop.

    It tells the server what it does, and follows orders: to cancel a unit, to take no more work, to
    end.

    Arguments:
        config: as for ``SingleWorker``.
        task_master: as for ``SingleWorker``; only for what is not long: the loop and the heart have
            connections of their own.
        work_spec_names: as for ``SingleWorker``.
        max_jobs: as for ``SingleWorker``.
        once: whether it ends when there is no work.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        task_master: TaskMaster | None = None,
        work_spec_names: Sequence[str] | None = None,
        max_jobs: int | None = None,
        *,
        once: bool = False,
    ) -> None:
        super().__init__(config, task_master, work_spec_names, max_jobs)
        self.once = once

    def run(self) -> bool:
        """Run units until SIGTERM or SIGINT comes, or the server asks for it; whether it ran any.

        The unit that runs then is finished; a second signal gives it back.
        """
        crew = self.crew()
        heart = crew_heart(self.config, crew)
        with StopSignals(crew.stop, crew.stop_now, crew.give_up):
            heart.start()
            try:
                return self.work(crew)
            finally:
                heart.stop()

    def crew(self) -> Crew:
        """The loops of this worker: one."""
        pulse = Pulse(self.registered_id, self.parent, self.settings.heartbeat_interval)
        return Crew(pulse, [self.hand()], packages=self.settings.packages)

    def hand(self, *, titles: bool = True) -> Hand:
        """A loop with all that it needs.

        Arguments:
            titles: whether the title of the process says what it runs.
        """
        watcher = NotedWatcher(titles=titles)
        runner = Runner(RunnerSettings.of(self.config), on_progress=watcher.progressed)
        wanted = WantedUnits(
            self.registered_id,
            self.max_jobs,
            self.work_spec_names,
            self.settings.runtimes,
            MemoryGauge(),
        )
        loop = UnitLoop(
            TaskMaster(self.config),
            runner,
            wanted,
            watcher,
            self._alarms,
            times=LoopTimes(once=self.once),
        )
        return Hand(loop, runner, watcher)

    def work(self, crew: Crew) -> bool:
        """Run the loops to their end; whether any unit ran."""
        (hand,) = crew.hands
        try:
            return bool(hand.loop.run())
        finally:
            hand.loop.task_master.close()
