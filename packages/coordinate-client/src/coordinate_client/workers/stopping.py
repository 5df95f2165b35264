"""The signals that stop a worker which runs units in its own process."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from threading import Thread
from types import FrameType
from typing import Any, Self

from coordinate_client.workers.codes import ERROR

__all__ = ["StopSignals"]

logger = logging.getLogger("coordinate_client.worker")

Act = Callable[[], None]


class StopSignals:
    """Within a block, SIGTERM and SIGINT stop a worker; a second one stops it now.

    SIGABRT ends the process as soon as what was fetched is given back. Nothing happens in a thread
    that is not the main one: there, signals cannot be taken.

    Attributes:
        count: how often it was told to stop.
    """

    def __init__(self, stop: Act, stop_now: Act, give_up: Act) -> None:
        """Choose what happens; each is called in a thread of its own.

        Args:
            stop: lets what runs end.
            stop_now: gives back what runs.
            give_up: gives back what was not begun, before the process ends.
        """
        self.count = 0
        self._stop = stop
        self._stop_now = stop_now
        self._give_up = give_up
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                # What nohup ignores stays ignored.
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._told)
            self._before[signal.SIGABRT] = signal.signal(signal.SIGABRT, self._aborted)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _told(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.count += 1
        # A handler may come in where its own thread has a lock that stopping takes.
        Thread(target=self._act, args=(self.count,), name="coordinate-stop", daemon=True).start()

    def _act(self, count: int) -> None:
        if count == 1:
            logger.info("stopping when what runs has ended")
            self._stop()
        else:
            logger.info("stopping now: what runs is given back")
            self._stop_now()

    def _aborted(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        Thread(target=self._abort, name="coordinate-abort", daemon=True).start()

    def _abort(self) -> None:
        try:
            self._give_up()
        finally:
            os._exit(ERROR)
