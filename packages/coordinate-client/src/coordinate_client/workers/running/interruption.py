"""Ending the code of a unit before its time: what for, and how far that has come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from coordinate_client.exceptions import Cancelled
from coordinate_client.workers.running.alarms import Alarm, Alarms

__all__ = ["Interruption", "Patience", "Target"]

# Seconds between two looks whether code has noticed what it was told.
_SOON = 0.05
_LATER = 1.0

GiveUp = Callable[[Cancelled], object]

# A signal that comes just before the code begins to wait for the system does not end that.
_SOON = 0.05


def _nobody(error: Cancelled) -> None:
    """Do nothing: there is nobody to be given up any more."""


class Target(Protocol):
    """What runs and can be told to end.

    Attributes:
        reached: whether it was told in a way that it could notice.
    """

    @property
    def reached(self) -> bool:
        """Whether it was told in a way that it could notice."""

    def tell(self, error: Cancelled) -> None:
        """Tell it; in the thread of the alarms. A second time, where it goes on."""

    def remind(self) -> bool:
        """Say again what may not have arrived; whether there is anything that has not."""


class Patience:
    """Seconds that code has to end in.

    Attributes:
        first: after it was told, until it is told again.
        second: after that, until it is given up.
    """

    __slots__ = ("first", "second")

    def __init__(self, first: float, second: float) -> None:
        """Take both."""
        self.first = first
        self.second = second


class Interruption:
    """The end of a unit's code before its time; the first reason counts.

    The code is told, after some time it is told again, and when it goes on all the same, it is
    given up. All telling is done in the thread of the alarms, so that it never overlaps.

    Attributes:
        error: why it is to end; None while it is not.
        reached: whether the code was told.
    """

    __slots__ = (
        "_alarm",
        "_alarms",
        "_give_up",
        "_patience",
        "_reminder",
        "_target",
        "error",
        "reached",
    )

    def __init__(self, alarms: Alarms, patience: Patience, give_up: GiveUp) -> None:
        """Begin before anybody asks.

        Args:
            alarms: where it is told.
            patience: how long the code has.
            give_up: is called in a thread of its own when the code has not ended.
        """
        self.error: Cancelled | None = None
        self.reached = False
        self._alarms = alarms
        self._patience = patience
        self._give_up = give_up
        self._target: Target | None = None
        self._alarm: Alarm | None = None
        self._reminder: Alarm | None = None

    def ask(self, error: Cancelled) -> None:
        """Have the code end; any thread and any signal handler may ask."""
        if self.error is None:
            # In this order: `telling` looks for an error once it has set the target.
            self.error = error
            if (target := self._target) is not None:
                self._alarms.after(0.0, lambda: self._first(target))

    def _first(self, target: Target) -> None:
        self._tell(target, self._patience.first, self._second)

    def _second(self, target: Target) -> None:
        self._tell(target, self._patience.second, self._stuck)

    def _tell(self, target: Target, seconds: float, then: Callable[[Target], None]) -> None:
        if self._target is target and self.error is not None:
            # In this order: code that was told may end at once, and drops the alarms then.
            self._alarm = self._alarms.after(seconds, lambda: then(target))
            self._remind_soon(target)
            target.tell(self.error)

    def _remind_soon(self, target: Target) -> None:
        self._reminder = self._alarms.after(_SOON, lambda: self._remind(target))

    def _remind(self, target: Target) -> None:
        if self._target is target and target.remind():
            self._remind_soon(target)

    def _stuck(self, target: Target) -> None:
        error = self.error
        if self._target is target and error is not None:
            self._alarms.apart(lambda: self._give_up(error))

    def begin(self, target: Target) -> None:
        """Say who is to be told from now on.

        Raises:
            Cancelled: it is to end already.
        """
        self._target = target
        if self.error is not None:
            self.reached = True
            raise self.error

    def attend(self, target: Target) -> None:
        """Say who is to be told from now on; where it is to end already, it is told at once."""
        self._target = target
        if self.error is not None:
            self._alarms.after(0.0, lambda: self._first(target))

    def end(self, target: Target) -> None:
        """Say that nobody is to be told any more."""
        self._target = None
        self.reached = self.reached or target.reached
        if self.error is None:
            # Nothing was told, and no alarm was set for that.
            return
        for alarm in (self._alarm, self._reminder):
            if alarm is not None:
                self._alarms.drop(alarm)

    def close(self) -> None:
        """Say that the code has ended for good: what gives it up may hold the unit and this."""
        self._give_up = _nobody

    @property
    def runs(self) -> bool:
        """Whether there is anybody to be told."""
        return self._target is not None

    @contextmanager
    def telling(self, target: Target) -> Iterator[None]:
        """Say who is to be told in a block.

        Raises:
            Cancelled: it is to end already.
        """
        try:
            self.begin(target)
            yield
        finally:
            self.end(target)
