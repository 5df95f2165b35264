"""How units are kept: one that only waits is its data and no more, whatever is asked of it."""

import gc
import tracemalloc

import pytest

from coordinate_protocol.constants import FINISHED
from coordinate_server.model import Model
from coordinate_server.model.calls import NewUnit, UnitUpdate, WorkRequest
from coordinate_server.model.instant import Instant
from coordinate_server.model.unit import Unit
from coordinate_server.model.units import Units

AT = Instant(1000.0, 1_800_000_000.0)
DATA = b"\x58\x3e" + bytes(62)  # 64 bytes, as CBOR


@pytest.fixture
def units():
    units = Units()
    for number in range(1000):
        units.add_fresh(b"%04d" % number, DATA)
    return units


def test_a_unit_that_is_asked_for_is_one_object_from_then_on(units):
    unit = units.get(b"0007")
    assert (unit.key, unit.data) == (b"0007", DATA)
    assert units[b"0007"] is unit
    assert units.seen(b"0007") is unit
    assert any(found is unit for found in units.values())


def test_a_unit_that_is_only_looked_at_stays_small(units):
    assert units.seen(b"0007") is not units.seen(b"0007")
    assert units.seen(b"none") is None


def test_asking_for_one_changes_neither_number_nor_keys(units):
    keys = sorted(units)
    units.get(b"0007")
    units.get(b"none")
    assert len(units) == 1000
    assert sorted(units) == keys == sorted(unit.key for unit in units.values())


def test_only_a_unit_that_is_as_it_was_added_rests(units):
    for change in ({"priority": 1}, {"attempt": 3}, {"not_before": 5.0}, {"status": FINISHED}):
        unit = Unit(b"new", DATA)
        for name, value in change.items():
            setattr(unit, name, value)
        units.add(unit)
        units.rest(unit)
        assert units.get(b"new") is unit
        units.remove(unit)
    fresh = Unit(b"new", DATA)
    units.add(fresh)
    units.rest(fresh)
    assert units.seen(b"new") is not fresh


def test_an_object_that_is_no_more_the_one_that_is_kept_does_not_rest(units):
    old = units.get(b"0007")
    units.remove(old)
    units.rest(old)
    assert b"0007" not in units


def test_a_unit_is_removed_however_it_is_kept(units):
    units.remove(units.seen(b"0001"))
    units.remove(units.get(b"0002"))
    assert len(units) == 998
    with pytest.raises(KeyError):
        units[b"0001"]


def test_it_waits_at_the_usual_priority_and_no_other(units):
    assert units.waits(b"0007", 0)
    assert not units.waits(b"0007", 1)
    assert not units.waits(b"none", 0)
    assert units.waiting(b"0007", 1) is None
    assert units.waiting(b"0007", 0) is units.get(b"0007")


def test_dicts_have_sizes_that_do_not_all_grow_at_once(units):
    for number in range(1000, 100_000):
        units.add_fresh(b"%04d" % number, DATA)
    sizes = sorted(len(shard) for shard in units._fresh)
    assert sizes[-1] / sizes[0] > 1.7


def test_a_unit_that_waits_costs_at_most_250_bytes():
    """With 64 bytes of data, and all that the model has of it; the keys have 12 bytes."""
    model = Model()
    space = model.namespace("default")
    space.set_spec(AT, {"name": "s", "min_gb": 1})
    model.take_changes(AT)
    gc.collect()
    tracemalloc.start()
    for begin in range(0, 20_000, 1000):
        new = [NewUnit(b"key %08d" % n, bytes(bytearray(DATA))) for n in range(begin, begin + 1000)]
        space.add_units(AT, "s", new)
        del new
        model.take_changes(AT)
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / 20_000 <= 250


def test_what_is_handed_out_was_kept_small_and_is_not_any_more():
    model = Model()
    space = model.namespace("default")
    space.set_spec(AT, {"name": "s", "min_gb": 1})
    space.add_units(AT, "s", [NewUnit(b"a", DATA), NewUnit(b"b", DATA)])
    model.take_changes(AT)
    (handed,) = space.get_work(AT, "w", WorkRequest())
    assert (handed.key, handed.data) == (b"a", DATA)
    space.update_unit(AT, "s", b"a", UnitUpdate(status=FINISHED, worker_id="w"))
    assert space.count_units(AT, "s") == {1: 1, FINISHED: 1}
