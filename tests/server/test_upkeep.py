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


class Endless:
    """A store in which rows always wait."""

    def __init__(self):
        self.backlog, self.shortage = 1_000_000, None
        self.asked: list[int] = []
        self.looks = 0

    def settle(self, rows):
        self.asked.append(rows)
        self.backlog -= rows
        return self.backlog

    def look(self):
        self.looks += 1


def _steps(house, store, monkeypatch, then):
    """Have upkeep go on; ``then`` is called with the number of each pause, and may raise."""
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)
        then(len(pauses))

    monkeypatch.setattr("coordinate_server.upkeep.asyncio.sleep", sleep)
    upkeep = Upkeep(store, house.model, house.clock, house.committer, house.failures.append)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(upkeep.run())
    return pauses


def test_rows_that_always_wait_keep_nothing_else_from_being_done(monkeypatch):
    """Units are forgotten, and room is looked for once a second, under any load."""
    house, store = House(), Endless()
    house.call("set_work_spec", {"name": "s", "min_gb": 1, "limit_completed_count": 0})
    house.call("add_work_units", "s", [(key, {}) for key in "abc"])
    for key in "abc":
        house.call("update_work_unit", "s", key, {"status": 4})
    house.move(0)

    def then(number):
        house.clock.move(0.4)
        if number == 6:
            raise asyncio.CancelledError

    pauses = _steps(house, store, monkeypatch, then)
    assert house.model.unit_count == 0
    assert store.looks == 2
    assert set(pauses) == {0.02}


def test_slices_are_short_while_calls_come(monkeypatch):
    """A pause is none that a caller should notice; where nobody calls, more is done in each."""
    house, store = House(), Endless()

    def then(number):
        if number < 3:
            house.call("set_work_spec", {"name": f"s{number}", "min_gb": 1})
            house.move(0)
        elif number == 5:
            raise asyncio.CancelledError

    house.move(0)
    _steps(house, store, monkeypatch, then)
    assert store.asked == [500, 100, 100, 500, 500]


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
