"""A child of a `ForkWorker`: the process that runs units."""

import ctypes
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Thread
from types import FrameType
from typing import Any

from attrs import frozen

from coordinate_client import TaskMaster, WorkUnit
from coordinate_client.environment import environment
from coordinate_client.exceptions import CoordinateException
from coordinate_client.steady import steady
from coordinate_client.workers.board import Slot
from coordinate_client.workers.codes import BORED, ERROR, RAN
from coordinate_client.workers.noted import running_of
from coordinate_client.workers.running import Runner, RunnerSettings
from coordinate_client.workers.running.alarms import shared_alarms
from coordinate_client.workers.running.endings import STOPPED
from coordinate_client.workers.titles import set_title, show_unit
from coordinate_client.workers.unit_loop import LoopTimes, UnitLoop
from coordinate_client.workers.wanted import WantedUnits
from coordinate_client.workers.watcher import Watcher

__all__ = ["ChildPlan", "SlotWatcher", "live"]

logger = logging.getLogger("coordinate_client.worker")

_PARENT_DEATH = 1  # PR_SET_PDEATHSIG of Linux


@frozen
class ChildPlan:
    """What a child is to do.

    Args:
        config: the `coordinate:` block.
        runner: how units are run.
        wanted: which units it fetches; its worker id is the child's.
        times: the times that it keeps.
        parent: the worker id of the parent.
        parent_pid: its process.
        lifetime: seconds after which the server forgets it, if it is not heard of.
    """

    config: Mapping[str, Any]
    runner: RunnerSettings
    wanted: WantedUnits
    times: LoopTimes
    parent: str
    parent_pid: int
    lifetime: float


class SlotWatcher(Watcher):
    """Writes what runs onto the board, and into the title of the process."""

    def __init__(self, slot: Slot) -> None:
        """Begin with nothing.

        Args:
            slot: the child's.
        """
        self._slot = slot
        self.attempt: int | None = None

    def began(self, unit: WorkUnit, limit: float | None) -> None:
        """Say what runs now."""
        self.attempt = unit.attempt
        self._slot.begin(running_of(unit, limit))
        show_unit(unit.work_spec_name, unit.key)

    def renewed(self, unit: WorkUnit) -> None:
        """Say how long the lease goes on for."""
        if unit.expires is not None:
            left = unit.expires - time.time()
            self._slot.renew(left, steady() + left)

    def progressed(self, unit: WorkUnit, progress: Any) -> None:
        """Say how far it is."""
        del unit
        self._slot.progress(progress)

    def ended(self, unit: WorkUnit) -> None:
        """Say that nothing runs."""
        del unit
        self._slot.end()


def live(plan: ChildPlan, slot: Slot) -> int:
    """Be a child, from the fork to the end.

    Returns:
        The status to exit with.
    """
    task_master = TaskMaster(plan.config)
    watcher = SlotWatcher(slot)
    runner = Runner(
        plan.runner, on_progress=watcher.progressed, on_renewed=watcher.renewed, kills=False
    )
    loop = UnitLoop(task_master, runner, plan.wanted, watcher, shared_alarms(), times=plan.times)
    _Signals(loop, runner, slot, watcher).install()
    _die_with_parent(plan.parent_pid)
    set_title("coordinate_worker: idle")
    worker_id = plan.wanted.worker_id
    told = environment(worker_id, plan.parent)
    try:
        task_master.worker_register(worker_id, None, plan.lifetime, told, plan.parent)
        ran = loop.run()
        # With all that was handed out and did not arrive any more.
        task_master.release_worker(worker_id)
    except CoordinateException as error:
        logger.error("child %s: %s", worker_id, str(error).split("\n", 1)[0])  # noqa: TRY400 - a server that is away is no bug of ours
        return ERROR
    finally:
        task_master.close()
    return RAN if ran else BORED


class _Signals:
    """What a child does when its parent tells it something.

    SIGTERM: finish what runs and stop; a second one: give it back and stop. SIGUSR1: look at the
    slot. SIGINT comes from the terminal to parent and children alike; the parent says what to do.
    """

    def __init__(self, loop: UnitLoop, runner: Runner, slot: Slot, watcher: SlotWatcher) -> None:
        self._loop = loop
        self._runner = runner
        self._slot = slot
        self._watcher = watcher
        self._stops = 0
        self._cancelling: int | None = None

    def install(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (signal.SIGABRT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, self._terminated)
        signal.signal(signal.SIGUSR1, self._asked)

    def _terminated(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self._cancelling is not None and self._cancelling == self._watcher.attempt:
            # The unit's code was asked to end, and has not: what SIGTERM does by itself.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._stops += 1
        _apart(self._loop.stop if self._stops == 1 else self._loop.stop_now)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        request = self._slot.request
        if request is not None and request.attempt == self._watcher.attempt:
            if request.reason != STOPPED:
                self._cancelling = request.attempt
            self._runner.cancel(request.reason, request.attempt)


def _apart(what: Callable[[], None]) -> None:
    """In a thread: a signal handler may come in where its own thread has a lock."""
    Thread(target=what, name="coordinate-stop", daemon=True).start()


def _die_with_parent(parent_pid: int) -> None:
    """Be stopped when the parent is killed, where the system can do that."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGTERM)
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGTERM)
