"""The process that speaks with the server on behalf of a `ForkWorker`.

The parent forks children, so it has no threads and never waits for a server: its heart beats in
this process, and here is told what became of units whose children could not say it themselves.
"""

import logging
import os
import signal
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from attrs import frozen

from coordinate_client import TaskMaster
from coordinate_client.constants import FAILED, RUN
from coordinate_client.exceptions import CoordinateException
from coordinate_client.orders import CancelOrder, Orders
from coordinate_client.workers.board import Board, Running
from coordinate_client.workers.heart import Heart, Pulse
from coordinate_client.workers.presence import presence, running_shown
from coordinate_client.workers.titles import set_title
from coordinate_protocol.codec import decode, encode

__all__ = ["Messenger", "MessengerPlan"]

logger = logging.getLogger("coordinate_client.worker")

_STOP_SECONDS = 5.0


@frozen
class MessengerPlan:
    """What a messenger is to do.

    Args:
        config: the `coordinate:` block.
        pulse: whose heart beats, and how often.
        packages: whether each heartbeat says what is installed.
    """

    config: Mapping[str, Any]
    pulse: Pulse
    packages: bool


class Messenger:
    """The parent's end: what it says is done in its order, and orders can be read."""

    def __init__(self, plan: MessengerPlan, board: Board) -> None:
        """Fork the process.

        Args:
            plan: what it is to do.
            board: where the children are.
        """
        self._plan = plan
        self._board = board
        self._mode = RUN
        self._start()

    def _start(self) -> None:
        self._started_at = time.monotonic()
        self._ours, theirs = Pipe()
        self.pid = os.fork()
        if not self.pid:
            self._ours.close()
            status = 1
            try:
                _live(self._plan, self._board, theirs)
                status = 0
            except BaseException:
                logger.exception("the messenger failed")
            finally:
                os._exit(status)
        theirs.close()

    def _restart(self) -> None:
        """Have another one, in place of one that was killed."""
        os.waitpid(self.pid, 0)
        logger.error("the messenger has died; another one is started")
        self._ours.close()
        # One that cannot live is not started over and over.
        time.sleep(max(0.0, 1.0 - (time.monotonic() - self._started_at)))
        self._start()
        self.set_mode(self._mode)

    def fileno(self) -> int:
        """What can be read when there are orders, or the process has ended."""
        return self._ours.fileno()

    def orders(self) -> Orders | None:
        """The newest orders; None where there are no new ones."""
        found = None
        try:
            while self._ours.poll():
                found = _orders_of(decode(self._ours.recv_bytes()))
        except (EOFError, OSError):
            self._restart()
        return found

    def set_mode(self, mode: str) -> None:
        """Have the heartbeats say what the worker does."""
        self._mode = mode
        self._say({"mode": mode})

    def fail(self, worker_id: str, running: Running, reason: str) -> None:
        """Fail a unit that a child had."""
        self._say(
            {
                "fail": [running.work_spec_name, running.key, running.attempt],
                "worker_id": worker_id,
                "reason": reason,
            }
        )

    def gone(self, worker_id: str, running: Running | None) -> None:
        """Say that a child is gone.

        Args:
            worker_id: the child.
            running: what it ran then; that counts as a lost lease.
        """
        lost = [] if running is None else [[running.work_spec_name, running.key]]
        self._say({"gone": worker_id, "lost": lost})

    def drop(self) -> None:
        """Let go of it, in a child that was forked: else it would not see its parent end."""
        self._ours.close()

    def close(self) -> bool:
        """Have it tell what is left, and end; whether it did so in time."""
        self._ours.close()
        until = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < until:
            pid, _ = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return True
            time.sleep(0.005)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return False

    def _say(self, message: dict[str, Any]) -> None:
        # One that has died is noticed when its orders are read.
        with suppress(OSError):
            self._ours.send_bytes(encode(message))


def _orders_of(said: Mapping[str, Any]) -> Orders:
    cancelled = tuple(CancelOrder(*one) for one in said["cancelled"])
    return Orders(said["position"], said["mode"], cancelled, said["packages"])


class _Speaker:
    """The process's own end: whose heart beats, and what is told."""

    def __init__(self, plan: MessengerPlan, board: Board, theirs: Connection) -> None:
        self._plan = plan
        self._board = board
        self._theirs = theirs
        self._mode = RUN

    def mode(self) -> str:
        return self._mode

    def told(self, *, packages: bool) -> dict[str, Any]:
        pulse = self._plan.pulse
        wants = packages or self._plan.packages
        said = presence(pulse.worker_id, pulse.parent, wants_packages=wants)
        running = ((slot.owner, slot.running) for slot in self._board.slots)
        shown = running_shown((owner, unit) for owner, unit in running if unit is not None)
        return said | {"pid": os.getppid(), "running": shown}

    def children(self) -> Iterable[str]:
        return [owner for slot in self._board.slots if (owner := slot.owner)]

    def follow(self, orders: Orders) -> None:
        cancelled = [
            [one.work_spec_name, one.work_unit_key, one.attempt, one.reason]
            for one in orders.cancelled
        ]
        said = {
            "position": orders.position,
            "mode": orders.mode,
            "cancelled": cancelled,
            "packages": orders.packages,
        }
        with suppress(OSError):
            self._theirs.send_bytes(encode(said))

    def listen(self, task_master: TaskMaster, heart: Heart) -> None:
        """Do what the parent says, until it says no more."""
        with suppress(EOFError, OSError):
            while True:
                message = decode(self._theirs.recv_bytes())
                try:
                    self._do(task_master, heart, message)
                except CoordinateException as error:
                    # Its lease runs out; nobody else has it before.
                    logger.warning("could not be told: %s", str(error).split("\n", 1)[0])

    def _do(self, task_master: TaskMaster, heart: Heart, message: Mapping[str, Any]) -> None:
        if "mode" in message:
            self._mode = message["mode"]
            heart.beat_now()
        elif "fail" in message:
            _fail(task_master, message["fail"], message["worker_id"], message["reason"])
        else:
            lost = [(spec, key) for spec, key in message["lost"]]
            task_master.release_worker(message["gone"], lost)


def _fail(task_master: TaskMaster, unit: list[Any], worker_id: str, reason: str) -> None:
    spec, key, attempt = unit
    found = task_master.get_work_units(spec, [key])
    data = found[0][1] if found else {}
    told = {**data, "traceback": reason} if isinstance(data, dict) else {"traceback": reason}
    options = {"status": FAILED, "data": told, "worker_id": worker_id, "attempt": attempt}
    (result,) = task_master.update_work_units([(spec, key, options)])
    if not result.done:
        logger.info("%r of %r was not failed: %s", key, spec, result.message)


def _live(plan: MessengerPlan, board: Board, theirs: Connection) -> None:
    signal.set_wakeup_fd(-1)
    # The parent says when it is over, also by its death.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGABRT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    set_title("coordinate_worker: messenger")
    speaker = _Speaker(plan, board, theirs)
    heart = Heart(TaskMaster(plan.config), plan.pulse, speaker)
    heart.start()
    task_master = TaskMaster(plan.config)
    speaker.listen(task_master, heart)
    heart.stop()
    with suppress(CoordinateException):
        task_master.worker_unregister(plan.pulse.worker_id)
    task_master.close()
