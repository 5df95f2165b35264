"""Workers: what fetches work units, runs their code, and tells the server how it went.

    Worker             known to the server under an id
    ├── SingleWorker   runs what one call to the server gives it
    │   └── LoopWorker goes on until it is stopped, and follows orders
    │       └── ThreadWorker  the same, in several threads
    ├── AsyncWorker    many units at once, in one event loop
    └── ForkWorker     keeps child processes that do as LoopWorker does

Nothing beyond the client itself is needed; psutil and setproctitle are used where installed.
"""

from typing import TYPE_CHECKING, Any

from coordinate_client.workers.fork import ForkWorker
from coordinate_client.workers.loop import LoopWorker
from coordinate_client.workers.machine import available_gb
from coordinate_client.workers.settings import WorkerSettings
from coordinate_client.workers.single import SingleWorker
from coordinate_client.workers.threads import ThreadWorker
from coordinate_client.workers.worker import Worker, run_worker

if TYPE_CHECKING:
    from coordinate_client.workers.async_worker import AsyncWorker

__all__ = [
    "AsyncWorker",
    "ForkWorker",
    "LoopWorker",
    "SingleWorker",
    "ThreadWorker",
    "Worker",
    "WorkerSettings",
    "available_gb",
    "run_worker",
]


def __getattr__(name: str) -> Any:
    """Import what needs asyncio when it is asked for, and not before."""
    if name != "AsyncWorker":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from coordinate_client.workers.async_worker import AsyncWorker

    return AsyncWorker
