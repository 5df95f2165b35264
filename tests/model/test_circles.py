"""What is let go leaves no circles: a server's collector does not look for them."""

import gc
from collections import Counter
from contextlib import contextmanager

import pytest


@contextmanager
def leaving_nothing():
    """A block after which the garbage collector finds nothing."""
    gc.collect()
    gc.disable()
    try:
        yield
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        assert Counter(type(found).__name__ for found in gc.garbage) == {}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


FIELDS = [
    {},
    {"fair_key": "k"},
    {"serial_key": "k"},
    {"limits": ["l"]},
    {"rate": {"units": 9, "seconds": 1}},
    {"limit_completed_count": 1},
    {"continuous": True},
]


@pytest.mark.parametrize("fields", FIELDS)
def test_a_spec_that_is_deleted(house, fields):
    """Whatever it had, and after the leases are over that are due some time."""
    house.spec("stays")
    house.add("stays", "k")
    house.get("other", specs=["stays"])
    house.commit()

    def live():
        house.spec("goes", **fields)
        house.add("goes", "a", "b", "c")
        if house.get(specs=["goes"]):
            house.update("goes", "a", status=4, worker_id="w")
        house.get(specs=["goes"])
        house.commit()
        house.space.delete_spec(house.at, "goes")
        house.advance(1000)
        house.get(specs=["stays"])
        house.commit()

    live()
    with leaving_nothing():
        live()


def test_ways_of_asking_that_are_forgotten(house):
    """Hundreds of them, of which only some are kept."""
    house.spec("s")
    house.add("s", "k")
    with leaving_nothing():
        for number in range(600):
            house.get(specs=["s", f"no{number}"])
            house.update("s", "k", status=1, worker_id="w")
        house.commit()


@pytest.mark.parametrize("fields", [{"fair_key": "k"}, {"serial_key": "k", "serial_max": 1}])
def test_values_that_come_and_go(house, fields):
    """Those of the keys by which units of a spec take turns."""
    house.spec("s", **fields)

    def live(number):
        for key in "ab":
            house.add("s", key, data={"k": number})
        for key in house.keys() + house.keys():
            house.update("s", key, status=4, worker_id="w")
        for key in sorted(house.keys()):
            house.update("s", key, status=4, worker_id="w")
        house.space.delete_units(house.at, "s", states=[4])
        house.commit()

    live(0)
    with leaving_nothing():
        for number in range(1, 9):
            live(number)
