"""Runner: runs units one after the other, in the thread that asks for it."""

import logging
from collections.abc import Callable
from typing import Any

from coordinate_client import WorkUnit
from coordinate_client.exceptions import (
    Cancelled,
    NoSuchWorkSpecError,
    ProgrammerError,
)
from coordinate_client.steady import steady
from coordinate_client.workers.current import CURRENT
from coordinate_client.workers.running.alarms import Alarms, shared_alarms
from coordinate_client.workers.running.configs import code_config
from coordinate_client.workers.running.endings import (
    FINISH,
    NOTHING,
    Ending,
    cancelled_by,
    failed_plainly,
    lost,
)
from coordinate_client.workers.running.execution import Execution, settled
from coordinate_client.workers.running.interruption import Interruption
from coordinate_client.workers.running.leases import Lease, Renewal
from coordinate_client.workers.running.plans import Plan, Plans
from coordinate_client.workers.running.progress import Progress
from coordinate_client.workers.running.ran import Ran
from coordinate_client.workers.running.reports import end_process, tell
from coordinate_client.workers.running.settings import RunnerSettings

__all__ = ["Runner"]

logger = logging.getLogger("coordinate_client.worker")


class Runner:
    """Runs units one after the other, in the thread that calls `run`.

    What it does beside that is done in the thread of the alarms, which it starts, and in others
    that are there for one thing. In the main thread, SIGUSR2 is what ends a unit's code: nothing
    else may use it there.
    """

    def __init__(
        self,
        settings: RunnerSettings,
        *,
        on_progress: Callable[[WorkUnit, Any], object] | None = None,
        on_renewed: Callable[[WorkUnit], object] | None = None,
        kills: bool = True,
        clock: Callable[[], float] = steady,
        alarms: Alarms | None = None,
    ) -> None:
        """Begin without a unit.

        Args:
            settings: what may be run, and for how long.
            on_progress: is told what the code of a unit yields, in the thread that runs it.
            on_renewed: is told of units whose lease was renewed, in a thread of its own.
            kills: whether the process ends where a unit's code does not; False where its parent
                sees to that.
            clock: seconds that go on evenly, for how long units take.
            alarms: those to use; None for those of the process.
        """
        self._settings = settings
        self._on_progress = on_progress
        self._on_renewed = on_renewed
        self._clock = clock
        self._alarms = shared_alarms() if alarms is None else alarms
        self._plans = Plans(settings)
        self._execution = Execution(settings, self._alarms, kills)
        self._running: tuple[int | None, Interruption] | None = None

    def limit(self, spec: Any) -> float | None:
        """Seconds that a unit of a spec may run for; None for as long as it takes."""
        return self._plans.limit(spec)

    def run(self, unit: WorkUnit, *, finish: bool = True) -> Ran:
        """Run a unit.

        Args:
            unit: which; its `spec` is asked for, and fetched if it is not known.
            finish: whether the server is told of a unit that ended well; else the caller does it.
                It is told here of all others.

        Returns:
            What became of it. Nothing that its code does is raised.

        Raises:
            CoordinateException: the server could not be told.
        """
        began = self._clock()
        token = CURRENT.set(unit)
        try:
            ending = self._ending(unit)
            if ending.tell != NOTHING and (finish or ending.tell != FINISH):
                ending = tell(unit, ending)
            if ending.reason is not None:
                logger.warning("%s: %s", ending.outcome, ending.reason, extra={"unit": unit})
        finally:
            CURRENT.reset(token)
        return Ran(ending.outcome, ending.reason, self._clock() - began)

    def cancel(self, reason: str, attempt: int | None = None) -> None:
        """Have the code of the unit that runs end; any thread or signal handler may ask.

        Args:
            reason: "stopped" gives the unit back; "job expired" and "lost" tell the server nothing;
                any other text is what the unit is failed with.
            attempt: of the unit that is meant: nothing happens where another one runs by now; None
                for whichever runs.
        """
        running = self._running
        if running is not None and attempt in {None, running[0]}:
            running[1].ask(cancelled_by(reason))

    # ---- a unit's code ----

    def _ending(self, unit: WorkUnit) -> Ending:
        try:
            plan = self._plans.of(unit.spec)
            code_config().use(plan.config)
        except NoSuchWorkSpecError as error:
            return lost(str(error))
        except ProgrammerError as error:
            return failed_plainly(str(error))
        logger.debug("running", extra={"unit": unit})
        interruption = self._execution.interruption(
            plan, lambda error: self._give_up(unit, interruption, error)
        )
        return self._executed(plan, unit, interruption)

    def _executed(self, plan: Plan, unit: WorkUnit, interruption: Interruption) -> Ending:
        # Whoever asks for an end in a signal handler must not have to start a thread.
        self._alarms.start()
        renews = self._settings.auto_renew
        lease = Lease(unit, self._alarms, interruption, self._renew if renews else None)
        limit = self._execution.time_out(plan, interruption)
        progress = Progress(unit, self._on_progress)
        value = error = None
        self._running = unit.attempt, interruption
        try:
            value = self._execution.result(plan, unit, interruption, progress, lease.also)
        except BaseException as raised:  # noqa: BLE001 - exit() in a unit's code ends the unit only
            error = raised
        self._running = None
        lease.close()
        interruption.close()
        if limit is not None:
            self._alarms.drop(limit)
        return settled(plan, unit, interruption, value, error)

    def _renew(self, lease: Lease, unit: Any) -> None:
        self._alarms.apart(lambda: self._ask(lease, unit))

    def _ask(self, lease: Lease, unit: WorkUnit) -> None:
        renewal = Renewal(lease, unit)
        try:
            done = unit.taskmaster.update_leased(*renewal.args)
        except Exception as error:  # noqa: BLE001 - what it is, the renewal knows
            renewal.broke(error)
            return
        if renewal.answered(done=done) and self._on_renewed is not None:
            self._on_renewed(unit)

    # ---- code that does not end ----

    def _give_up(self, unit: WorkUnit, interruption: Interruption, why: Cancelled) -> None:
        if self._execution.kills:
            end_process(interruption, unit.snapshot, why)
