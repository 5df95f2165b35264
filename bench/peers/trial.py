"""One measurement: tasks are enqueued, workers started, and the moments of progress noted."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory

from servers import coordinated

from peers.counting import VARIABLE
from peers.programs import NotEnded, last_lines, run_to_the_end, running
from peers.redis_server import ALWAYS, SNAPSHOTS, redis_server
from peers.systems import System

__all__ = ["units_per_second"]

WARM_SHARE = 0.1
"""The clock starts when so much is done: by then all workers have started, the slow ones too."""

ENQUEUE_SECONDS = 120.0
START_SECONDS = 30.0
POLL_SECONDS = 0.002
_MEMORY = "/dev/shm"  # noqa: S108 - a folder of its own is made in it
_CONFIG = """\
coordinate:
  address: "{address}"
  worker_job_fetch: {fetch}
"""


def units_per_second(system: System, count: int, longest: float) -> float:
    """What a system does with so many tasks.

    Arguments:
        system: which.
        count: how many tasks.
        longest: seconds after which it is given up.

    Raises:
        NotEnded: it failed, was given up, or did a task twice.
        RuntimeError: its server did not start.
    """
    with _folders() as (folder, counter), _place(system, folder) as place:
        env = {**os.environ, **system.settings, **place, VARIABLE: str(counter)}
        log = folder / "log"
        run_to_the_end(("peers.enqueue", system.module, str(count)), env, log, ENQUEUE_SECONDS)
        with running(_command(system, folder, place), env, log) as process:
            rate = _rate(_Watched(process, counter, log), count, longest)
        if (done := counter.stat().st_size) != count:
            raise NotEnded(f"{done} tasks were run where there were {count}")
    return rate


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    """A folder on disk, and an empty file in memory where there is memory for files."""
    with (
        TemporaryDirectory(prefix="coordinate-bench-") as folder,
        TemporaryDirectory(dir=_MEMORY if Path(_MEMORY).is_dir() else None) as fast,
    ):
        counter = Path(fast, "counter")
        counter.touch()
        yield Path(folder), counter


@contextmanager
def _place(system: System, folder: Path) -> Iterator[dict[str, str]]:
    """Where a system's tasks are, and the variables that say so."""
    if system.place == "folder":
        yield {"BENCH_FOLDER": str(folder)}
    elif system.place.endswith("redis"):
        with redis_server(SNAPSHOTS if system.place == "redis" else ALWAYS) as url:
            yield {"BENCH_REDIS": url}
    else:
        with coordinated(system.place) as server:
            yield {"COORDINATE_ADDRESS": server.address}


def _command(system: System, folder: Path, place: dict[str, str]) -> list[str]:
    config = folder / "worker.yaml"
    address = place.get("COORDINATE_ADDRESS", "")
    config.write_text(_CONFIG.format(address=address, fetch=system.fetch), encoding="utf-8")
    return [
        word.format(config=config, redis=place.get("BENCH_REDIS", "")) for word in system.command
    ]


class _Watched:
    """The workers of a system, by how much they have done."""

    def __init__(self, process: Popen[bytes], counter: Path, log: Path) -> None:
        self._process = process
        self._counter = counter
        self._log = log

    def reaches(self, count: int, seconds: float) -> tuple[float, int]:
        """Wait until so many are done; gives the moment, and how many were done then.

        Raises:
            NotEnded: the workers ended, or it took longer.
        """
        end = time.perf_counter() + seconds
        while (done := self._counter.stat().st_size) < count:
            if self._process.poll() is not None:
                raise NotEnded(self._said(f"ended with {self._process.returncode}"))
            if time.perf_counter() > end:
                raise NotEnded(self._said(f"{done} tasks done after {seconds:g} s"))
            time.sleep(POLL_SECONDS)
        return time.perf_counter(), done

    def _said(self, what: str) -> str:
        return f"{what}; its last lines:\n{last_lines(self._log)}"


def _rate(workers: _Watched, count: int, longest: float) -> float:
    workers.reaches(1, START_SECONDS)
    began, before = workers.reaches(max(1, int(count * WARM_SHARE)), longest)
    ended, done = workers.reaches(count, longest)
    return (done - before) / (ended - began)
