"""A worker whose units run in child processes."""

import importlib
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from coordinate_client import TaskMaster
from coordinate_client.signals import Signals
from coordinate_client.workers.board import Board, Slot
from coordinate_client.workers.child import ChildPlan, live
from coordinate_client.workers.children import Children
from coordinate_client.workers.codes import RAN
from coordinate_client.workers.heart import Pulse
from coordinate_client.workers.messenger import Messenger, MessengerPlan
from coordinate_client.workers.running import RunnerSettings
from coordinate_client.workers.supervisor import STOPPING, Keeping, Supervisor
from coordinate_client.workers.titles import set_title
from coordinate_client.workers.unit_loop import LoopTimes
from coordinate_client.workers.verdicts import Bounds
from coordinate_client.workers.wanted import WantedUnits
from coordinate_client.workers.worker import Worker

__all__ = ["ForkWorker"]

logger = logging.getLogger("coordinate_client.worker")


class ForkWorker(Worker):
    """A worker that runs units in child processes, as many as ``fork_worker: {num_workers}`` says.

    A child that crashes, is killed, or has to be killed takes nothing with it but the unit that it
    ran: the others of its batch can be had at once, and that one is tried again as its spec says.
    The process that calls ``run`` starts no threads.

    Arguments:
        config: as for ``Worker``.
        task_master: as for ``Worker``; used by ``register`` and ``unregister`` alone.
        work_spec_names: the specs to take work of; None for those of the configuration, or all.
        once: whether children that find no work are not followed by others, so that it ends.
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
        self.runner_settings = RunnerSettings.of(self.config)

    def run(self) -> bool:
        """Keep children until SIGTERM or SIGINT comes, or the server asks for it.

        What the children run then is finished; a second signal gives it back. SIGABRT kills them.

        Returns:
            Whether there was anything to do.
        """
        return self.supervise() == RAN

    def supervise(self) -> int:
        """Do what ``run`` does; the status to exit with."""
        self._preload()
        # Only now, when nothing of the parent's can be in another process.
        self.task_master.close()
        set_title("coordinate_worker: parent")
        board = Board(self.settings.fork.num_workers)
        pulse = Pulse(self.registered_id, self.parent, self.settings.heartbeat_interval)
        signals = Signals((*STOPPING, signal.SIGABRT), always=(signal.SIGCHLD,))
        signals.start()
        messenger = Messenger(MessengerPlan(self.config, pulse, self.settings.packages), board)
        try:
            return self._supervisor(board, messenger, signals, pulse).run()
        finally:
            messenger.close()
            signals.close()

    def _supervisor(
        self, board: Board, messenger: Messenger, signals: Signals, pulse: Pulse
    ) -> Supervisor:
        fork, runner = self.settings.fork, self.runner_settings
        parent_pid = os.getpid()

        def child(worker_id: str, slot: Slot) -> int:
            messenger.drop()
            return live(self._plan(worker_id, parent_pid, pulse), slot)

        return Supervisor(
            Children(board, child),
            messenger,
            signals,
            Keeping(
                Bounds(fork.stop_jobs_early, fork.max_memory_gb),
                fork.poll_interval,
                fork.spawn_interval,
                runner.cancel_seconds,
                runner.kill_seconds,
                once=self.once,
            ),
        )

    def _plan(self, worker_id: str, parent_pid: int, pulse: Pulse) -> ChildPlan:
        settings = self.settings
        wanted = WantedUnits(worker_id, settings.job_fetch, self.work_spec_names, settings.runtimes)
        lifetime = None if self.once else settings.fork.child_lifetime
        times = LoopTimes(lifetime=lifetime, once=self.once)
        return ChildPlan(
            self.config,
            self.runner_settings,
            wanted,
            times,
            pulse.worker_id,
            parent_pid,
            pulse.lifetime,
        )

    def _preload(self) -> None:
        """Import what children would import, each for itself."""
        for name in self.settings.fork.preload:
            try:
                importlib.import_module(name)
            except Exception:
                # The unit that needs it says so again, and fails.
                logger.exception("cannot preload %r", name)
