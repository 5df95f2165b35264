"""Alarms: something that is called when its time has come, while the code of units runs."""

import logging
import math
import os
import signal
from _thread import allocate_lock
from collections.abc import Callable
from threading import Thread

from attrs import define

from coordinate_client.steady import steady

__all__ = ["Alarm", "Alarms", "shared_alarms"]

logger = logging.getLogger("coordinate_client.worker")

Called = Callable[[], object]

# A machine that slept is noticed this many seconds after it woke up: the clock that alarms are
# measured by went on, what a thread waits by did not.
_LONGEST = 60.0


class _Process:
    """Which of the processes that were forked, one from the other, this is."""

    forks = 0

    @classmethod
    def forked(cls) -> None:
        cls.forks += 1


os.register_at_fork(after_in_child=_Process.forked)


@define(eq=False)
class Alarm:
    """One call that is due later.

    Args:
        at: when, on the clock of its `Alarms`.
        called: what is called then; it must not wait for anything.
    """

    at: float
    called: Called


class Alarms:
    """One thread that makes calls when they are due.

    It is started by the first alarm. Most alarms are taken back before they are due, thousands in a
    second: none of them wakes the thread, unless it is due before all that were set. Alarms may be
    set in signal handlers: nothing here waits for a lock.

    Attributes:
        clock: seconds that go on evenly.
    """

    def __init__(self, clock: Callable[[], float] = steady) -> None:
        """Begin without any.

        Args:
            clock: as the attribute.
        """
        self.clock = clock
        self._begin()

    def _begin(self) -> None:
        self._owner = _Process.forks
        # Its operations are atomic, and so are list() of it and the release of the lock below.
        self._set: set[Alarm] = set()
        self._wakes = math.inf
        self._asleep = allocate_lock()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread, so that setting an alarm does not have to."""
        if self._owner != _Process.forks:
            # A forked child has the alarms of its parent, but not the thread.
            self._begin()
        if self._thread is None:
            self._thread = Thread(target=self._run, name="coordinate-alarms", daemon=True)
            self._thread.start()

    def after(self, seconds: float, called: Called) -> Alarm:
        """Set an alarm.

        Args:
            seconds: when it rings, from now on.
            called: is called in the thread of the alarms.
        """
        if self._thread is None or self._owner != _Process.forks:
            self.start()
        alarm = Alarm(self.clock() + seconds, called)
        self._set.add(alarm)
        # In this order: the thread looks at the alarms after it has said that it is awake.
        if alarm.at < self._wakes:
            # One that is taken back before the thread has looked would else have each after it
            # wake the thread again.
            self._wakes = alarm.at
            self._wake()
        return alarm

    def drop(self, alarm: Alarm) -> None:
        """Take an alarm back; one that has rung stays so."""
        self._set.discard(alarm)

    def apart(self, called: Called) -> None:
        """Call something that may wait, in a thread of its own."""
        Thread(target=called, name="coordinate-apart", daemon=True).start()

    def _wake(self) -> None:
        try:
            self._asleep.release()
        except RuntimeError:
            # It is awake already.
            return

    def _run(self) -> None:
        _leave_signals_to_others()
        asleep = self._asleep
        while True:
            for alarm in self._due():
                _ring(alarm)
            asleep.acquire(timeout=max(self._wakes - self.clock(), 0.0))

    def _due(self) -> list[Alarm]:
        """What is due now; the others say when to look again."""
        asked, self._wakes = self._wakes, math.inf
        now = self.clock()
        known = list(self._set)
        due = sorted((one for one in known if one.at <= now), key=lambda one: one.at)
        self._set.difference_update(due)
        later = [one.at for one in known if one.at > now]
        self._wakes = min(*later, now + _LONGEST, asked if asked > now else math.inf)
        return due


def _leave_signals_to_others() -> None:
    """Have the system give no signal to this thread, nor to those that it starts.

    Of two signals that come at once, a thread that takes both leaves the main thread asleep, which
    alone runs Python's handlers.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def _ring(alarm: Alarm) -> None:
    try:
        alarm.called()
    except Exception:
        # The other alarms are other units'.
        logger.exception("an alarm could not be followed")


_SHARED = Alarms()


def shared_alarms() -> Alarms:
    """The alarms of this process."""
    return _SHARED
