"""Running a unit: its function or its command, under its lease, within its time.

    Runner       one unit at a time, in the thread that asks
    AsyncRunner  many at once, in one event loop

Neither raises what a unit's code raises: a `Ran` says what became of it.
"""

from typing import TYPE_CHECKING, Any

from coordinate_client.workers.running.ran import Ran
from coordinate_client.workers.running.runner import Runner
from coordinate_client.workers.running.settings import RunnerSettings

if TYPE_CHECKING:
    from coordinate_client.workers.running.async_runner import AsyncRunner

__all__ = ["AsyncRunner", "Ran", "Runner", "RunnerSettings"]


def __getattr__(name: str) -> Any:
    """Import the half that needs asyncio when it is asked for, and not before."""
    if name != "AsyncRunner":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from coordinate_client.workers.running.async_runner import AsyncRunner

    return AsyncRunner
