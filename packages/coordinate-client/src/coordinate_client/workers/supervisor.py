"""The parent of children that run units: keeps as many as it should, and ends what must end."""

import logging
import select
import signal
from collections.abc import Callable
from typing import Protocol

from attrs import define, field

from coordinate_client.constants import IDLE, RUN, TERMINATE
from coordinate_client.orders import CancelOrder, Orders
from coordinate_client.steady import steady
from coordinate_client.workers.board import Running
from coordinate_client.workers.children import Child, Children
from coordinate_client.workers.codes import BORED, ERROR, RAN
from coordinate_client.workers.machine import resident_bytes
from coordinate_client.workers.running.endings import STOPPED
from coordinate_client.workers.verdicts import Bounds, Verdict, verdict
from coordinate_protocol.values import key_bytes

__all__ = ["STOPPING", "Keeping", "Supervisor", "Telling"]

logger = logging.getLogger("coordinate_client.worker")

STOPPING = (signal.SIGTERM, signal.SIGINT)
"""The first of these lets units end, a second one gives them back."""
_FAILED_START_PAUSE = 2.0
# A child that runs nothing and was told to stop is gone after this.
_STOP_SECONDS = 5.0


class Telling(Protocol):
    """What a supervisor needs of its messenger."""

    def fileno(self) -> int:
        """What can be read when there are orders."""

    def orders(self) -> Orders | None:
        """The newest orders, if there are new ones."""

    def set_mode(self, mode: str) -> None:
        """Have the server know what the worker does."""

    def fail(self, worker_id: str, running: Running, reason: str) -> None:
        """Fail a unit."""

    def gone(self, worker_id: str, running: Running | None) -> None:
        """Say that a child is gone."""


class Signalled(Protocol):
    """The signals that came."""

    def fileno(self) -> int:
        """What can be read when one came."""

    def next(self, seconds: float) -> bytes:
        """Which came."""


@define
class Keeping:
    """How children are kept.

    Args:
        bounds: what a unit may take.
        poll_interval: seconds between two looks.
        spawn_interval: seconds between two starts.
        cancel_seconds: from asking a unit to end until SIGTERM.
        kill_seconds: from SIGTERM until SIGKILL.
        once: whether a child that has ended is not followed by another one.
    """

    bounds: Bounds
    poll_interval: float
    spawn_interval: float
    cancel_seconds: float
    kill_seconds: float
    once: bool = False


