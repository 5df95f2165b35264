"""Retries, lost leases, limits, rates, turns and schedules of a spec."""

import pytest
from attrs import evolve

from coordinate_server.model import Model
from coordinate_server.model.errors import Refused

AVAILABLE, PENDING, FINISHED, FAILED, DELAYED = 1, 3, 4, 5, 6


@pytest.fixture
def limited(house):
    """A house whose server defines two limits."""
    house.settings = evolve(house.settings, limits={"gpu": 2, "none": 0})
    house.model = Model.load([], house.at, house.settings)
    return house


def fail(house, key, **wanted):
    house.update("s", key, status=FAILED, worker_id="w", **wanted)


def test_failed_unit_is_tried_again_with_longer_and_longer_delays(house):
    """max_retries more times, and then it has failed."""
    house.spec("s", max_retries=3, retry_delay=10, retry_jitter=0, retry_delay_max=30)
    house.add("s", "k")
    delays = []
    for _ in range(3):
        house.get()
        fail(house, "k")
        delays.append(house.unit("s", "k").not_before - house.at.wall)
        assert house.keys() == []
        house.advance(delays[-1])
    assert delays == [10, 20, 30]
    house.get()
    fail(house, "k", data={"traceback": "boom"})
    unit = house.unit("s", "k")
    assert (unit.status, unit.failures) == (FAILED, 4)
    attempts = house.space.unit_attempts(house.at, "s", b"k")
    assert [a.outcome for a in attempts] == ["failed"] * 4
    assert attempts[-1].traceback == "boom"
    house.restart()
    assert house.space.unit_attempts(house.at, "s", b"k") == attempts


def test_failing_twice_is_one_failure(house):
    """0.1.5's runner fails a unit, and then its worker does."""
    house.spec("s", max_retries=5)
    house.add("s", "k")
    house.get()
    fail(house, "k")
    fail(house, "k")
    assert house.unit("s", "k").failures == 1


def test_worker_says_how_long_to_wait(house):
    """Its delay takes the place of the spec's, and a unit given back may be delayed too."""
    house.spec("s", max_retries=5, retry_delay=1000)
    house.add("s", "k")
    house.get()
    fail(house, "k", delay=5)
    house.advance(5)
    assert house.keys() == ["k"]
    house.update("s", "k", lease_time=-1, worker_id="w", delay=7)
    assert house.unit("s", "k").status == DELAYED
    house.advance(7)
    assert house.keys() == ["k"]


def test_unit_that_loses_its_leases_is_put_away(house):
    """The n-th lost lease fails it with the reason; failures are counted apart."""
    house.spec("s", max_lost_leases=2)
    house.add("s", "k")
    for _ in range(2):
        assert house.keys(lease_time=10) == ["k"]
        house.advance(10)
    unit = house.unit("s", "k")
    assert (unit.status, unit.failures, unit.lost_leases) == (FAILED, 0, 2)
    assert unit.reason == "lost 2 leases, of max_lost_leases 2"
    house.update("s", "k", status=AVAILABLE)
    assert house.unit("s", "k").lost_leases == 0
    outcomes = [a.outcome for a in house.space.unit_attempts(house.at, "s", b"k")]
    assert outcomes == ["lost", "lost"]


def test_limit_is_shared(limited):
    """So many units of all that use it, whichever these are; a redefinition counts at once."""
    for name in "ab":
        limited.spec(name, uses=["gpu"])
        limited.add(name, "1", "2", "3")
    limited.spec("free")
    limited.add("free", "x")
    assert len(limited.get(most=9, specs=["a"])) == 2
    assert limited.get(specs=["a", "b"]) == []
    limited.update("a", "1", status=FINISHED, worker_id="w")
    assert [u.spec for u in limited.get(specs=["b"])] == ["b"]
    limited.restart()
    assert limited.get(specs=["a", "b"]) == []
    limited.spec("b")
    assert [u.spec for u in limited.get(specs=["a"])] == ["a"]


def test_limit_that_the_server_does_not_define_is_refused(limited):
    """When a spec is set; where it has gone from the configuration since, nothing runs."""
    with pytest.raises(Refused, match="the limit 'nope', the server defines gpu, none"):
        limited.spec("s", uses=["gpu", "nope"])
    limited.spec("s", uses=["gpu"])
    limited.add("s", "k")
    limited.settings = evolve(limited.settings, limits={})
    limited.restart()
    assert limited.get() == []
    (reason,) = limited.space.explain_spec(limited.at, "s").reasons
    assert (reason.code, "is not defined" in reason.text) == ("limit", True)


