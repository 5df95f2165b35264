"""Results that come later, and results whose loss on the way has to be undone."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Protocol, Self

from attrs import define, field

__all__ = ["Handed", "Later", "Pending", "Timer"]


class Timer(Protocol):
    """What calls a function later."""

    def cancel(self) -> None:
        """Do not call it."""


Later = Callable[[float, Callable[[], None]], Timer]
"""Calls a function after so many seconds, unless what it gives is cancelled."""


@define
class Handed:
    """A result that must not get lost.

    Arguments:
        value: the result.
        undelivered: called if the connection was gone before it was written.
        rest: the result without what is undone by that; None where nothing is left of the call.
    """

    value: Any
    undelivered: Callable[[], None]
    rest: Any = None


def _nothing() -> None:
    """Leave everything as it is."""


@define(eq=False)
class Pending:
    """A result that comes later; whoever settles it may do so in the middle of a commit's making.

    Arguments:
        on_abandon: called when nobody wants it any more: the caller's connection is gone.
        on_expire: called when it can be waited for no longer: it has to lead to ``settle``, with
            what is answered when the time of a wait is over.
    """

    _on_abandon: Callable[[], None] = field(default=_nothing, repr=False)
    _on_expire: Callable[[], None] = field(default=_nothing, repr=False)
    _settled: bool = field(default=False, init=False)
    _abandoned: bool = field(default=False, init=False)
    _result: Any = field(default=None, init=False)
    _callbacks: list[Callable[[Any], None]] = field(factory=list, init=False, repr=False)
    _futures: list[asyncio.Future[Any]] = field(factory=list, init=False, repr=False)

    @property
    def outcome(self) -> Any:
        """The result, or None if there is none yet."""
        return self._result

    def settle(self, result: Any) -> None:
        """Give the result, an exception for a failure; once, and not after it was abandoned."""
        if self._settled or self._abandoned:
            return
        self._settled, self._result = True, result
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(result)

    def then(self, callback: Callable[[Any], None]) -> None:
        """Have a function called with the result, at once with ``settle``."""
        if self._settled:
            callback(self._result)
        elif not self._abandoned:
            self._callbacks.append(callback)

    def mapped(self, change: Callable[[Any], Any]) -> Self:
        """Give what settles together with this, with another result; to abandon it is the same."""
        other = type(self)(self.abandon, self.expire)
        self.then(lambda result: other.settle(change(result)))
        return other

    def moved(self) -> Self:
        """Give what takes its place; this one can only be settled by hand from now on."""
        other = type(self)(self._on_abandon, self._on_expire)
        self._on_abandon = self._on_expire = _nothing
        return other

    def abandon(self) -> None:
        """Take note that nobody wants the result any more."""
        if self._settled or self._abandoned:
            return
        self._abandoned = True
        self._callbacks.clear()
        for future in self._futures:
            future.cancel()
        self._on_abandon()

    def expire(self) -> None:
        """Take note that it can be waited for no longer."""
        if not self._settled and not self._abandoned:
            self._on_expire()

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait for the result; a result that is abandoned cancels whoever waits."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._abandoned:
            future.cancel()
        self._futures.append(future)
        self.then(lambda result: None if future.done() else future.set_result(result))
        return (yield from future.__await__())
