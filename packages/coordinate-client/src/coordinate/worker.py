"""Where 0.1.5 had its workers."""

from coordinate_client.workers import ForkWorker, LoopWorker, SingleWorker, Worker, run_worker

__all__ = ["ForkWorker", "LoopWorker", "SingleWorker", "Worker", "run_worker"]
