"""Leases, delays, made-up units, chains and archives."""

import pytest

from coordinate_protocol.codec import encode
from coordinate_server.model import Instant, ModelSettings, NewUnit
from coordinate_server.model.chain import chain
from coordinate_server.model.errors import NoSuchSpec, NoSuchUnit, NotOwner, Refused
from coordinate_server.model.unit import Unit


def test_expired_lease_makes_the_unit_available(house):
    """Who lost a lease cannot finish the unit, neither before nor after it is handed out again."""
    house.spec("s")
    house.add("s", "k")
    first = house.get("w", lease_time=10)[0]
    house.advance(10)
    with pytest.raises(NotOwner):
        house.update("s", "k", status=4, worker_id="w")
    second = house.get("v")[0]
    with pytest.raises(NotOwner, match="it is that of 'v'"):
        house.update("s", "k", status=4, worker_id="w")
    assert second.attempt > first.attempt
    assert house.unit("s", "k").worker_id == "v"


def test_wall_clock_that_jumps_expires_nothing(house):
    """Leases go by the monotonic clock alone."""
    house.spec("s")
    house.add("s", "k")
    house.get(lease_time=10)
    house.at = Instant(house.at.now, house.at.wall + 1e9)
    assert house.unit("s", "k").status == 3


def test_renewed_lease_lasts_from_the_renewal(house):
    """The old end of a lease that was renewed means nothing."""
    house.spec("s")
    house.add("s", "k")
    house.get("w", lease_time=10)
    house.advance(5)
    house.update("s", "k", lease_time=10, worker_id="w")
    house.advance(9)
    assert house.unit("s", "k").status == 3
    house.advance(1)
    assert house.unit("s", "k").status == 1


def test_many_renewals_do_not_pile_up(house):
    """A lease renewed ten thousand times costs no memory for each."""
    house.spec("s")
    house.add("s", "k")
    house.get("w")
    for _ in range(10_000):
        house.advance(0.01)
        house.update("s", "k", lease_time=900, worker_id="w")
    assert len(house.model._core.leases._heap) < 2000


@pytest.mark.parametrize("asked,given", [(0.1, 1), (1e9, 86400), (None, 300)])
def test_lease_out_of_range_is_moved_into_it(house, asked, given):
    """A hand-out says so when its lease is not the one asked for."""
    house.spec("s")
    house.add("s", "k")
    unit = house.get(lease_time=asked)[0]
    assert unit.deadline == house.at.now + given
    assert (unit.message is None) == (asked is None)


def test_delayed_unit_waits_for_the_wall_clock(house):
    """A unit added with a delay is handed out when that is over, not before."""
    house.spec("s")
    house.add("s", "k", delay=30)
    assert house.get() == []
    assert house.model.next_deadline().wall == house.at.wall + 30
    house.advance(30)
    assert house.keys() == ["k"]


def test_continuous_spec_makes_units_up(house):
    """One that has not ended at a time, not before the interval is over, restarts or not."""
    house.spec("s", continuous=True, interval=60)
    first = house.get(most=5)
    assert [unit.data for unit in first] == [b"\xa0"]
    assert float(first[0].key) == house.at.wall
    assert house.get() == []
    house.restart()
    house.advance(59)
    assert house.get() == []
    house.advance(1)
    assert house.get() == []
    house.update("s", first[0].key.decode(), status=4)
    assert len(house.get()) == 1


def test_continuous_unit_never_takes_a_key_that_exists(house):
    """Two made up at one moment have two keys."""
    house.spec("s", continuous=True)
    first = house.keys()
    house.update("s", first[0], status=4)
    assert len({*first, *house.keys()}) == 2


def test_continuous_spec_hands_out_added_units_during_the_interval(house):
    """The interval holds for made-up units only."""
    house.spec("s", continuous=True, interval=60)
    house.get()
    house.add("s", "k")
    assert house.keys() == ["k"]


OUTPUTS = [
    ({"k": {"n": 1}}, [(b"k", {"n": 1}, 7, None)]),
    (["k", b"\xff"], [(b"k", {}, 7, None), (b"\xff", {}, 7, None)]),
    ([("k", {"n": 1}), ["j", {}]], [(b"k", {"n": 1}, 7, None), (b"j", {}, 7, None)]),
    ([("k", {}, {"priority": 2, "delay": 5})], [(b"k", {}, 2, 5)]),
    (
        [("k", {}, {"priority": 2}, 3), ("j", {}, {}, None)],
        [(b"k", {}, 3, None), (b"j", {}, 7, None)],
    ),
    ([("k",)], [(b"k", {}, 7, None)]),
    (None, []),
]


