"""An open load: calls at planned moments, whether or not those before have been answered.

What an answer took is counted from the moment at which the timer for the call rang, so that a
server that stops for a while is charged with every call that came meanwhile.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final

from queues.coordinate import FINISHED, WORKER
from queues.messages import plain
from wire import LONGEST, Line, connected_many

__all__ = ["open_latencies", "open_rate"]

_SEED: Final = 6
_GET: Final = {"worker_id": WORKER, "available_gb": 1, "lease_time": 900}


class _Lane:
    """One connection that finishes a unit and takes the next in each call."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._units: Sequence[Any] = ()

    async def call(self) -> float:
        """Make one call; gives when its answer came.

        Raises:
            RuntimeError: there is nothing to take any more, so the load is none.
        """
        finished = [_finish(unit) for unit in self._units]
        _, future = self._line.send("update_work_units", finished, {"get_work": _GET})
        answer = await asyncio.wait_for(future, LONGEST)
        self._units = plain(answer.result)[1]
        if not self._units:
            raise RuntimeError("all units are finished before the load has ended")
        return answer.moment


def _finish(unit: Any) -> tuple[Any, ...]:
    spec, key, _, handed = plain(unit)
    return spec, key, {"status": FINISHED, "worker_id": WORKER, "attempt": handed["attempt"]}


async def open_rate(place: tuple[str, int], lanes: int, seconds: float) -> float:
    """Calls per second where each lane calls as soon as its answer is there: the most there are."""
    made = [_Lane(line) for line in await connected_many(place, lanes)]
    end, done = time.perf_counter() + seconds, 0

    async def go_on(lane: _Lane) -> None:
        nonlocal done
        while time.perf_counter() < end:
            await lane.call()
            done += 1

    await asyncio.gather(*map(go_on, made))
    return done / seconds


def _planned(rate: float, seconds: float) -> Iterator[float]:
    """Seconds from the beginning, as independent callers come (a Poisson process)."""
    chance, at = random.Random(_SEED), 0.0  # noqa: S311 - the same arrivals in each run
    while (at := at + chance.expovariate(rate)) < seconds:
        yield at


async def open_latencies(
    place: tuple[str, int], lanes: int, rate: float, seconds: float
) -> list[float]:
    """Seconds from the moment of each call to its answer, sorted.

    Args:
        place: the server's.
        lanes: connections; a call that finds all of them busy waits, and its time counts.
        rate: calls per second.
        seconds: for how long.
    """
    idle = deque(_Lane(line) for line in await connected_many(place, lanes))
    for lane in idle:
        await lane.call()
    return await _Load(idle).run(rate, seconds)


class _Load:
    """Calls that are due, and lanes that can make them."""

    def __init__(self, idle: deque[_Lane]) -> None:
        self._idle = idle
        self._due: deque[float] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._spent: list[float] = []

    async def run(self, rate: float, seconds: float) -> list[float]:
        """Make the calls; gives the sorted seconds of each."""
        began = time.perf_counter()
        for after in _planned(rate, seconds):
            if (left := began + after - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            elif not len(self._spent) % len(self._idle or [0]):
                # Behind its plan: answers must be read all the same.
                await asyncio.sleep(0)
            # Timers ring up to a millisecond late, which is not the server's time.
            self._due.append(time.perf_counter())
            self._start()
        while self._running:
            await asyncio.gather(*self._running)
        return sorted(self._spent)

    def _start(self) -> None:
        while self._due and self._idle:
            lane, planned = self._idle.popleft(), self._due.popleft()
            task = asyncio.get_running_loop().create_task(self._call(lane, planned))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _call(self, lane: _Lane, planned: float) -> None:
        self._spent.append(await lane.call() - planned)
        self._idle.append(lane)
        self._start()
