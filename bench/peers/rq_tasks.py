"""RQ."""

import os

from redis import Redis
from rq import Queue

from peers.counting import count

__all__ = ["enqueue"]

_SLICE = 500


def enqueue(number: int) -> None:
    """Enqueue so many tasks."""
    queue = Queue(connection=Redis.from_url(os.environ["BENCH_REDIS"]))
    for begin in range(0, number, _SLICE):
        size = min(_SLICE, number - begin)
        queue.enqueue_many([Queue.prepare_data(count) for _ in range(size)])
