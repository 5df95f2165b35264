"""The loop of a worker: fetch units, run them, tell the server; until it is to stop."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING

from attrs import frozen

from coordinate_client import TaskMaster, WorkUnit
from coordinate_client.exceptions import (
    ClientClosed,
    ConnectionFailed,
    CoordinateException,
    OutcomeUnknown,
)
from coordinate_client.updates import UpdateResult
from coordinate_client.workers.batch import Batch
from coordinate_client.workers.running import Runner
from coordinate_client.workers.running.alarms import Alarms
from coordinate_client.workers.spec_cache import SpecCache
from coordinate_client.workers.telling import finish, give_back, note_results, said_of
from coordinate_client.workers.wanted import WantedUnits
from coordinate_client.workers.watcher import Watcher

if TYPE_CHECKING:
    from coordinate_client.workers.running.alarms import Alarm

__all__ = ["LoopTimes", "UnitLoop"]

logger = logging.getLogger("coordinate_client.worker")


@frozen
class LoopTimes:
    """The times that a loop keeps, in seconds.

    Args:
        wait: how long the server may wait with the answer when there is no work.
        lifetime: after its first unit, when it takes no more; None for never.
        tell: what is done is told no later than this.
        once: whether it ends when there is no work.
        give_back: what was fetched and not begun after this is given back, or after half of its
            lease where that is sooner.
        pause: between two attempts while the server is away, the longest.
    """

    wait: float = 60.0
    lifetime: float | None = None
    tell: float = 0.1
    once: bool = False
    give_back: float = 30.0
    pause: float = 30.0


class UnitLoop:
    """Runs units one after the other, in the thread that calls `run` or `run_once`.

    What ended well is told together with the next fetch. Any other thread may stop it; a signal
    handler has to start one for that.
    """

    def __init__(
        self,
        task_master: TaskMaster,
        runner: Runner,
        wanted: WantedUnits,
        watcher: Watcher,
        alarms: Alarms,
        *,
        times: LoopTimes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with nothing fetched.

        Args:
            task_master: the way to the server; nobody else waits with it.
            runner: runs a unit.
            wanted: which units are fetched.
            watcher: is told about each.
            alarms: rings when something is to be told while a unit runs.
            times: how long things may take; None for the defaults.
            clock: seconds that go on evenly.
        """
        self.task_master = task_master
        self.ran = 0
        self._runner = runner
        self._wanted = wanted
        self._watcher = watcher
        self._alarms = alarms
        self._times = times or LoopTimes()
        self._clock = clock
        self._specs = SpecCache(task_master)
        self._batch = Batch()
        self._overdue: list[Alarm] = []
        self._untold: list[WorkUnit] = []
        self._until: float | None = None
        self._stopping = False
        self._paused = False
        self._waiting = False
        self._changed = Event()

    # ---- for the thread that runs units ----

    def run(self) -> int:
        """Run units until it is stopped, or has lived for long enough; how many it ran.

        A server that is away is asked again and again.
        """
        failures = 0
        # What was fetched is run, though it may be time to fetch no more.
        while not self._stopping and (self._batch or not self._over()):
            try:
                if not self._step():
                    self._rest()
                failures = 0
            except ClientClosed:
                continue
            except CoordinateException as error:
                failures += 1
                self._pause(failures, error)
        self._settle()
        return self.ran

    def run_once(self) -> bool:
        """Fetch units once, without waiting, and run them; whether there were any.

        Raises:
            CoordinateException: the server could not be asked for work, or told what became of it.
        """
        self._took(self._asked(0.0))
        ran = self.ran
        try:
            while not self._stopping and (unit := self._batch.next()) is not None:
                self._run(unit)
            # What is told here may fail: the caller has to know.
            finish(self.task_master, self._batch.take_done())
        finally:
            self._settle()
        return self.ran > ran

    def _step(self) -> bool:
        """Run the next unit, or fetch; False where there is nothing that it may do now."""
        self._tell_failed()
        unit = self._batch.next()
        if unit is not None:
            self._run(unit)
            return True
        if self._paused:
            self._exchange(fetches=False)
            return False
        return self._exchange() or self._fetch()

    def _run(self, unit: WorkUnit) -> None:
        spec = self._specs.get(unit.work_spec_name)
        if spec is None:
            logger.warning("its work spec is gone: not run", extra=said_of(unit))
            return
        unit.spec = spec
        self.ran += 1
        if self._until is None and self._times.lifetime is not None:
            self._until = self._clock() + self._times.lifetime
        self._watcher.began(unit, self._runner.limit(spec))
        try:
            ran = self._runner.run(unit, finish=False)
        except (ConnectionFailed, OutcomeUnknown):
            # What is given back because it stops is had by others when its lease is over.
            if not self._stopping:
                self._untold.append(unit)
            raise
        finally:
            self._watcher.ended(unit)
        # Where it was the last of its fetch, it is told at once.
        if ran.outcome == "finished" and self._batch.took(unit) == 1 and self._batch:
            self._remind(self._times.tell, self._tell)

    def _tell_failed(self) -> None:
        """Tell what has failed while the server was away."""
        while self._untold:
            for result in self.task_master.fail_units(self._untold[:1]):
                if not result.done:
                    logger.warning("not failed: %s", result.message, extra=said_of(self._untold[0]))
            del self._untold[0]

    def _exchange(self, *, fetches: bool = True) -> bool:
        """Tell what is done, and fetch with the same message; whether that brought units."""
        done = self._batch.take_done()
        self._forget_reminders()
        if not done:
            return False
        try:
            results, units = self._told(done, fetches=fetches and not self._over())
        except (ConnectionFailed, OutcomeUnknown):
            # To finish a unit a second time does no harm.
            for unit in done:
                self._batch.took(unit)
            raise
        note_results(done, results)
        self._took(units)
        return bool(units)

    def _told(
        self, done: list[WorkUnit], *, fetches: bool
    ) -> tuple[list[UpdateResult], list[WorkUnit]]:
        if fetches:
            return self.task_master.finish_and_get_work(done, **self._wanted.options())
        return self.task_master.finish_units(done), []

    def _fetch(self) -> bool:
        units = self._asked(0.0 if self._times.once else self._times.wait)
        self._took(units)
        if self._times.once and not units and not self._paused:
            self._stopping = True
        return True

    def _asked(self, wait: float) -> list[WorkUnit]:
        self._waiting = True
        try:
            if self._stopping or self._paused:
                return []
            found = self.task_master.get_work(**self._wanted.options(), wait=wait)
        finally:
            self._waiting = False
        if self._wanted.most == 1:
            return [] if found is None else [found]
        return list(found)

    def _took(self, units: list[WorkUnit]) -> None:
        if not units:
            return
        self._batch.put(units)
        if len(units) > 1:
            seconds = min(self._times.give_back, units[0].default_lease_time / 2)
            self._remind(seconds, self._give_back)

    def _settle(self) -> None:
        """Tell and give back what is left, as well as that is possible now."""
        self._forget_reminders()
        give_back(self.task_master, self._batch.take_waiting())
        self._tell()
        with suppress(CoordinateException):
            self._tell_failed()

    def _over(self) -> bool:
        if self._stopping:
            return True
        return self._until is not None and self._clock() >= self._until

    def _pause(self, failures: int, error: CoordinateException) -> None:
        seconds = min(self._times.pause, 2.0 ** min(failures - 1, 10))
        logger.warning("%s; trying again in %g s", str(error).split("\n", 1)[0], seconds)
        self._rest(seconds)

    def _rest(self, seconds: float | None = None) -> None:
        """Do nothing for so long, or until something changes."""
        self._changed.clear()
        # Whoever changes something says so after it is changed.
        if not self._stopping and (self._paused or seconds is not None):
            self._changed.wait(seconds)

    # ---- for the thread of the alarms ----

    def _remind(self, seconds: float, what: Callable[[], None]) -> None:
        alarms = self._alarms
        self._overdue.append(alarms.after(seconds, lambda: alarms.apart(what)))

    def _forget_reminders(self) -> None:
        while self._overdue:
            self._alarms.drop(self._overdue.pop())

    def _tell(self) -> None:
        done = self._batch.take_done()
        try:
            finish(self.task_master, done)
        except CoordinateException as error:
            logger.warning("%d units could not be finished now: %s", len(done), error)
            for unit in done:
                self._batch.took(unit)

    def _give_back(self) -> None:
        give_back(self.task_master, self._batch.take_waiting())

    # ---- for other threads ----

    def stop(self) -> None:
        """Finish what runs, give back what was not begun, and let `run` return."""
        self._stopping = True
        self._changed.set()
        self._give_back()
        self._end_wait()

    def stop_now(self) -> None:
        """Stop, and give back what runs, too."""
        self.stop()
        self._runner.cancel("stopped")

    def give_up(self) -> None:
        """Give back what was not begun; the process ends then."""
        self._stopping = True
        self._give_back()

    def pause(self) -> None:
        """Finish what runs, and take no more."""
        self._paused = True
        self._give_back()
        self._end_wait()

    def resume(self) -> None:
        """Take work again."""
        self._paused = False
        self._changed.set()

    def _end_wait(self) -> None:
        """Have the server's answer waited for no longer."""
        # A wait that is only about to begin cannot be ended yet.
        while self._waiting and (self._stopping or self._paused):
            self.task_master.close()
            if self._stopping:
                time.sleep(0.01)
            else:
                self._changed.wait(0.01)