@pytest.mark.parametrize("output,expected", OUTPUTS)
def test_output_is_read_in_each_form(output, expected):
    """Every form makes the units it says, with the parent's priority where it gives none."""
    units, fault = chain(Unit(b"k", encode({"output": output}), 7), ModelSettings())
    assert units == [NewUnit(k, encode(d), p, delay) for k, d, p, delay in expected]
    assert fault is None


@pytest.mark.parametrize(
    "output", [5, "text", [5], [[]], [("k", {}, 5)], [("k", {}, {}, 1, 2)], [(1, {})]]
)
def test_malformed_output_fails_nothing(house, output):
    """What is no output makes no unit; the finish holds, and says what was wrong."""
    house.spec("s", then="t")
    house.spec("t")
    house.add("s", "k")
    house.get("w")
    message = house.update("s", "k", status=4, worker_id="w", data={"output": output})
    assert "made no unit" in message
    assert house.counts("s") == {4: 1}
    assert house.counts("t") == {}


def test_well_formed_part_of_output_is_used(house):
    """One bad item does not take the others with it; nor does a key or priority out of range."""
    house.spec("s", then="t")
    house.spec("t")
    house.add("s", "k")
    output = [5, "good", "x" * 21, ("nan", {}, {"priority": float("nan")})]
    assert house.update("s", "k", status=4, data={"output": output}).startswith("3 of")
    assert house.counts("t") == {1: 1}


def test_second_finish_makes_no_units_again(house):
    """A unit that is finished already does not fire, whoever says it."""
    house.spec("s", then="t")
    house.spec("t")
    house.add("s", "k", data={"output": ["x"]})
    house.get("w")
    house.update("s", "k", status=4, worker_id="w")
    house.space.delete_units(house.at, "t", all=True)
    house.update("s", "k", status=4, worker_id="w")
    house.update("s", "k", status=4)
    assert house.counts("t") == {}


def test_archive_forgets_by_count_and_keeps_the_counts(house):
    """The latest stay; deleting by state takes the forgotten ones out of the counts."""
    house.spec("s", limit_completed_count=1)
    house.add("s", "a", "b", "c")
    for key in "bac":
        house.advance(1)
        house.update("s", key, status=4)
    house.space.archive(house.at, ["s", "no such"])
    assert house.counts("s") == {4: 3}
    assert house.space.list_units(house.at, "s") == [(b"c", b"\xa0")]
    house.restart()
    assert house.counts("s") == {4: 3}
    assert house.space.delete_units(house.at, "s", states=[4]) == 3
    assert house.counts("s") == {}


def test_archive_forgets_by_age(house):
    """What ended longer ago than the limit goes."""
    house.spec("s", limit_completed_age=10)
    house.add("s", "a", "b")
    house.update("s", "a", status=5)
    house.advance(11)
    house.update("s", "b", status=5)
    house.space.archive(house.at)
    assert house.space.list_units(house.at, "s") == [(b"b", b"\xa0")]


@pytest.mark.parametrize(
    "unit,message",
    [
        (NewUnit(b"x" * 21, b"\xa0"), "server.limits.key_bytes"),
        (NewUnit(b"x", b"\xa0" * 101), "server.limits.unit_data_bytes"),
        (NewUnit(b"x", b"\xa0", float("nan")), "priority should be a number"),
        (NewUnit(b"x", b"\xa0", 0, -1), "delay should be at least 0"),
    ],
)
def test_refused_addition_adds_nothing(house, unit, message):
    """One bad unit refuses the whole call."""
    house.spec("s")
    house.commit()
    with pytest.raises(Refused, match=message):
        house.space.add_units(house.at, "s", [NewUnit(b"good", b"\xa0"), unit])
    assert house.counts("s") == {}
    assert house.commit() == []


def test_unknown_names_and_empty_updates_are_refused(house):
    """Each refusal has its own error."""
    with pytest.raises(NoSuchSpec):
        house.counts("s")
    house.spec("s")
    with pytest.raises(NoSuchUnit):
        house.update("s", "k", status=4)
    house.add("s", "k")
    with pytest.raises(Refused, match="nothing to do"):
        house.update("s", "k")


def test_settings_are_those_given():
    """Limits of the configuration reach the model."""
    assert ModelSettings().restart_grace == 60
