"""Ends what is due when it is, while nobody calls."""

from collections.abc import Callable
from typing import Protocol

from attrs import define, field

from coordinate_server.model import Instant, Model
from coordinate_server.service.clock import Clock
from coordinate_server.service.committer import Committer

__all__ = ["Timekeeper"]

_LONGEST = 1.0
"""Seconds after which the clocks are compared again: a wall clock may be set at any time."""

_SHORTEST = 0.001
"""Seconds between two looks: what is due within them is done together."""


class _Handle(Protocol):
    def cancel(self) -> None: ...


class _Loop(Protocol):
    def call_later(self, delay: float, callback: Callable[[], None], /) -> _Handle: ...


@define(eq=False)
class Timekeeper:
    """Looks at the model when something in it is due, to the millisecond, and once a second.

    Arguments:
        model: the state.
        clock: gives the moment.
        committer: makes durable what comes of it.
        loop: has the timer.
    """

    model: Model
    clock: Clock
    committer: Committer
    loop: _Loop
    _handle: _Handle | None = field(default=None, init=False)
    _at: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Begin; from now on every group of calls may bring the next look forward."""
        self.committer.after_commit.append(self.plan)
        self._look()

    def stop(self) -> None:
        """Look no more."""
        if self._handle is not None:
            self._handle.cancel()

    def plan(self) -> None:
        """Have the next look be in time for what is due next."""
        at = self.clock.instant()
        due = at.now + max(_SHORTEST, min(_LONGEST, self._seconds(at)))
        if due < self._at:
            self.stop()
            self._set(due, at)

    def _seconds(self, at: Instant) -> float:
        deadline = self.model.next_deadline()
        seconds = _LONGEST
        if deadline.now is not None:
            seconds = deadline.now - at.now
        if deadline.wall is not None:
            seconds = min(seconds, deadline.wall - at.wall)
        return seconds

    def _set(self, due: float, at: Instant) -> None:
        self._at = due
        self._handle = self.loop.call_later(max(0.0, due - at.now), self._look)

    def _look(self) -> None:
        at = self.clock.instant()
        self._set(at.now + _LONGEST, at)
        self.model.run_due(at)
        self.committer.request_flush()
