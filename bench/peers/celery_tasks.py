"""Celery on Redis, without a store for results."""

import os

from celery import Celery

from peers.counting import count

__all__ = ["app", "enqueue"]

app = Celery("bench", broker=os.environ["BENCH_REDIS"])
task = app.task(count, name="count")


def enqueue(number: int) -> None:
    """Enqueue so many tasks."""
    for _ in range(number):
        task.delay()
