"""Dramatiq on Redis."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from peers.counting import count

__all__ = ["enqueue"]

dramatiq.set_broker(RedisBroker(url=os.environ["BENCH_REDIS"]))
task = dramatiq.actor(count)


def enqueue(number: int) -> None:
    """Enqueue so many tasks."""
    for _ in range(number):
        task.send()
