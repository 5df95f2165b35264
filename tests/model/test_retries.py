"""How long a failed unit waits before each retry."""

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinate_server.model.retries import retry_delay

SECONDS = st.floats(0, 2**40)
NUMBERS = st.integers(1, 10**6)


def test_delay_grows_to_the_longest():
    """Without jitter each delay is the one before times the factor, until the longest."""
    found = [retry_delay(5, 3, 100, 0, b"k", number) for number in range(1, 6)]
    assert found == [5, 15, 45, 100, 100]


def test_factor_of_one_waits_the_same_each_time():
    """A steady delay is one that grows by nothing."""
    assert {retry_delay(7, 1, 3600, 0, b"k", n) for n in (1, 2, 1000, 10**6)} == {7}


def test_no_delay_stays_none():
    """Nothing times whatever is nothing, also where the factor's power is too large to be."""
    assert {retry_delay(0, 10, 3600, 0.25, b"k", n) for n in (1, 2, 400, 10**6)} == {0}


@pytest.mark.parametrize("factor", [1.0001, 2, 10, 1e9, 2**40])
def test_retry_of_a_high_number_waits_the_longest(factor):
    """The power overflows, the delay does not."""
    assert retry_delay(1, factor, 3600, 0, b"k", 10**6) == 3600


@given(SECONDS, st.floats(1, 2**40), SECONDS, st.floats(0, 1), st.binary(max_size=20), NUMBERS)
def test_jitter_takes_off_its_share_at_most(base, factor, most, jitter, key, number):
    """The delay is within its bounds, and the same each time it is asked for."""
    plain = retry_delay(base, factor, most, 0, key, number)
    delay = retry_delay(base, factor, most, jitter, key, number)
    assert isfinite(delay)
    assert plain <= most
    assert plain * (1 - jitter) * (1 - 1e-12) <= delay <= plain
    assert retry_delay(base, factor, most, jitter, key, number) == delay


@pytest.mark.parametrize("number", [1, 2, 10])
def test_keys_that_count_up_spread_over_the_whole_share(number):
    """Units that failed together come back apart: each tenth of the range gets its part."""
    delays = [retry_delay(100, 1, 3600, 0.5, b"%06d" % i, number) for i in range(10_000)]
    tenths = [int((delay - 50) / 5) for delay in delays]
    assert all(800 < tenths.count(tenth) < 1200 for tenth in range(10))


def test_retries_of_one_unit_spread_too():
    """Two units that fell on one moment do not fall on one again."""
    shares = {retry_delay(100, 1, 3600, 0.5, b"k", number) for number in range(1, 1001)}
    assert len(shares) == 1000
