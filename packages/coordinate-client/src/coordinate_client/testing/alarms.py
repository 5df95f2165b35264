"""Alarms that ring when a fake clock is moved, in the thread that moves it."""

import math

from coordinate_client.testing.clock import FakeClock
from coordinate_client.workers.running.alarms import Alarm, Alarms, Called

__all__ = ["ClockAlarms"]


class ClockAlarms(Alarms):
    """What limits units that run and renews their leases, at whole seconds of a fake clock.

    A lease is measured by the machine's clock, which goes on a little meanwhile: when its last
    second has begun, the server must have noticed its end as well.
    """

    def __init__(self, clock: FakeClock) -> None:
        """Begin without any.

        Args:
            clock: rings them.
        """
        super().__init__(clock.seconds)
        self._rings = False
        clock.ringing.append(self)

    def start(self) -> None:
        """Do nothing: there is no thread."""

    def after(self, seconds: float, called: Called) -> Alarm:
        """Set an alarm; one that is due at once rings at once.

        Args:
            seconds: when it rings, from now on.
            called: is called by who moves the clock.
        """
        alarm = Alarm(self.clock() + math.ceil(seconds), called)
        if seconds > 0:
            self._set.add(alarm)
        else:
            called()
        return alarm

    def apart(self, called: Called) -> None:
        """Call something that may wait; what an alarm brings about is done when that has rung."""
        if self._rings:
            called()
        else:
            super().apart(called)

    def next_due(self) -> float | None:
        """When one rings next."""
        return min((alarm.at for alarm in self._set), default=None)

    def ring(self) -> None:
        """Ring those whose time has come."""
        self._rings = True
        try:
            for alarm in self._due():
                alarm.called()
        finally:
            self._rings = False
