"""Where 0.1.5 had its workers; they are those of `coordinate_client.workers`."""

from coordinate_client.workers import (
    ForkWorker,
    LoopWorker,
    SingleWorker,
    Worker,
    available_gb,
    run_worker,
)

__all__ = [
    "ForkWorker",
    "LoopWorker",
    "SingleWorker",
    "Worker",
    "available_gb",
    "run_worker",
]
