"""Each queue finishes what was added, in each of its ways; one that is not installed is skipped."""

from contextlib import closing

import pytest

MODULES = ("coordinate", "beanstalkd", "redis_lists")
COUNT = 120


@pytest.mark.parametrize("durable", [False, True], ids=["memory", "durable"])
@pytest.mark.parametrize("module", MODULES)
def test_what_is_added_is_finished_once_in_each_way(bench, module, durable):
    queue = bench(f"queues.{module}").queues()[durable]
    if queue.missing:
        pytest.skip(f"{queue.missing} is not installed")
    with queue.start() as server:
        queue.prepare(server.place)
        with closing(queue.adder(server.place)) as adder:
            for number, way in enumerate(queue.ways):
                adder.add(number * COUNT, COUNT)
                with closing(way.make(server.place)) as taker:
                    assert sum(iter(taker.step, None)) == COUNT, way.title
