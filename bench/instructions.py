"""How many instructions of Python's byte code something executes: the same in each run.

What C code does besides (the codec, SQLite, the loop) is not counted.
"""

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["executed"]


def executed(work: Callable[[], object]) -> int:
    """Do something, and count the instructions of all that it calls in this thread."""
    counter = _Counter()
    before, collecting = sys.gettrace(), gc.isenabled()
    # A collection may come anywhere, and call finalizers.
    gc.disable()
    sys.settrace(counter.called)
    try:
        work()
    finally:
        sys.settrace(before)
        if collecting:
            gc.enable()
    return counter.count


class _Counter:
    def __init__(self) -> None:
        self.count = 0

    def called(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Have each instruction of a function that is called be told."""
        del event, argument
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return self._went_on

    def _went_on(self, frame: FrameType, event: str, argument: Any) -> Any:
        del frame, argument
        self.count += event == "opcode"
        return self._went_on
