"""What a server does besides answering."""

import asyncio

import pytest

from coordinate_server.model import ModelSettings
from coordinate_server.upkeep import Upkeep
from tests.server.house import House


async def _begin(upkeep):
    """Have upkeep do the first slice of everything."""
    task = asyncio.create_task(upkeep.run())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_units_that_ended_long_ago_leave_memory():
    house = House(settings=ModelSettings(ended_kept=1))
    house.call("set_work_spec", {"name": "s", "min_gb": 1})
    house.call("add_work_units", "s", [(key, {}) for key in "abc"])
    for key in "abc":
        house.call("update_work_unit", "s", key, {"status": 4})
    house.move(0)
    parts = house.store, house.model, house.clock, house.committer
    asyncio.run(_begin(Upkeep(*parts, house.failures.append)))
    assert house.model.unit_count == 1
    assert house.call("count_work_units", "s") == ({4: 3}, None)
    assert house.failures == []
