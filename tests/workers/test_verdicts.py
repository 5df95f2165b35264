"""When a parent ends what a child runs."""

import pytest

from coordinate_client.workers.board import Running
from coordinate_client.workers.machine import GIB
from coordinate_client.workers.verdicts import EXPIRED, Bounds, Verdict, verdict

BOUNDS = Bounds(stop_jobs_early=15, max_memory_gb=2)


def judged(now, *, resident=None, bounds=BOUNDS, **unit):
    """The verdict about a unit that was leased at 1000 for 300 s."""
    given = {"lease": 300.0, "expires": 1300.0, **unit}
    return verdict(Running("s", b"k", 1, 0.0, **given), resident, now, bounds)


@pytest.mark.parametrize("now", [1000, 1284.9])
def test_a_unit_within_its_bounds_goes_on(now):
    """There is no verdict."""
    assert judged(now, resident=2 * GIB) is None


@pytest.mark.parametrize("now", [1285, 1300, 2000])
def test_a_unit_whose_lease_is_about_to_end_is_stopped_and_failed(now):
    """So many seconds before its end, as the configuration says."""
    assert judged(now) == Verdict(EXPIRED, now, fails=True)


def test_a_short_lease_is_used_for_half_of_its_time():
    """Stopping 15 s before the end of a lease of 10 s would be stopping before the beginning."""
    assert judged(1004.9, lease=10.0, expires=1010.0) is None
    assert judged(1005, lease=10.0, expires=1010.0).reason == EXPIRED


def test_a_unit_that_runs_too_long_is_pressed_from_its_limit_on():
    """The child has told its code at that moment by itself."""
    found = judged(1040, limit=30.0, until=1030.0)
    assert found == Verdict("max_runtime of 30 s exceeded", 1030.0, asks=False)


def test_memory_comes_before_everything_else():
    """The child is killed at once, and the unit says why."""
    found = judged(1300, resident=int(2.5 * GIB), limit=30.0, until=1030.0)
    reason = "2.50 GiB of memory used, max_memory_gb is 2"
    assert found == Verdict(reason, 1300, asks=False, kills=True, fails=True)


def test_memory_may_be_without_a_bound():
    """And need not be known then."""
    bounds = Bounds(stop_jobs_early=15)
    assert judged(1000, resident=100 * GIB, bounds=bounds) is None
    assert judged(1000, resident=None) is None
