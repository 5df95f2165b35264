"""Heartbeats: what a worker tells of itself, and the orders that come back."""

import logging
from collections.abc import Iterable
from threading import Event, Thread
from typing import Any, Protocol

from attrs import frozen

from coordinate_client import TaskMaster
from coordinate_client.exceptions import ClientClosed, CoordinateException
from coordinate_client.orders import Orders

__all__ = ["Beating", "Heart", "Pulse"]

logger = logging.getLogger("coordinate_client.worker")

# A worker that was silent for so many heartbeats counts as gone.
_MISSED = 4
_SHORTEST_LIFE = 60.0
_LONGEST_PAUSE = 15.0


class Beating(Protocol):
    """Whose heart it is."""

    def mode(self) -> str:
        """What it does: RUN, IDLE or TERMINATE."""

    def told(self, *, packages: bool) -> dict[str, Any]:
        """What the heartbeat says of it.

        Args:
            packages: whether to say what is installed, too.
        """

    def children(self) -> Iterable[str]:
        """The workers that it has started."""

    def follow(self, orders: Orders) -> None:
        """Do what was asked for, in a thread of the heart; it does not take long."""


@frozen
class Pulse:
    """Who beats, and how often.

    Args:
        worker_id: the worker.
        parent: who started it; None for nobody.
        interval: seconds between two heartbeats.
    """

    worker_id: str
    parent: str | None
    interval: float

    @property
    def lifetime(self) -> float:
        """Seconds after which the worker counts as gone, if it is not heard of again."""
        return max(_SHORTEST_LIFE, _MISSED * self.interval)


class Heart:
    """A thread that tells the server about a worker, and the worker about its orders.

    A server that can, keeps its answer back until there are other orders: they arrive at once.
    """

    def __init__(self, task_master: TaskMaster, pulse: Pulse, worker: Beating) -> None:
        """Begin in silence.

        Args:
            task_master: the way to the server; nobody else uses it.
            pulse: who beats, and how often.
            worker: knows what to tell, and is told.
        """
        self._task_master = task_master
        self._pulse = pulse
        self._worker = worker
        self._seen: Any = None
        self._packages = False
        self._stopping = Event()
        self._news = Event()
        self._thread = Thread(target=self._run, name="coordinate-heart", daemon=True)

    def start(self) -> None:
        """Begin to beat, at once; a server that is away is told later."""
        self._thread.start()

    def beat_now(self) -> None:
        """Tell what is new, without waiting for the next time; from another thread."""
        self._news.set()
        # A heartbeat that is only about to wait cannot be ended yet.
        while self._news.is_set() and self._thread.is_alive():
            self._task_master.close()
            self._stopping.wait(0.02)

    def stop(self) -> None:
        """Stop beating; the server still believes the worker there."""
        self._stopping.set()
        while self._thread.is_alive():
            self._news.set()
            self._task_master.close()
            self._thread.join(0.02)

    def _run(self) -> None:
        wait = 0.0
        while not self._stopping.is_set():
            # Before it is asked what there is to tell: what is new from here on is told next.
            self._news.clear()
            try:
                orders = self._beat(wait)
                wait = self._pulse.interval
                self._follow(orders)
                # A server without orders answers at once.
                pause = 0.0 if orders.position is not None else self._pulse.interval
            except ClientClosed:
                # There is something new to tell, or it is to stop.
                continue
            except CoordinateException as error:
                if not self._stopping.is_set():
                    logger.warning("no heartbeat: %s", str(error).split("\n", 1)[0])
                pause = min(self._pulse.interval, _LONGEST_PAUSE)
            self._news.wait(pause)

    def _beat(self, wait: float) -> Orders:
        pulse, worker = self._pulse, self._worker
        return self._task_master.heartbeat(
            pulse.worker_id,
            worker.mode(),
            pulse.lifetime,
            worker.told(packages=self._packages),
            pulse.parent,
            children=tuple(worker.children()),
            seen=self._seen,
            wait=wait,
        )

    def _follow(self, orders: Orders) -> None:
        self._packages = orders.packages
        if orders.position is None or orders.position != self._seen:
            self._seen = orders.position
            self._worker.follow(orders)
