"""The children of a `ForkWorker`: started, ended, and what their ends say."""

import gc
import logging
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator

from attrs import define, field

from coordinate_client.workers.board import Board, Request, Running, Slot
from coordinate_client.workers.codes import ERROR
from coordinate_client.workers.verdicts import Verdict

__all__ = ["Child", "Children"]

logger = logging.getLogger("coordinate_client.worker")

# A child: worker id and slot; the status to exit with.
Live = Callable[[str, Slot], int]


@define(eq=False)
class Child:
    """A process that runs units.

    Args:
        pid: the process.
        worker_id: its name at the server.
        slot: where it says what it runs.
        ending: the unit that it is to end, and why; None for none.
        pressed: the last signal that it got for that.
        status: what its end was, as `waitpid` says it; None while it lives.
    """

    pid: int
    worker_id: str
    slot: Slot
    ending: tuple[Running, Verdict] | None = None
    pressed: int = 0
    status: int | None = None

    def signal(self, number: int) -> None:
        """Send a signal; it has not been reaped, so the process is there."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self.signal(signal.SIGKILL)

    def ask(self, running: Running, reason: str) -> None:
        """Have it end a unit, if that is still what it runs."""
        self.slot.ask(Request(running.attempt, reason))
        self.signal(signal.SIGUSR1)

    @property
    def exit_code(self) -> int | None:
        """The status that it exited with, minus the signal that killed it; None while it lives."""
        return None if self.status is None else os.waitstatus_to_exitcode(self.status)


@define
class Children:
    """All children, each with a slot of the board.

    Args:
        board: has a slot for each.
        live: is called in each child, and gives the status to exit with.
    """

    board: Board
    live: Live
    by_pid: dict[int, Child] = field(factory=dict, init=False)
    _free: list[Slot] = field(init=False)

    @_free.default
    def _all_slots(self) -> list[Slot]:
        return list(reversed(self.board.slots))

    def __len__(self) -> int:
        return len(self.by_pid)

    def __iter__(self) -> Iterator[Child]:
        return iter(tuple(self.by_pid.values()))

    @property
    def room(self) -> bool:
        """Whether there is a slot for another one."""
        return bool(self._free)

    def spawn(self) -> Child:
        """Start a child."""
        slot = self._free.pop()
        worker_id = secrets.token_hex(16)
        slot.give(worker_id)
        sys.stdout.flush()
        sys.stderr.flush()
        # What is there is left alone by the collector, so that its memory stays shared.
        gc.freeze()
        pid = os.fork()
        if not pid:
            self._child(worker_id, slot)
        gc.unfreeze()
        child = Child(pid, worker_id, slot)
        self.by_pid[pid] = child
        return child

    def _child(self, worker_id: str, slot: Slot) -> None:
        """Be the child; this does not return."""
        status = ERROR
        try:
            status = self.live(worker_id, slot)
        except BaseException:
            logger.exception("child %s failed", worker_id)
        finally:
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def reap(self) -> list[Child]:
        """The children that have ended; their slots say what they ran, until `release`."""
        ended = []
        for child in self:
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                del self.by_pid[pid]
                child.status = status
                ended.append(child)
        return ended

    def release(self, child: Child) -> None:
        """Let another child have the slot of one that has ended."""
        child.slot.give("")
        self._free.append(child.slot)

    def signal(self, number: int) -> None:
        """Send a signal to all."""
        for child in self:
            child.signal(number)
