"""Huey: `RedisHuey` where there is a Redis, else `SqliteHuey` in a file of the folder."""

import os
from pathlib import Path

from huey import RedisHuey, SqliteHuey

from peers.counting import count

__all__ = ["app", "enqueue"]


def _app() -> RedisHuey | SqliteHuey:
    if url := os.environ.get("BENCH_REDIS"):
        return RedisHuey(url=url)
    # None is SQLite's own default: a sync at each commit.
    fsync = None if "BENCH_NO_SYNC" not in os.environ else False
    return SqliteHuey(filename=Path(os.environ["BENCH_FOLDER"], "huey.db"), fsync=fsync)


app = _app()
task = app.task()(count)


def enqueue(number: int) -> None:
    """Enqueue so many tasks."""
    for _ in range(number):
        task()
