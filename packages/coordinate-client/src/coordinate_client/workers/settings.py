"""The worker's part of the `coordinate:` block."""

from collections.abc import Mapping
from typing import Any, Self

from attrs import frozen

from coordinate_client.workers.machine import core_count
from coordinate_client.workers.reading import SettingsReader

__all__ = ["WORKERS", "ForkSettings", "WorkerSettings"]

WORKERS = ("fork_worker", "loop_worker", "single_worker", "thread_worker", "async_worker")
"""The kinds of worker, as `worker` names them."""
_PARALLEL_UNITS = 100


@frozen
class ForkSettings:
    """How a parent keeps its children; the block `fork_worker`.

    Args:
        num_workers: how many children there are.
        poll_interval: seconds between two looks at them.
        spawn_interval: seconds between the starts of two.
        child_lifetime: seconds after which a child takes no more work, and another one starts.
        stop_jobs_early: seconds before the end of its lease at which a unit is stopped.
        max_memory_gb: memory that a child may have, in GiB; None for all there is.
        preload: modules that the parent imports, so that no child has to.
    """

    num_workers: int
    poll_interval: float
    spawn_interval: float
    child_lifetime: float
    stop_jobs_early: float
    max_memory_gb: float | None
    preload: tuple[str, ...]

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> Self:
        """Read the block; ProgrammerError for what cannot be used."""
        read = SettingsReader(block, "fork_worker.")
        return cls(
            read.count("num_workers", None) or _by_cores(read),
            read.number("poll_interval", 1.0, above=0.0),
            read.number("spawn_interval", 0.01),
            read.number("child_lifetime", 10.0),
            read.number("stop_jobs_early", 15.0),
            read.number("max_memory_gb", None, above=0.0),
            read.texts("preload") or (),
        )


def _by_cores(read: SettingsReader) -> int:
    for_each: float = read.number("num_workers_per_core", 1.0, above=0.0)
    return max(1, round(for_each * core_count()))


@frozen
class WorkerSettings:
    """What a worker reads of the `coordinate:` block.

    Args:
        worker: which kind it is, one of `WORKERS`.
        job_fetch: how many units of one spec it fetches at once; setting `worker_job_fetch`.
        work_spec_names: the specs that it takes work of; None for all.
        runtimes: the tags that it has: it takes work of specs with one of them as their `runtime`,
            or with none; None for all work.
        heartbeat_interval: seconds between two heartbeats.
        packages: whether each heartbeat says what is installed.
        fork: how a `fork_worker` keeps its children.
        num_threads: how many units a `thread_worker` runs at once.
        num_tasks: how many units an `async_worker` runs at once.
    """

    worker: str
    job_fetch: int
    work_spec_names: tuple[str, ...] | None
    runtimes: tuple[str, ...] | None
    heartbeat_interval: float
    packages: bool
    fork: ForkSettings
    num_threads: int
    num_tasks: int

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> Self:
        """Read the block.

        Args:
            block: the `coordinate:` block; other keys in it are somebody else's.

        Raises:
            ProgrammerError: for a value that cannot be used.
        """
        read = SettingsReader(block)
        fork, threads, tasks = (
            read.block(name) for name in ("fork_worker", "thread_worker", "async_worker")
        )
        kind = read.choice("worker", WORKERS)
        # Where 0.1.5 has it; the other kinds have it in blocks of their own.
        own = SettingsReader(read.block(kind), f"{kind}.")
        return cls(
            kind,
            read.count("worker_job_fetch", 1),
            read.texts("work_spec_names"),
            read.texts("runtimes"),
            own.number("heartbeat_interval", 15.0, above=0.0),
            read.flag("packages"),
            ForkSettings.of(fork),
            SettingsReader(threads, "thread_worker.").count("num_workers", None) or core_count(),
            SettingsReader(tasks, "async_worker.").count("num_workers", _PARALLEL_UNITS),
        )
