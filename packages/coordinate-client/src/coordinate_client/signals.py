"""The signals that this process gets, one after the other, beside what other threads say."""

import os
import select
import signal
from collections.abc import Iterable
from contextlib import suppress
from types import FrameType
from typing import Any

__all__ = ["NO_SIGNAL", "Signals"]

NO_SIGNAL = 0
"""Stands for what another thread has said."""
_LONGEST = 3600.0


class Signals:
    """Signals that do nothing by themselves, from ``start`` to ``close``.

    Those that are ignored already stay so, here and in what is run from here: that is what nohup is
    for.
    """

    def __init__(self, numbers: Iterable[int], always: Iterable[int] = ()) -> None:
        """Choose the signals; nothing is different yet.

        Arguments:
            numbers: which.
            always: others, which do not stay ignored.
        """
        self._numbers = tuple(numbers)
        self._always = tuple(always)
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._before: dict[int, Any] = {}

    def start(self) -> None:
        """Take the signals; from the main thread."""
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        heard = [one for one in self._numbers if signal.getsignal(one) != signal.SIG_IGN]
        for number in (*heard, *self._always):
            self._before[number] = signal.signal(number, _noted)

    def close(self) -> None:
        """Have all be as it was; nobody may tell anything any more."""
        if self._before:
            signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)

    def tell(self) -> None:
        """Have ``next`` return; for other threads."""
        # A full pipe tells enough.
        with suppress(BlockingIOError):
            os.write(self._writer, bytes((NO_SIGNAL,)))

    def fileno(self) -> int:
        """What can be read when `next` has something, for those who wait for other things too."""
        return self._reader

    def next(self, seconds: float) -> bytes:
        """Wait for signals.

        Arguments:
            seconds: for how long at most.

        Returns:
            Their numbers, in the order in which they came; none where the time is over.
        """
        readable, _, _ = select.select([self._reader], [], [], min(max(seconds, 0.0), _LONGEST))
        return os.read(self._reader, 4096) if readable else b""


def _noted(number: int, frame: FrameType | None) -> None:
    """Nothing is left to do: Python has written the number into the pipe."""
