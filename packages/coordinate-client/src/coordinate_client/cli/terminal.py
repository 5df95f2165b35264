"""The terminal that a command is run from: lent to another process group, and taken back.

A process group that is not in the foreground of its terminal is stopped when it reads from it, or
sets it. Who has put a command into a group of its own lends it the terminal then, and not before: a
pager that stands in the same pipeline needs it as well.
"""

import os
import signal
from contextlib import suppress
from typing import Self

from attrs import define, field

__all__ = ["Terminal"]


@define
class Terminal:
    """The controlling terminal of this process.

    Arguments:
        descriptor: it is open there.
    """

    descriptor: int
    _lent: bool = field(default=False, init=False)

    @classmethod
    def open(cls) -> Self | None:
        """The terminal; None where there is none, as in a cron job."""
        try:
            return cls(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        except OSError:
            return None

    def lend(self, group: int) -> bool:
        """Put a process group into the foreground.

        Returns:
            Whether that was possible: not where this group is in the background itself.
        """
        try:
            if os.tcgetpgrp(self.descriptor) not in {os.getpgrp(), group}:
                return False
            os.tcsetpgrp(self.descriptor, group)
        except OSError:
            return False
        self._lent = True
        return True

    def take_back(self) -> None:
        """Put this group into the foreground again, if it has lent the terminal."""
        if not self._lent:
            return
        self._lent = False
        # For one in the background it is an offence; a terminal that was hung up is nobody's.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        with suppress(OSError):
            os.tcsetpgrp(self.descriptor, os.getpgrp())
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def close(self) -> None:
        """Let go of it."""
        self.take_back()
        os.close(self.descriptor)
