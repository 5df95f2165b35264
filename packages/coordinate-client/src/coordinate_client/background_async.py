"""Tasks, for the asyncio half: one in the background, a flag, the task inside a block."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["Background", "Callers", "Flag", "Inside", "Work"]

Work = Callable[[], Coroutine[Any, Any, None]]


class Flag:
    """Something that happens once."""

    def __init__(self) -> None:
        """Begin before it has happened."""
        self._event = asyncio.Event()

    def set(self) -> None:
        """Say that it has happened."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._event.is_set()

    async def wait(self, seconds: float) -> bool:
        """Wait for it, for so many seconds; whether it has happened."""
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await self._event.wait()
        except TimeoutError:
            pass
        return self._event.is_set()


class Background:
    """A task that does something until it is told to stop."""

    def __init__(self, work: Work) -> None:
        """Start it.

        Args:
            work: may be cancelled.
        """
        self._task = asyncio.create_task(work(), name="coordinate-hold")

    async def stop(self) -> None:
        """Cancel it, and wait until it has stopped."""
        self._task.cancel()
        await asyncio.wait([self._task])


class Inside:
    """The task inside an `async with` block, as `asyncio.timeout` has it."""

    def __init__(self) -> None:
        """Take the task that runs now."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("locks can be held within a task only")
        self._task = task
        self._cancelling = task.cancelling()
        self._interrupted = False

    def interrupt(self) -> None:
        """Cancel it."""
        self._interrupted = True
        self._task.cancel()

    def settled(self, error: BaseException | None) -> bool:
        """Whether the error is what `interrupt` made, and nobody else cancelled the task."""
        if not self._interrupted:
            return False
        others = self._task.uncancel() > self._cancelling
        return isinstance(error, asyncio.CancelledError) and not others


class Callers:
    """Tells tasks apart, also those that are gone."""

    def __init__(self) -> None:
        """Begin with 1."""
        self._numbers = count(1)
        self._known: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()

    def number(self) -> int:
        """The number of the task that asks."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("locks can be taken within a task only")
        if task not in self._known:
            self._known[task] = next(self._numbers)
        return self._known[task]
