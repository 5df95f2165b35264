"""Taskiq: its broker on a list of Redis, or on a stream, where tasks are acknowledged."""

import asyncio
import os

from taskiq_redis import ListQueueBroker, RedisStreamBroker

from peers.counting import count

__all__ = ["broker", "enqueue"]


async def count_in_turn() -> None:
    """Count on the loop: a plain function would go through a pool of threads."""
    count()


_KINDS = {"list": ListQueueBroker, "stream": RedisStreamBroker}
broker = _KINDS[os.environ["BENCH_TASKIQ"]](os.environ["BENCH_REDIS"])
task = broker.task("count")(count_in_turn)


async def _enqueue(number: int) -> None:
    await broker.startup()
    for _ in range(number):
        await task.kiq()
    await broker.shutdown()


def enqueue(number: int) -> None:
    """Enqueue so many tasks."""
    asyncio.run(_enqueue(number))
