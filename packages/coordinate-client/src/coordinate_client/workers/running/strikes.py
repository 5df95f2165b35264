"""How an exception gets into code that runs: by a signal, or by the interpreter.

Strike          raised in a call that is made through it, in the thread that makes it
├── BySignal    in the main thread: at once, also where it waits for the system
└── InThread    in any other thread: when it runs Python code again
"""

import ctypes
import signal
import threading
from _signal import getsignal  # type: ignore[import-not-found] # signal's own costs ten times as much
from collections.abc import Callable
from types import FrameType
from typing import Any

from coordinate_client.exceptions import Cancelled

__all__ = ["SIGNAL", "BySignal", "InThread", "Strike", "strike"]

SIGNAL: int | None = getattr(signal, "SIGUSR2", None)
"""What ends waiting in the main thread; None where there are no such signals."""


class Strike:
    """Raises an exception within the calls that are made through it, and nowhere else.

    One thread makes the calls, another tells. What is told between two calls is raised by neither:
    `take` gives it.

    Attributes:
        reached: whether it was raised, or taken.
    """

    __slots__ = ("_inside", "_pending", "reached")

    def __init__(self) -> None:
        """Begin without anything to raise."""
        self.reached = False
        self._inside = False
        self._pending: Cancelled | None = None

    def tell(self, error: Cancelled) -> None:
        """Raise it in the call that is made now, or have it taken after that."""
        self._pending = error
        if self._inside:
            self._raise_there(error)

    def remind(self) -> bool:
        """Say again what may not have arrived; whether there is anything that has not."""
        return False

    def take(self) -> Cancelled | None:
        """What is still to be raised; whoever takes it raises it."""
        error, self._pending = self._pending, None
        self.reached = self.reached or error is not None
        return error

    def _raise_here(self) -> None:
        """Raise what was told just before the call."""
        if (error := self.take()) is not None:
            raise error

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function, in which it may be raised.

        Raises:
            Cancelled: what was told; it does not have to come from within the function.
        """
        raise NotImplementedError

    def _raise_there(self, error: Cancelled) -> None:
        raise NotImplementedError


class BySignal(Strike):
    """Raised in the main thread, by a handler of `SIGNAL`: ends sleeping and waiting, too."""

    __slots__ = ()

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function, in which it may be raised."""
        before = _Main.strike
        _Main.strike = self
        try:
            # Between this line and the `finally`, a signal raises; not a step later.
            self._inside = True
            if self._pending is not None:
                self._raise_here()
            return function(*args, **kwargs)
        finally:
            self._inside = False
            _Main.strike = before

    def _raise_there(self, error: Cancelled) -> None:
        del error
        if SIGNAL is not None:
            signal.pthread_kill(threading.main_thread().ident or 0, SIGNAL)

    def remind(self) -> bool:
        """Send the signal again, where the thread has begun to wait just after it came."""
        error = self._pending
        unheard = self._inside and error is not None
        if unheard and error is not None:
            self._raise_there(error)
        return unheard

    def signalled(self) -> None:
        """Raise what is to be raised, if it may be now."""
        if self._inside:
            self._raise_here()


class _Main:
    """What a signal means in the main thread."""

    strike: BySignal | None = None
    before: Any = None


def _signalled(number: int, frame: FrameType | None) -> None:
    if _Main.strike is not None:
        _Main.strike.signalled()
    elif callable(_Main.before):
        # Nothing runs: it is the application's.
        _Main.before(number, frame)


def _listen() -> None:
    """Have the signal raise; one handler for all units, as setting it costs as much as one does."""
    if SIGNAL is not None and getsignal(SIGNAL) is not _signalled:
        _Main.before = signal.signal(SIGNAL, _signalled)


class InThread(Strike):
    """Raised by the interpreter when the thread runs Python code."""

    __slots__ = ("_lock", "_thread", "_told")

    def __init__(self) -> None:
        """Begin without anything to raise."""
        super().__init__()
        self._lock = threading.Lock()
        self._thread = threading.get_ident()
        self._told = False

    def tell(self, error: Cancelled) -> None:
        """Raise it in the call that is made now, or have it taken after that."""
        self._told = True
        with self._lock:
            super().tell(error)

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function, in which it may be raised."""
        try:
            try:
                self._inside = True
                if self._pending is not None:
                    self._raise_here()
                return function(*args, **kwargs)
            finally:
                self._inside = False
                # In this order: whoever tells says so before looking whether a call is made.
                if self._told:
                    self._settle()
        except Cancelled:
            # It may have come at the end, where it was about to be settled.
            self._inside = False
            if self._told:
                self._settle()
            raise

    def _raise_there(self, error: Cancelled) -> None:
        self._pending = None
        self.reached = True
        _raise_in(self._thread, _kind_of(error))

    def _settle(self) -> None:
        """Have what was not raised in time raised here, where it does no harm.

        It cannot be taken back: Python 3.11 then goes on to look for it for ever, and hangs when a
        profiler or a debugger is there, too. So something is raised in its place.
        """
        with self._lock:
            # Whoever was about to tell has done so.
            pass
        try:
            _raise_in(self._thread, Cancelled)
            while True:
                pass
        except Cancelled:
            return


def _raise_in(thread: int, kind: type[BaseException]) -> None:
    what = ctypes.py_object(kind)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)


def _kind_of(error: Cancelled) -> type[BaseException]:
    """A class that says the same as the error: the interpreter makes an instance by itself."""
    kind = type(error)
    text = str(error)

    class Told(kind):  # type: ignore[misc, valid-type] # its base is known when it is made
        def __init__(self) -> None:
            super().__init__(text)

    Told.__name__, Told.__qualname__ = kind.__name__, kind.__qualname__
    Told.__module__ = kind.__module__
    return Told


def strike() -> Strike:
    """What can raise an exception in the code of the thread that calls this."""
    if SIGNAL is not None and threading.current_thread() is threading.main_thread():
        _listen()
        return BySignal()
    return InThread()
