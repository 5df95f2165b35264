"""Threads, for the blocking half: one in the background, a flag, the code inside a block."""

from collections.abc import Callable
from itertools import count
from threading import TIMEOUT_MAX, Event, Thread, local

__all__ = ["Background", "Callers", "Flag", "Inside", "Work"]

Work = Callable[[], None]


class Flag:
    """Something that happens once."""

    def __init__(self) -> None:
        """Begin before it has happened."""
        self._event = Event()

    def set(self) -> None:
        """Say that it has happened."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for it, for so many seconds; whether it has happened."""
        return self._event.wait(min(max(seconds, 0.0), TIMEOUT_MAX))


class Background:
    """A thread that does something until it is told to stop."""

    def __init__(self, work: Work) -> None:
        """Start it.

        Args:
            work: returns soon after it was told to.
        """
        # A program that ends does not wait for it: the locks end by themselves.
        self._thread = Thread(target=work, name="coordinate-hold", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wait until it has stopped."""
        self._thread.join()


class Inside:
    """The code inside a `with` block, which no other thread can interrupt."""

    def interrupt(self) -> None:
        """Do nothing: the code looks at the grant, or is told by `on_lost`."""

    def settled(self, error: BaseException | None) -> bool:
        """Whether the error is what `interrupt` made: never."""
        del error
        return False


class Callers:
    """Tells threads apart, also those that are gone."""

    def __init__(self) -> None:
        """Begin with 1."""
        self._numbers = count(1)
        self._mine = local()

    def number(self) -> int:
        """The number of the thread that asks."""
        if not hasattr(self._mine, "number"):
            self._mine.number = next(self._numbers)
        found: int = self._mine.number
        return found
