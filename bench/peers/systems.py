"""What is compared: each with its command, its settings, and how much of it outlives a crash."""

from collections.abc import Iterator
from importlib.util import find_spec

from attrs import evolve, field, frozen

__all__ = ["BATCHED", "ONE_BY_ONE", "WORKERS", "System", "systems"]

WORKERS = "4"
"""How many worker processes each of them has."""


@frozen(eq=False)
class System:
    """One line of the table.

    Arguments:
        title: what it is called there.
        module: the module of this package that enqueues its tasks.
        command: the module that is its program, and arguments; "{config}" stands for the path of
            Coordinate's configuration, "{redis}" for the URL of a Redis.
        durability: what outlives a crash of the machine, for people.
        place: where its tasks are: in "redis", in a "synced redis", in a "folder"; for Coordinate
            the store, "durable" or "memory".
        expected: units per second, roughly: how many tasks the first round has comes from that.
        settings: variables of the environment.
        fetch: Coordinate's `worker_job_fetch`.
    """

    title: str
    module: str
    command: tuple[str, ...]
    durability: str
    place: str
    expected: int
    settings: dict[str, str] = field(factory=dict)
    fetch: int = 1

    @property
    def missing(self) -> str | None:
        """The package that would have to be installed for it; None where all is there."""
        package = self.command[0].partition(".")[0]
        return None if find_spec(package) else package


# ---- Coordinate ----

_WORKER = ("coordinate_client.workers.program", "--foreground", "--log-level", "WARNING")
_COORDINATE = (*_WORKER, "--num-workers", WORKERS, "-c", "{config}")


def _coordinate(store: str, fetch: int, expected: int) -> System:
    kept = "each answer after a sync" if store == "durable" else "nothing"
    title = f"Coordinate, `worker_job_fetch: {fetch}`"
    return System(title, "coordinate_units", _COORDINATE, kept, store, expected, fetch=fetch)


ONE_BY_ONE = _coordinate("durable", 1, 3000)
BATCHED = _coordinate("durable", 50, 15_000)
_OURS = (ONE_BY_ONE, BATCHED, _coordinate("memory", 1, 4000), _coordinate("memory", 50, 20_000))

# ---- the others ----

_HUEY = ("huey.bin.huey_consumer", "peers.huey_tasks.app", "-q", "-k", "process", "-w", WORKERS)
_TASKIQ = ("taskiq", "worker", "--log-level", "WARNING", "--workers", WORKERS)
_BROKER = ("peers.taskiq_tasks:broker",)
_DRAMATIQ = ("dramatiq", "peers.dramatiq_tasks", "-p", WORKERS)
_CELERY = ("celery", "-A", "peers.celery_tasks", "worker", "-l", "WARNING", "-c", WORKERS)
_RQ = ("rq.cli", "worker-pool", "-q", "-u", "{redis}", "-n", WORKERS)
_SIMPLE = ("-w", "rq.worker.SimpleWorker")


def _redis(title: str, module: str, command: tuple[str, ...], expected: int) -> System:
    return System(title, module, command, "Redis: snapshots, its default", "redis", expected)


def _taskiq(kind: str, expected: int) -> System:
    system = _redis(f"taskiq, {kind}", "taskiq_tasks", (*_TASKIQ, *_BROKER), expected)
    return evolve(system, settings={"BENCH_TASKIQ": kind})


def _synced(system: System) -> System:
    """The same where Redis answers after a sync."""
    return evolve(
        system,
        durability="Redis: each answer after a sync",
        place="synced redis",
        expected=system.expected // 2,
    )


_ON_REDIS = (
    _redis("Huey", "huey_tasks", _HUEY, 7000),
    _taskiq("list", 5500),
    _taskiq("stream", 5500),
    _redis("Dramatiq, 1 thread", "dramatiq_tasks", (*_DRAMATIQ, "-t", "1"), 1000),
    _redis("Dramatiq, 8 threads", "dramatiq_tasks", (*_DRAMATIQ, "-t", "8"), 7000),
    _redis("Celery", "celery_tasks", _CELERY, 1000),
    _redis("RQ", "rq_tasks", _RQ, 100),
    _redis("RQ, SimpleWorker", "rq_tasks", (*_RQ, *_SIMPLE), 500),
)
_ON_SQLITE = (
    System(
        "Huey", "huey_tasks", _HUEY, "SQLite: each commit after a sync, its default", "folder", 4000
    ),
    System(
        "Huey",
        "huey_tasks",
        _HUEY,
        "SQLite: nothing synced, `fsync=False`",
        "folder",
        14_000,
        {"BENCH_NO_SYNC": "1"},
    ),
)


def systems() -> Iterator[System]:
    """All of them, in the order of the table."""
    yield from _OURS
    yield from _ON_SQLITE
    for system in _ON_REDIS:
        yield from (system, _synced(system))
