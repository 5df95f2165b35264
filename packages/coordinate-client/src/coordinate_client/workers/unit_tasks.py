"""Units that run as tasks of one event loop: fetched, run, told."""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from coordinate_client.exceptions import CoordinateException
from coordinate_client.workers.board import Running
from coordinate_client.workers.current import CURRENT
from coordinate_client.workers.noted import running_of
from coordinate_client.workers.telling import said_of
from coordinate_client.workers.wanted import WantedUnits

if TYPE_CHECKING:
    from coordinate_client import AsyncTaskMaster, AsyncWorkUnit
    from coordinate_client.workers.running import AsyncRunner

__all__ = ["UnitTasks"]

logger = logging.getLogger("coordinate_client.worker")

_WAIT = 60.0
_PAUSE = 1.0


@define(eq=False)
class UnitTasks:
    """Fetches as many units as there is room for, and runs each as a task.

    What is done while the server is told something is told with the next message. All but `work` is
    called in its loop meanwhile.

    Args:
        task_master: the way to the server.
        wanted: which units are fetched; how many at most run at once.
        once: whether it ends when there is no work.

    Attributes:
        runner: runs a unit; has to be set before `work`.
        running: what runs.
    """

    task_master: "AsyncTaskMaster"
    wanted: WantedUnits
    once: bool = False
    running: dict["AsyncWorkUnit", Running] = field(factory=dict, init=False)
    runner: "AsyncRunner" = field(init=False)
    _ran: int = field(default=0, init=False)
    _stopping: bool = field(default=False, init=False)
    _paused: bool = field(default=False, init=False)
    _changed: asyncio.Event = field(factory=asyncio.Event, init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)
    _done: list["AsyncWorkUnit"] = field(factory=list, init=False)
    _fetch: asyncio.Task[None] | None = field(default=None, init=False)

    async def work(self) -> int:
        """Run units until it is stopped; how many ran."""
        while not self._over:
            self._changed.clear()
            if self._done:
                await self._tell()
            elif self._takes and self._fetch is None:
                self._fetch = asyncio.create_task(self._fetched())
            else:
                await self._changed.wait()
        await self._end_fetch()
        return self._ran

    @property
    def _over(self) -> bool:
        return self._stopping and not self._tasks and not self._done

    @property
    def _takes(self) -> bool:
        return not self._stopping and not self._paused and len(self._tasks) < self.wanted.most

    async def _tell(self) -> None:
        done, self._done = self._done, []
        try:
            results = await self.task_master.finish_units(done)
        except CoordinateException as error:
            logger.warning("%d units could not be finished now: %s", len(done), error)
            if self._stopping:
                # Their leases run out, and they run again.
                return
            self._done += done
            await asyncio.sleep(_PAUSE)
            return
        for unit, result in zip(done, results, strict=True):
            if not result.done:
                logger.warning("not finished: %s", result.message, extra=said_of(unit))

    async def _fetched(self) -> None:
        try:
            room = self.wanted.most - len(self._tasks)
            options = evolve(self.wanted, most=room).options()
            found = await self.task_master.get_work(**options, wait=0.0 if self.once else _WAIT)
            units = [found] if room == 1 and found is not None else found or []
            self._begin(units)
            if self.once and not units and not self._tasks:
                self._stopping = True
        except CoordinateException as error:
            logger.warning("no work: %s", str(error).split("\n", 1)[0])
            await asyncio.sleep(_PAUSE)
        finally:
            self._fetch = None
            self._changed.set()

    def _begin(self, units: Iterable["AsyncWorkUnit"]) -> None:
        for unit in units:
            self._tasks.add(asyncio.create_task(self._run(unit)))

    async def _run(self, unit: "AsyncWorkUnit") -> None:
        CURRENT.set(unit)
        try:
            spec = await unit.spec
            self.running[unit] = running_of(unit, self.runner.limit(spec))
            self._ran += 1
            ran = await self.runner.run(unit, finish=False)
            if ran.outcome == "finished":
                self._done.append(unit)
        except CoordinateException as error:
            logger.warning("not run: %s", str(error).split("\n", 1)[0])
        finally:
            self.running.pop(unit, None)
            self._tasks.discard(asyncio.current_task())
            self._changed.set()

    def progressed(self, unit: "AsyncWorkUnit", progress: Any) -> None:
        """Note how far a unit is."""
        if unit in self.running:
            self.running[unit] = evolve(self.running[unit], progress=progress)

    # ---- orders ----

    def stop(self) -> None:
        """Finish what runs, and let `work` return."""
        self._stopping = True
        self._take_none()

    def stop_now(self) -> None:
        """Give back what runs, and let `work` return."""
        self.stop()
        for unit in tuple(self.running):
            self.runner.cancel(unit, "stopped")

    def pause(self) -> None:
        """Finish what runs, and take no more."""
        self._paused = True
        self._take_none()

    def resume(self) -> None:
        """Take work again."""
        self._paused = False
        self._changed.set()

    def _take_none(self) -> None:
        if self._fetch is not None:
            self._fetch.cancel()
        self._changed.set()

    async def _end_fetch(self) -> None:
        if self._fetch is not None:
            self._fetch.cancel()
            with suppress(asyncio.CancelledError):
                await self._fetch
