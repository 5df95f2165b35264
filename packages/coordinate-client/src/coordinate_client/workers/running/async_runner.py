"""AsyncRunner: runs many units at once, in one event loop and the threads beside it."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from coordinate_client import AsyncWorkUnit, TaskMaster
from coordinate_client.exceptions import Cancelled, NoSuchWorkSpecError, ProgrammerError
from coordinate_client.steady import steady
from coordinate_client.workers.current import CURRENT
from coordinate_client.workers.running.alarms import Alarms, shared_alarms
from coordinate_client.workers.running.async_reports import tell
from coordinate_client.workers.running.configs import code_config
from coordinate_client.workers.running.endings import (
    FINISH,
    NOTHING,
    STOPPED,
    Ending,
    cancelled_by,
    failed_plainly,
    lost,
)
from coordinate_client.workers.running.execution import Execution, settled
from coordinate_client.workers.running.functions import LoopTarget, awaited, load
from coordinate_client.workers.running.interruption import Interruption
from coordinate_client.workers.running.leases import Lease, Renewal
from coordinate_client.workers.running.plans import Plan, Plans
from coordinate_client.workers.running.progress import Progress
from coordinate_client.workers.running.ran import Ran
from coordinate_client.workers.running.reports import end_process
from coordinate_client.workers.running.settings import RunnerSettings
from coordinate_client.workers.running.twins import sync_task_master, sync_twin

__all__ = ["AsyncRunner"]

logger = logging.getLogger("coordinate_client.worker")

# Units that wait need a thread each; how many there are is for the worker to say.
_MOST_THREADS = 10_000
# What code returned, or what it raised.
Came = tuple[Any, BaseException | None]


class AsyncRunner:
    """Runs units at once: coroutine functions as tasks of the loop, all others in threads.

    Plain functions get a WorkUnit, with a way to the server of their own. Only what runs in threads
    is profiled.
    """

    def __init__(
        self,
        settings: RunnerSettings,
        *,
        on_progress: Callable[[AsyncWorkUnit, Any], object] | None = None,
        on_renewed: Callable[[AsyncWorkUnit], object] | None = None,
        kills: bool = True,
        clock: Callable[[], float] = steady,
        alarms: Alarms | None = None,
    ) -> None:
        """Begin without units; the arguments are those of `Runner`.

        `on_progress` and `on_renewed` are called in the loop.
        """
        self._settings = settings
        self._on_progress = on_progress
        self._on_renewed = on_renewed
        self._clock = clock
        self._alarms = shared_alarms() if alarms is None else alarms
        self._plans = Plans(settings)
        self._execution = Execution(settings, self._alarms, kills)
        self._running: dict[AsyncWorkUnit, Interruption] = {}
        self._renewals: set[asyncio.Task[None]] = set()
        self._threads: ThreadPoolExecutor | None = None
        self._task_master: TaskMaster | None = None

    def limit(self, spec: Any) -> float | None:
        """Seconds that a unit of a spec may run for; None for as long as it takes."""
        return self._plans.limit(spec)

    async def run(self, unit: AsyncWorkUnit, *, finish: bool = True) -> Ran:
        """Run a unit; arguments, result and errors are those of `Runner.run`.

        Where the task that waits for it is cancelled, so is the unit's code, and nothing is told.
        """
        began = self._clock()
        token = CURRENT.set(unit)
        try:
            ending = await self._ending(unit)
            if ending.tell != NOTHING and (finish or ending.tell != FINISH):
                ending = await tell(unit, ending)
            if ending.reason is not None:
                logger.warning("%s: %s", ending.outcome, ending.reason, extra={"unit": unit})
        finally:
            CURRENT.reset(token)
        return Ran(ending.outcome, ending.reason, self._clock() - began)

    def cancel(self, unit: AsyncWorkUnit, reason: str) -> None:
        """Have the code of a unit end, if it runs; any thread may ask.

        Args:
            unit: which.
            reason: as for `Runner.cancel`.
        """
        if (interruption := self._running.get(unit)) is not None:
            interruption.ask(cancelled_by(reason))

    def close(self) -> None:
        """Let go of the threads and of their way to the server; nothing may run any more."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
        if self._task_master is not None:
            self._task_master.close()

    # ---- a unit's code ----

    async def _ending(self, unit: AsyncWorkUnit) -> Ending:
        try:
            plan = self._plans.of(await unit.spec)
            code_config().use(plan.config)
        except NoSuchWorkSpecError as error:
            return lost(str(error))
        except ProgrammerError as error:
            return failed_plainly(str(error))
        interruption = self._execution.interruption(
            plan, lambda error: self._give_up(unit, interruption, error)
        )
        return await self._executed(plan, unit, interruption)

    async def _executed(
        self, plan: Plan, unit: AsyncWorkUnit, interruption: Interruption
    ) -> Ending:
        loop = asyncio.get_running_loop()

        def renew(lease: Lease, leased: Any) -> None:
            loop.call_soon_threadsafe(self._begin_renewal, lease, leased)

        renews = self._settings.auto_renew
        lease = Lease(unit, self._alarms, interruption, renew if renews else None)
        limit = self._execution.time_out(plan, interruption)
        self._running[unit] = interruption
        try:
            value, error = await self._came(plan, unit, interruption, lease)
        finally:
            del self._running[unit]
            lease.close()
            interruption.close()
            if limit is not None:
                self._alarms.drop(limit)
        return settled(plan, unit, interruption, value, error)

    async def _came(
        self, plan: Plan, unit: AsyncWorkUnit, interruption: Interruption, lease: Lease
    ) -> Came:
        if plan.command is None and plan.function is None:
            came = await self._in_thread(interruption, lambda: load(plan, interruption))
            if came[1] is not None:
                return came
        if plan.is_async:
            return await self._in_task(plan, unit, interruption)
        loop = asyncio.get_running_loop()
        twin = sync_twin(unit, self._thread_task_master(unit))
        lease.also(twin)
        progress = Progress(
            unit, lambda told, value: loop.call_soon_threadsafe(self._progressed, told, value)
        )

        def run() -> Any:
            return self._execution.result(plan, twin, interruption, progress, lease.also)

        came = await self._in_thread(interruption, run)
        unit.follow(twin)
        return came

    def _progressed(self, unit: AsyncWorkUnit, value: Any) -> None:
        if self._on_progress is not None:
            self._on_progress(unit, value)

    async def _in_task(self, plan: Plan, unit: AsyncWorkUnit, interruption: Interruption) -> Came:
        progress = Progress(unit, self._on_progress)
        task = asyncio.create_task(_called(plan, unit, progress))
        target = LoopTarget(None)
        target.attach(task)
        try:
            interruption.begin(target)
            came = await task
            if _is_cancelled():
                # The code was cancelled with this task, and what it raised was kept.
                raise asyncio.CancelledError
            return came
        except (asyncio.CancelledError, Cancelled) as error:
            task.cancel()
            await asyncio.wait([task])
            if _is_cancelled():
                raise
            return None, error
        finally:
            interruption.end(target)

    async def _in_thread(self, interruption: Interruption, call: Callable[[], Any]) -> Came:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_MOST_THREADS, "coordinate-unit")
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, context.run, _came_of, call)
        except asyncio.CancelledError:
            # A thread cannot be left: it is told, and ends when it can.
            interruption.ask(cancelled_by(STOPPED))
            raise

    def _thread_task_master(self, unit: AsyncWorkUnit) -> TaskMaster:
        if self._task_master is None:
            self._task_master = sync_task_master(unit)
        return self._task_master

    # ---- leases ----

    def _begin_renewal(self, lease: Lease, unit: AsyncWorkUnit) -> None:
        task = asyncio.get_running_loop().create_task(self._ask(lease, unit))
        # A loop keeps no task alive that nobody waits for.
        self._renewals.add(task)
        task.add_done_callback(self._renewals.discard)

    async def _ask(self, lease: Lease, unit: AsyncWorkUnit) -> None:
        renewal = Renewal(lease, unit)
        try:
            done = await unit.taskmaster.update_leased(*renewal.args)
        except Exception as error:  # noqa: BLE001 - what it is, the renewal knows
            renewal.broke(error)
            return
        if renewal.answered(done=done) and self._on_renewed is not None:
            self._on_renewed(unit)

    # ---- code that does not end ----

    def _give_up(self, unit: AsyncWorkUnit, interruption: Interruption, why: Cancelled) -> None:
        if self._execution.kills:
            # The loop may be what does not go on.
            end_process(interruption, lambda: sync_twin(unit.snapshot()), why)


async def _called(plan: Plan, unit: AsyncWorkUnit, progress: Progress) -> Came:
    """Call a coroutine function; exit() in it must not end the loop."""
    function: Any = plan.function
    try:
        return await awaited(function(unit, *plan.args, **plan.kwargs), progress), None
    except BaseException as error:  # noqa: BLE001 - as above
        return None, error


def _came_of(call: Callable[[], Any]) -> Came:
    try:
        return call(), None
    except BaseException as error:  # noqa: BLE001 - exit() in a thread must not end the loop
        return None, error


def _is_cancelled() -> bool:
    """Whether it is this task that is to end, and not only what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
