"""The timekeeper: what is due is looked at when it is, while nobody calls."""

import pytest

from coordinate_server.service.timekeeper import Timekeeper
from tests.server.house import House


def keeper(house):
    """A keeper of a house's time."""
    return Timekeeper(house.model, house.clock, house.committer, house.loop)


@pytest.fixture
def house():
    house = House()
    keeper(house).start()
    house.call("set_work_spec", {"name": "s", "min_gb": 1})
    house.call("add_work_units", "s", [("a", {})])
    return house


def pass_time(house, seconds):
    """Let time go by, with nobody calling but the timers."""
    house.clock.move(seconds)
    house.loop.settle()


def states(house):
    return house.model.namespace("default").count_units(house.clock.instant(), "s")


def noticed(house):
    """How many leases have been ended, without ending any by asking."""
    (roster,) = house.model.namespace("default")._rosters.values()
    return sum(unit.history.lost for unit in roster.units.values() if unit.history)


def test_a_lease_ends_at_its_moment(house):
    """To the millisecond, not at the next second."""
    client = house.client()
    client.call("get_work", "w", {"lease_time": 10.25})
    for _ in range(10):
        pass_time(house, 1.02)
        assert noticed(house) == 0
    pass_time(house, 0.051)
    assert noticed(house) == 1


def test_a_nearer_moment_comes_first(house):
    """A call may bring the next look forward."""
    house.client().call("get_work", "w", {"lease_time": 1.9})
    house.call("add_work_units", "s", [("b", {})])
    house.client().call("get_work", "v", {"lease_time": 1.2})
    pass_time(house, 1.21)
    assert noticed(house) == 1


def test_a_wall_clock_that_jumps_is_noticed_within_a_second(house):
    """What is due by the wall clock, and only that: leases do not move."""
    client = house.client()
    client.call("get_work", "w", {"lease_time": 300})
    client.call("add_work_units", "s", [("late", {}, {"delay": 3000})])
    house.clock.wall += 3600
    pass_time(house, 1.001)
    assert states(house) == {3: 1, 1: 1}
    house.clock.wall -= 7200
    pass_time(house, 1.001)
    assert states(house) == {3: 1, 1: 1}


def test_nothing_is_looked_at_after_the_end():
    """A stopped keeper leaves no timer behind."""
    house = House()
    kept = keeper(house)
    kept.start()
    assert house.loop.timers == 1
    kept.stop()
    assert house.loop.timers == 0


def test_an_idle_server_looks_once_a_second(house):
    """And commits nothing when nothing was due."""
    house.loop.settle()
    commits = house.committer.commits
    for _ in range(100):
        pass_time(house, 1.0)
    assert house.committer.commits == commits
    assert house.loop.timers == 1
