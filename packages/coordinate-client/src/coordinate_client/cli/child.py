"""A command that runs in the foreground, and that can be ended with all that it has started.

It gets a process group of its own. What a terminal sends to the foreground is passed on to it, and
the terminal is lent to it as soon as it reads from it, so that for a person all is as if the
command had been started by the shell: Ctrl-C, Ctrl-Z, fg, bg.
"""

import math
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Protocol

from attrs import define, field

from coordinate_client.cli.terminal import Terminal
from coordinate_client.signals import Signals

__all__ = ["CHILD_SIGNALS", "PASSED_ON", "Child", "Licence"]

PASSED_ON: Final = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGTSTP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
)
CHILD_SIGNALS: Final = (signal.SIGCHLD, signal.SIGCONT)

# Python ignores these two itself; a command expects what every other process gets.
_RESTORED: Final = (signal.SIGPIPE, signal.SIGXFSZ)
# One that stands still hears of these when it goes on.
_ENDS: Final = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM})
_TERMINAL_STOPS: Final = frozenset({signal.SIGTTIN, signal.SIGTTOU})
# How often to look whether what an ended command has started has ended, too.
_LOOK: Final = 0.05


class Licence(Protocol):
    """What the command needs in order to go on."""

    @property
    def left(self) -> float:
        """Seconds for which it lasts; 0 or less when it is over."""

    def over(self) -> None:
        """Take note that the command is being ended, because it is over."""


@define(eq=False)
class Child:
    """A command that was started.

    Arguments:
        pid: its process, which leads its group.
        signals: those that this process gets: ``PASSED_ON`` and ``CHILD_SIGNALS``.
        terminal: where a person sits; None where nobody does.
        kill_after: seconds from SIGTERM to SIGKILL.
        clock: seconds that go on evenly.
    """

    pid: int
    signals: Signals
    terminal: Terminal | None
    kill_after: float
    clock: Callable[[], float] = time.monotonic
    _status: int | None = field(default=None, init=False)
    _kill_at: float | None = field(default=None, init=False)
    _suspended: bool = field(default=False, init=False)

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        environment: Mapping[str, str],
        signals: Signals,
        kill_after: float,
    ) -> "Child":
        """Start a command with the standard input and output of this process.

        Raises:
            OSError: that does not work.
        """
        pid = os.posix_spawnp(
            command[0], list(command), environment, setpgroup=0, setsigmask=(), setsigdef=_RESTORED
        )
        return cls(pid, signals, Terminal.open(), kill_after)

    def wait(self, licence: Licence) -> int:
        """Wait until the command has ended, and end it when its licence is over.

        Returns:
            Its exit code; below 0, the number of the signal that has ended it.
        """
        try:
            while True:
                self._reap(licence)
                if self._status is not None and not self._has_rest():
                    return self._status
                self._check(licence)
                for number in self.signals.next(self._patience(licence)):
                    self._take(number, licence)
        finally:
            if self.terminal is not None:
                self.terminal.close()

    def _patience(self, licence: Licence) -> float:
        """Seconds until there is something to do, if nothing happens."""
        if self._status is not None:
            return _LOOK
        return licence.left if self._kill_at is None else self._kill_at - self.clock()

    # ---- ending ----

    def _check(self, licence: Licence) -> None:
        if self._kill_at is None:
            if self._status is None and licence.left <= 0:
                licence.over()
                self._kill_at = self.clock() + self.kill_after
                self._send(signal.SIGTERM)
                self._send(signal.SIGCONT)
        elif self.clock() >= self._kill_at:
            self._kill_at = math.inf
            self._send(signal.SIGKILL)

    def _has_rest(self) -> bool:
        """Whether something is to be ended still that the command has left behind."""
        if self._kill_at is None or self._kill_at == math.inf:
            return False
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            # Another user's.
            return True
        return True

    def _send(self, number: int) -> None:
        # Another user's processes, as sudo makes them, end when they like.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    # ---- what happens ----

    def _take(self, number: int, licence: Licence) -> None:
        if number == signal.SIGCONT:
            self._go_on(licence)
        elif number in PASSED_ON and self._status is None:
            self._send(number)
            self._suspended = number == signal.SIGTSTP
            if number in _ENDS:
                self._send(signal.SIGCONT)

    def _reap(self, licence: Licence) -> None:
        """Hear what has become of the command."""
        # Where nobody sits at a terminal, whoever stops the command wants just that.
        stops = 0 if self.terminal is None else os.WUNTRACED
        while self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG | stops)
            if not pid:
                return
            if self.terminal is not None and os.WIFSTOPPED(status):
                # If it had stopped to read from the terminal when a person suspended it, to let it
                # read would be to forget that.
                number = signal.SIGTSTP if self._suspended else os.WSTOPSIG(status)
                self._stand_still(number, self.terminal, licence)
            else:
                self._status = os.waitstatus_to_exitcode(status)

    def _stand_still(self, number: int, terminal: Terminal, licence: Licence) -> None:
        """It was stopped: lend it the terminal, or stand still as well, which the shell sees."""
        self._suspended = False
        if number in _TERMINAL_STOPS and terminal.lend(self.pid):
            self._go_on(licence)
        elif number in _TERMINAL_STOPS or number == signal.SIGTSTP:
            terminal.take_back()
            before = signal.signal(number, signal.SIG_DFL)
            # With all of this group, as the terminal does it. It has no effect in a group that
            # nobody could wake up again.
            os.kill(0, number)
            signal.signal(number, before)
            if number == signal.SIGTSTP:
                self._go_on(licence)

    def _go_on(self, licence: Licence) -> None:
        """Let the command go on, unless it may not any more."""
        self._check(licence)
        self._send(signal.SIGCONT)
