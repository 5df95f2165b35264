"""The garbage collector is kept from going through all that there is."""

import gc

import pytest

from coordinate_server import collector


@pytest.fixture(autouse=True)
def _as_before():
    """The collector as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_is_there_at_the_start_is_out_of_sight():
    there: list[list[object]] = [[] for _ in range(1000)]
    before = gc.get_freeze_count()
    collector.set_up()
    assert gc.get_freeze_count() >= before + len(there)


def test_what_has_come_goes_out_of_sight_when_it_is_much():
    collector.set_up()
    before = gc.get_freeze_count()
    few: list[list[object]] = [[] for _ in range(100)]
    collector.look()
    assert gc.get_freeze_count() == before
    many: list[list[object]] = [[] for _ in range(100_000)]
    collector.look()
    # The youngest come later.
    assert gc.get_freeze_count() >= before + len(many) - 10_000
    assert few


def test_circles_of_the_young_are_found():
    """They are not put out of sight, where nobody finds them, as long as few objects come."""
    collector.set_up()
    before = gc.get_freeze_count()
    for _ in range(100_000):
        circle: list[object] = []
        circle.append(circle)
    collector.look()
    assert gc.get_freeze_count() < before + 3_000


def test_nothing_is_collected_while_much_is_made():
    with collector.at_rest():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), collector.at_rest():
        raise ZeroDivisionError
    assert gc.isenabled()
