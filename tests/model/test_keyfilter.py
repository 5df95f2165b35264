"""The filter of keys: never wrong when it says no, seldom wrong when it says maybe, and small."""

import gc
import tracemalloc

import pytest

from coordinate_server.model.keyfilter import KeyFilter


@pytest.mark.parametrize("number", [1, 5461, 5462, 40_000])
def test_a_key_that_was_put_in_is_never_surely_not_there(number):
    keys = KeyFilter()
    for n in range(number):
        keys.add(b"key %d" % n)
    assert all(keys.maybe(b"key %d" % n) for n in range(number))


def test_few_others_may_be_there():
    """Of keys that are not in it fewer than one in twenty has to be looked for."""
    keys = KeyFilter()
    for n in range(100_000):
        keys.add(b"key %d" % n)
    assert sum(keys.maybe(b"other %d" % n) for n in range(10_000)) < 500


def test_an_empty_one_has_nothing():
    assert not KeyFilter().maybe(b"key")


def test_a_key_that_is_put_in_again_takes_no_room():
    keys = KeyFilter()
    gc.collect()
    tracemalloc.start()
    for _ in range(20_000):
        keys.add(b"key")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 1000


def test_a_key_takes_three_bytes_at_the_worst_moment():
    tracemalloc.start()
    keys = KeyFilter()
    worst = 0.0
    for n in range(1, 100_000):
        keys.add(b"%d" % n)
        if n > 50_000 and not n % 1000:
            worst = max(worst, tracemalloc.get_traced_memory()[0] / n)
    tracemalloc.stop()
    assert 1.5 < worst < 3.2