def test_rate_is_a_window_that_slides_over_restarts(house):
    """Never more than so many in any span of time."""
    house.spec("s", rate={"units": 3, "seconds": 10})
    house.add("s", *map(str, range(100)))
    moments = []
    for _ in range(40):
        moments += [house.at.now] * len(house.get(most=2))
        house.advance(1.5)
        house.restart()
    assert len(moments) > 15
    for first, fourth in zip(moments, moments[3:], strict=False):
        assert fourth - first >= 10


def test_schedule_makes_a_unit_at_its_moment(house):
    """With the moment as its key, in the zone, and one at a time."""
    house.spec("s", schedule="0 12 * * *", timezone="Europe/Berlin")
    house.advance(86_400)
    (unit,) = house.get(lease_time=86_400)
    assert unit.key.endswith(b"T12:00:00+01:00")
    assert unit.data == b"\xa0"
    house.advance(60_000)
    assert house.get("v") == []


@pytest.mark.parametrize("missed,made", [("one", 1), ("none", 0)])
def test_missed_runs(house, missed, made):
    """Any number of them is made up for by one, or none, once that can be."""
    house.spec("s", schedule="* * * * *", missed_runs=missed)
    house.advance(60)
    (unit,) = house.get(lease_time=86_400)
    for _ in range(5):
        house.advance(60)
        assert house.counts("s") == {PENDING: 1}
    house.update("s", unit.key.decode(), status=FINISHED, worker_id="w")
    house.advance(0.5)
    assert len(house.get()) == made


def test_run_over_a_minute_late_is_missed(house):
    """A server that was away for long makes up for it, or goes on with the next."""
    house.spec("one", schedule="*/10 * * * *")
    house.spec("none", schedule="*/10 * * * *", missed_runs="none")
    house.commit()
    house.advance(700 - house.at.wall % 600)
    house.restart()
    assert [unit.spec for unit in house.get(most=5)] == ["one"]
    house.advance(500)
    assert [unit.spec for unit in house.get("v", most=5)] == ["none"]


@pytest.mark.parametrize(
    "fields,message",
    [
        ({"rate": 5}, "rate of work spec 's' should be a map"),
        ({"rate": {"units": 0, "seconds": 1}}, "units of rate of work spec 's' should be at least"),
        ({"rate": {"units": 1}}, "rate of work spec 's' should be {units"),
        ({"schedule": "nonsense"}, "schedule should be five fields of cron"),
        ({"schedule": "0 0 30 2 *"}, "some day has, such as .*, not '0 0 30 2 "),
        ({"schedule": "* * * * *", "timezone": "Mars/Base"}, "timezone should be the name"),
        ({"schedule": "* * * * *", "continuous": True}, "schedule or continuous, not both"),
        ({"timezone": "UTC"}, "timezone of work spec 's' means nothing without schedule"),
        ({"serial_max": 2}, "serial_max of work spec 's' means nothing without serial_key"),
        ({"serial_key": "a", "serial_max": 0}, "serial_max of work spec 's' should be at least 1"),
        ({"retry_jitter": 2}, "retry_jitter of work spec 's' should be at most 1"),
        ({"retry_backoff": 0.5}, "retry_backoff of work spec 's' should be at least 1"),
        ({"max_lost_leases": 0}, "max_lost_leases of work spec 's' should be at least 1"),
        ({"missed_runs": "two", "schedule": "* * * * *"}, "should be one or none"),
        ({"uses": "gpu"}, "uses of work spec 's' should be an array of names"),
    ],
)
def test_definition_that_cannot_be_is_refused(house, fields, message):
    """With the field, the spec and what would be right; nothing is set."""
    with pytest.raises(Refused, match=message):
        house.spec("s", **fields)
    assert house.space.spec("s") is None


def test_pending_unit_keeps_the_value_that_it_took(house):
    """Interim data without the value do not let a second unit of that value run."""
    house.spec("s", serial_key="host")
    house.add("s", "a", "b", data={"host": "x"})
    assert house.keys() == ["a"]
    house.update("s", "a", data={"r": 1}, lease_time=300, worker_id="w")
    assert house.keys() == []
    house.update("s", "a", status=FINISHED, worker_id="w")
    assert house.keys() == ["b"]


def test_number_that_no_float_holds_is_refused(house):
    """Also in an output, where it makes no unit and the finish stands."""
    house.spec("s", then="t")
    house.spec("t")
    with pytest.raises(Refused, match="priority is beyond the range of a float"):
        house.add("s", "k", priority=10**400)
    house.add("s", "k")
    house.get()
    output = [["x", {}, {"delay": 10**400}], ["y", {}]]
    house.settings = evolve(house.settings, unit_data_bytes=1000)
    house.restart()
    house.update("s", "k", status=FINISHED, worker_id="w", data={"output": output})
    assert house.unit("s", "k").status == FINISHED
    assert "beyond the range of a float" in house.unit("s", "k").output_error
    assert house.keys() == ["y"]
