"""One unit's code, from what its spec says to how it ended; the server is told elsewhere."""

from typing import Any

from attrs import define, field

from coordinate_client.exceptions import LeaseLost, RunTimeExceeded
from coordinate_client.workers.running.alarms import Alarm, Alarms
from coordinate_client.workers.running.commands import command_result
from coordinate_client.workers.running.endings import (
    WELL,
    Ending,
    failed,
    interrupted,
    told_already,
)
from coordinate_client.workers.running.functions import Twinned, function_result
from coordinate_client.workers.running.interruption import GiveUp, Interruption, Patience
from coordinate_client.workers.running.plans import Plan
from coordinate_client.workers.running.profiles import profiled
from coordinate_client.workers.running.progress import Progress
from coordinate_client.workers.running.results import check, keep_output
from coordinate_client.workers.running.settings import RunnerSettings

__all__ = ["Execution", "settled"]

# The part of the time until its parent kills a worker in which a command has to end.
_BEFORE_PARENT = 0.75


@define
class Execution:
    """How units' code is executed.

    Args:
        settings: what may be run, and for how long.
        alarms: those of the process.
        kills: whether this process ends where code does not; else its parent ends it.
    """

    settings: RunnerSettings
    alarms: Alarms
    kills: bool
    _functions: Patience = field(init=False)
    _commands: Patience = field(init=False)

    def __attrs_post_init__(self) -> None:
        settings = self.settings
        self._functions = Patience(settings.cancel_seconds, settings.kill_seconds)
        # It gets SIGTERM at once, and SIGKILL second; before the parent kills who would send it.
        soon = settings.kill_seconds
        if not self.kills:
            soon = min(soon, settings.cancel_seconds * _BEFORE_PARENT)
        self._commands = Patience(soon, settings.kill_seconds)

    def interruption(self, plan: Plan, give_up: GiveUp) -> Interruption:
        """The means to end the code of a unit.

        Args:
            plan: what it is.
            give_up: is called when the code does not end.
        """
        patience = self._functions if plan.command is None else self._commands
        return Interruption(self.alarms, patience, give_up)

    def time_out(self, plan: Plan, interruption: Interruption) -> Alarm | None:
        """Have the code end when its time is over; None where it has all the time."""
        limit = plan.limit
        if limit is None:
            return None
        error = RunTimeExceeded(f"max_runtime of {limit:g} s exceeded")
        return self.alarms.after(limit, lambda: interruption.ask(error))

    def result(
        self,
        plan: Plan,
        unit: Any,
        interruption: Interruption,
        progress: Progress,
        twinned: Twinned,
    ) -> Any:
        """Run the code of a unit in this thread.

        Returns:
            What it returns.

        Raises:
            BaseException: whatever it raises, or was told.
        """
        if plan.command is not None:
            tail = self.settings.command_tail_bytes
            return command_result(plan, unit, interruption, self.alarms, tail)
        args = plan, unit, interruption, progress, twinned
        if plan.is_profiled:
            return profiled(self.settings.profile, unit, lambda: function_result(*args))
        return function_result(*args)


def settled(
    plan: Plan,
    unit: Any,
    interruption: Interruption,
    value: Any,
    error: BaseException | None,
) -> Ending:
    """Decide what follows from how code ended.

    Args:
        plan: what it was.
        unit: whose it was; its data get the output.
        interruption: what may have ended it.
        value: what it returned.
        error: what it raised; None where it returned.
    """
    why = interruption.error
    if why is not None and (interruption.reached or isinstance(why, LeaseLost)):
        return interrupted(why, error)
    if unit.ended is not None:
        return told_already(unit.ended, error)
    if error is not None:
        return failed(error)
    try:
        if plan.keeps:
            keep_output(unit, value)
        check(unit)
    except Exception as refused:  # noqa: BLE001 - values may be of users' own classes
        return failed(refused)
    return WELL