@define
class Supervisor:
    """Keeps children, until it is to stop and they have ended.

    Args:
        children: starts and reaps them.
        messenger: tells the server.
        signals: what this process is told.
        keeping: how they are kept.
        clock: the steady clock.
        resident: the memory of a process, in bytes.
    """

    children: Children
    messenger: Telling
    signals: Signalled
    keeping: Keeping
    clock: Callable[[], float] = steady
    resident: Callable[[int], int | None] = resident_bytes
    mode: str = field(default=RUN, init=False)
    codes: set[int] = field(factory=set, init=False)
    _stops: int = field(default=0, init=False)
    _stopped_at: float | None = field(default=None, init=False)
    _next_spawn: float = field(default=0.0, init=False)
    _cancelled: tuple[CancelOrder, ...] = field(default=(), init=False)

    def run(self) -> int:
        """Keep children; the status to exit with."""
        while (code := self.turn()) is None:
            self._wait()
        return code

    def turn(self) -> int | None:
        """Do what there is to do now; the status to exit with, None while it is not over."""
        self._reap()
        self._obey()
        self._spawn()
        for child in self.children:
            self._watch(child)
        ended = not self.children and not self._wants_more
        return self._code() if ended and (self._stops or self.keeping.once) else None

    def _code(self) -> int:
        if RAN in self.codes or not self.keeping.once:
            return RAN
        return ERROR if self.codes - {BORED} else BORED

    # ---- children that end ----

    def _reap(self) -> None:
        for child in self.children.reap():
            code = child.exit_code or 0
            self.codes.add(code)
            if code not in {RAN, BORED}:
                self._bury(child, code)
            self.children.release(child)

    def _bury(self, child: Child, code: int) -> None:
        """A child could not say itself what became of its units."""
        running = child.slot.running
        if code == ERROR:
            # It has said why; the next one hardly does better at once.
            self._next_spawn = self.clock() + _FAILED_START_PAUSE
        else:
            what = f"signal {-code}" if code < 0 else f"status {code}"
            logger.error("child %d ended with %s%s", child.pid, what, _of(running))
        if running is not None and child.ending is not None and _same(running, child.ending[0]):
            found = child.ending[1]
            if not found.fails and found.reason != STOPPED:
                self.messenger.fail(child.worker_id, running, found.reason)
            running = None
        self.messenger.gone(child.worker_id, running)

    # ---- what it is told ----

    def _obey(self) -> None:
        for number in self.signals.next(0.0):
            if number in STOPPING:
                self._stop()
            elif number == signal.SIGABRT:
                self._abort()
        orders = self.messenger.orders()
        if orders is not None:
            self._follow(orders)
        for order in self._cancelled:
            self._cancel(order)

    def _stop(self) -> None:
        """The first time: finish what runs; after that: give it back, and end at once."""
        self._stops += 1
        if self._stops == 1:
            self._stopped_at = self.clock()
            logger.info("stopping when %d children have finished", len(self.children))
            self.messenger.set_mode(TERMINATE)
        else:
            logger.info("stopping now: what runs is given back")
            self._give_back()
        self._end_children()

    def _give_back(self) -> None:
        """Have each child give back what it runs; two SIGTERMs may look like one to it."""
        for child in self.children:
            running = child.slot.running
            if running is not None and child.ending is None:
                self._end(child, running, Verdict(STOPPED, self.clock()))

    def _end_children(self) -> None:
        self._stopped_at = self.clock()
        self.children.signal(signal.SIGTERM)

    def _abort(self) -> None:
        logger.warning("aborted: %d children are killed", len(self.children))
        self._stops += 1
        for child in self.children:
            child.kill()

    def _follow(self, orders: Orders) -> None:
        self._cancelled = orders.cancelled
        if orders.mode == self.mode or self._stops:
            return
        logger.info("mode %s was asked for", orders.mode)
        self.mode = orders.mode
        self.messenger.set_mode(orders.mode)
        if orders.mode == TERMINATE:
            self._stop()
        elif orders.mode == IDLE:
            self._end_children()
        else:
            self._stopped_at = None

    def _cancel(self, order: CancelOrder) -> None:
        for child in self.children:
            running = child.slot.running
            if running is not None and child.ending is None and _ordered(running, order):
                reason = order.reason or "cancelled"
                self._end(child, running, Verdict(reason, self.clock()))

    # ---- children that are to be there ----

    @property
    def _wants_more(self) -> bool:
        ended = self.keeping.once and self.codes
        return self.children.room and self.mode == RUN and not self._stops and not ended

    def _spawn(self) -> None:
        if self._wants_more and self.clock() >= self._next_spawn:
            self.children.spawn()
            self._next_spawn = self.clock() + self.keeping.spawn_interval

    # ---- units that are to end ----

    def _watch(self, child: Child) -> None:
        running = child.slot.running
        if running is None:
            child.ending = None
            self._watch_idle(child)
            return
        if child.ending is not None and not _same(running, child.ending[0]):
            # It came to its end by itself meanwhile.
            child.ending, child.pressed = None, 0
        if child.ending is None:
            self._judge(child, running)
        if child.ending is not None:
            self._press(child, child.ending[1])

    def _watch_idle(self, child: Child) -> None:
        if self._stopped_at is not None and self.clock() > self._stopped_at + _STOP_SECONDS:
            logger.warning("child %d does not stop: killed", child.pid)
            child.kill()

    def _judge(self, child: Child, running: Running) -> None:
        bounds = self.keeping.bounds
        resident = None if bounds.max_memory_gb is None else self.resident(child.pid)
        found = verdict(running, resident, self.clock(), bounds)
        if found is not None:
            self._end(child, running, found)

    def _end(self, child: Child, running: Running, found: Verdict) -> None:
        logger.warning("child %d is to end%s: %s", child.pid, _of(running), found.reason)
        child.ending, child.pressed = (running, found), 0
        if found.fails:
            self.messenger.fail(child.worker_id, running, found.reason)
        if found.asks:
            child.ask(running, found.reason)

    def _press(self, child: Child, found: Verdict) -> None:
        """Insist, when it has had time to end by itself."""
        age = self.clock() - found.since
        keeping = self.keeping
        if found.kills or age >= keeping.cancel_seconds + keeping.kill_seconds:
            child.kill()
        elif age >= keeping.cancel_seconds and child.pressed != signal.SIGTERM:
            child.pressed = signal.SIGTERM
            child.signal(signal.SIGTERM)
        elif found.asks and 0 < age < keeping.cancel_seconds:
            # The thread that has to notice it may have begun to wait just as the signal came.
            child.signal(signal.SIGUSR1)

    # ---- waiting ----

    def _wait(self) -> None:
        """Wait until there is something to do, or to look at."""
        seconds = self.keeping.poll_interval
        if self._wants_more:
            seconds = min(seconds, max(0.0, self._next_spawn - self.clock()))
        select.select([self.signals.fileno(), self.messenger.fileno()], [], [], seconds)


def _same(one: Running, other: Running) -> bool:
    """Whether it is the same hand-out of the same unit."""
    return _name(one) == _name(other)


def _name(running: Running) -> tuple[str, bytes, int | None, float]:
    return running.work_spec_name, running.key, running.attempt, running.began


def _ordered(running: Running, order: CancelOrder) -> bool:
    names = running.work_spec_name, running.key
    same = names == (order.work_spec_name, key_bytes(order.work_unit_key))
    return same and order.attempt in {None, running.attempt}


def _of(running: Running | None) -> str:
    if running is None:
        return ""
    key = running.key.decode(errors="backslashreplace")
    return f", running {key!r} of {running.work_spec_name!r} (attempt {running.attempt})"
