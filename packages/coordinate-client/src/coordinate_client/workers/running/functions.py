"""Calling a unit's function in the thread that asks: plain ones, generators, coroutines."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from coordinate_client import WorkUnit
from coordinate_client.exceptions import Cancelled
from coordinate_client.workers.running.interruption import Interruption
from coordinate_client.workers.running.plans import Plan
from coordinate_client.workers.running.progress import Progress
from coordinate_client.workers.running.strikes import Strike, strike
from coordinate_client.workers.running.twins import async_twin

if TYPE_CHECKING:
    import asyncio

    from coordinate_client import AsyncWorkUnit

__all__ = ["LoopTarget", "Twinned", "awaited", "function_result", "load"]

Twinned = Callable[[Any], object]
_NONE: dict[str, Any] = {}


def function_result(
    plan: Plan,
    unit: WorkUnit,
    interruption: Interruption,
    progress: Progress,
    twinned: Twinned,
) -> Any:
    """Import a unit's function, if that has not happened yet, and call it.

    Args:
        plan: what to call.
        unit: the first argument; coroutine functions get a twin of it.
        interruption: may raise in the code.
        progress: is told what a generator yields.
        twinned: is told the twin before it is used.

    Returns:
        What the function returns.

    Raises:
        BaseException: whatever its code raises, or was told.
    """
    target = strike()
    try:
        interruption.begin(target)
        function = plan.function or target.call(plan.load, (), _NONE)
        if plan.is_async:
            return _coroutine_result(plan, unit, interruption, progress, twinned)
        result = target.call(function, (unit, *plan.args), plan.kwargs)
        if result is None:
            return None
        if isinstance(result, GeneratorType):
            return _driven(result, target, progress)
        if hasattr(result, "__await__"):
            return _in_loop(target, interruption, lambda: awaited(result, progress))
        return result
    finally:
        interruption.end(target)


def load(plan: Plan, interruption: Interruption) -> None:
    """Import a unit's function; it may hang, as other code of users may.

    Raises:
        BaseException: whatever its module raises, or was told.
    """
    target = strike()
    with interruption.telling(target):
        target.call(plan.load, (), _NONE)


def _driven(generator: Generator[Any, Any, Any], target: Strike, progress: Progress) -> Any:
    """Run a generator to its end; what it returns."""
    try:
        while True:
            error = target.take()
            try:
                if error is None:
                    value = target.call(generator.send, (None,), _NONE)
                else:
                    value = target.call(generator.throw, (error,), _NONE)
            except StopIteration as end:
                return end.value
            progress(value)
    finally:
        # Where it was left before its end, its own `finally` runs now.
        target.call(generator.close, (), _NONE)


def _coroutine_result(
    plan: Plan,
    unit: WorkUnit,
    interruption: Interruption,
    progress: Progress,
    twinned: Twinned,
) -> Any:
    twin = async_twin(unit)
    twinned(twin)
    try:
        return _in_loop(strike(), interruption, lambda: _lived(plan, twin, progress))
    finally:
        unit.follow(twin)


async def _lived(plan: Plan, twin: "AsyncWorkUnit", progress: Progress) -> Any:
    function: Any = plan.function
    try:
        return await awaited(function(twin, *plan.args, **plan.kwargs), progress)
    finally:
        await twin.taskmaster.close()


async def awaited(found: Any, progress: Progress) -> Any:
    """The result of what a coroutine function gives, or of an asynchronous generator: None.

    Args:
        found: what the function gave.
        progress: is told what it yields.
    """
    if isinstance(found, AsyncGenerator):
        try:
            async for value in found:
                progress(value)
        finally:
            await found.aclose()
        return None
    return await found if hasattr(found, "__await__") else found


def _in_loop(target: Strike, interruption: Interruption, make: Callable[[], Any]) -> Any:
    """Run a coroutine in an event loop of its own, as `asyncio.run` does.

    Args:
        target: raises in a loop that does not get to cancelling.
        interruption: cancels it.
        make: gives the coroutine.
    """
    import asyncio

    inner = LoopTarget(target)

    async def begun() -> Any:
        inner.attach()
        return await make()

    def run() -> Any:
        with asyncio.Runner() as runner:
            return runner.run(begun())

    with interruption.telling(inner):
        return target.call(run, (), _NONE)


class LoopTarget:
    """A task that is told to end by being cancelled, by asyncio's own rules.

    Where it is told a second time, it may be that its loop does not come to that: then the
    exception is raised in the thread of the loop, if that is only there for it.
    """

    def __init__(self, inner: Strike | None) -> None:
        """Begin without a task.

        Args:
            inner: raises in the thread of the loop; None where the loop runs other tasks, too.
        """
        self._inner = inner
        self._cancelled = False
        self._times = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    @property
    def reached(self) -> bool:
        """Whether it was told in a way that it could notice."""
        return self._cancelled or (self._inner is not None and self._inner.reached)

    def attach(self, task: "asyncio.Task[Any] | None" = None) -> None:
        """Say which task it is.

        Args:
            task: one of the loop that runs; None for the one that asks.
        """
        import asyncio

        # In this order: whoever tells looks for the loop first.
        self._task = task or asyncio.current_task()
        self._loop = asyncio.get_running_loop()

    def tell(self, error: Cancelled) -> None:
        """Cancel the task; a second time, raise the error."""
        self._times += 1
        loop, inner = self._loop, self._inner
        if inner is not None and (loop is None or self._times > 1):
            inner.tell(error)
        elif loop is not None:
            # A loop that is closed has come to its end.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._cancel, str(error))

    def remind(self) -> bool:
        """Say again what may not have arrived; whether there is anything that has not."""
        return self._inner is not None and self._inner.remind()

    def _cancel(self, text: str) -> None:
        if self._task is not None and self._task.cancel(text):
            self._cancelled = True
