"""Long polling: an answer comes when there is work, in the order in which workers asked."""

import pytest

from coordinate_protocol.messages import Failure
from coordinate_server.model.calls import WorkRequest
from coordinate_server.model.settings import ModelSettings
from tests.server.house import House, result_of


@pytest.fixture
def house():
    return House()


@pytest.fixture
def client(house):
    """A client of a server with one spec and no units."""
    client = house.client(protocol=[1])
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    return client


def wait(house, worker, seconds=60, **options):
    """Ask for work on a connection of its own; gives a list that gets the answer."""
    client = house.client(protocol=[1])
    _, results = client.later("get_work", worker, {"wait": seconds} | options)
    return results


def got(results):
    """The keys of what came, None for nothing."""
    (answer,) = results
    units = result_of(answer)[0]
    return [unit[1] for unit in (units if isinstance(units, list) else [units])]


def test_an_answer_comes_with_the_work(house, client):
    """Not before, and at once."""
    results = wait(house, "w")
    house.move(30)
    assert results == []
    client.call("add_work_units", "s", [("a", {})])
    assert got(results) == ["a"]


def test_what_was_handed_out_to_who_waits_is_in_the_commit_that_brought_it(house, client):
    """A unit added and leased is one commit."""
    wait(house, "w")
    house.loop.settle()
    commits = house.committer.commits
    client.call("add_work_units", "s", [("a", {})])
    assert house.committer.commits == commits + 1


def test_work_at_hand_is_not_waited_for(house, client):
    """The answer is there as without waiting."""
    client.call("add_work_units", "s", [("a", {})])
    assert client.call("get_work", "w", {"wait": 60}) == (("s", "a", {}), None)


def test_workers_are_served_in_the_order_in_which_they_asked(house, client):
    """Whatever they are called."""
    waiting = {name: wait(house, name) for name in ("c", "a", "b")}
    for number in range(3):
        client.call("add_work_units", "s", [(f"k{number}", {})])
    assert [got(waiting[name]) for name in ("c", "a", "b")] == [["k0"], ["k1"], ["k2"]]


def test_who_asks_later_does_not_overtake_who_waits(house, client):
    """Not in the same turn of the loop either, in which the unit was added."""
    results = wait(house, "first")
    client.answer("add_work_units", "s", [("a", {})])
    late = house.client(protocol=[1]).call("get_work", "second", {})
    assert late == ((None, None, None), None)
    assert got(results) == ["a"]


def test_one_unit_wakes_one_of_a_thousand(house, client):
    """Those who ask alike are one way of asking: nobody else is even looked at."""
    waiting = [wait(house, f"w{number}") for number in range(1000)]
    lines = house.lines
    house.loop.settle()
    before = lines.tries
    client.call("add_work_units", "s", [("a", {})])
    assert got(waiting[0]) == ["a"]
    assert not any(waiting[1:])
    assert lines.tries - before <= 3


def test_nobody_who_cannot_use_it_is_in_the_way(house, client):
    """Who asks for something else, or has too little memory, is passed over."""
    client.call("set_work_spec", {"name": "big", "min_gb": 8})
    other = wait(house, "other", work_spec_names=["t"])
    small = wait(house, "small", available_gb=2)
    large = wait(house, "large", available_gb=16)
    client.call("add_work_units", "big", [("b", {})])
    assert (other, small, got(large)) == ([], [], ["b"])
    client.call("add_work_units", "s", [("a", {})])
    assert (other, got(small)) == ([], ["a"])


def test_ways_of_asking_are_sorted_anew_when_specs_change(house, client):
    """A new spec tells workers apart who were alike before."""
    small, large = wait(house, "small", available_gb=2), wait(house, "large", available_gb=16)
    client.call("set_work_spec", {"name": "big", "min_gb": 8})
    client.call("add_work_units", "big", [("b", {})])
    assert (small, got(large)) == ([], ["b"])


def test_a_wait_that_is_over_is_answered_with_nothing(house, client):
    """After just so long, and its timer is gone."""
    one, many = wait(house, "w", 5), wait(house, "v", 5, max_jobs=3)
    house.move(4.9)
    assert (one, many) == ([], [])
    house.move(0.2)
    assert (result_of(one[0]), result_of(many[0])) == (((None, None, None), None), ([], None))
    assert house.loop.timers == 0


def test_who_has_gone_is_handed_nothing(house, client):
    """Its connection was closed: the unit goes to the next one."""
    gone, results = house.client().later("get_work", "gone", {"wait": 60})
    second = wait(house, "second")
    gone.abandon()
    client.call("add_work_units", "s", [("a", {})])
    assert (results, got(second)) == ([], ["a"])


def test_a_hand_out_that_could_not_be_written_goes_to_the_next_who_waits(house, client):
    """The connection went between hand-out and answer."""
    first, second = wait(house, "first"), wait(house, "second")
    client.call("add_work_units", "s", [("a", {})])
    first[0].undelivered()
    house.loop.settle()
    assert got(second) == ["a"]
    attempts, _ = client.call("get_work_unit_attempts", "s", "a")
    assert [attempt["outcome"] for attempt in attempts] == ["released", "pending"]


def test_a_stopping_server_answers_who_waits(house, client):
    """As if the time of the wait were over."""
    waiting, results = house.client().later("get_work", "w", {"wait": 60})
    waiting.expire()
    assert got(results) == [None]


@pytest.mark.parametrize(
    "bring",
    [
        lambda client: client.call("update_work_unit", "s", "a", {"lease_time": -1}),
        lambda client: client.call("update_work_unit", "s", "a", {"status": 1}),
        lambda client: client.call("set_work_spec", {"name": "s", "min_gb": 1, "continuous": True}),
        lambda client: client.house.move(301),
    ],
    ids=["given back", "retried", "continuous", "lease expired"],
)
def test_whatever_brings_work_is_told_to_who_waits(house, client, bring):
    """Adding is one way of several."""
    client.call("add_work_units", "s", [("a", {})])
    client.call("get_work", "before", {})
    results = wait(house, "w", 1000)
    bring(client)
    assert got(results)[0]


def test_the_end_of_a_pause_brings_work(house, client):
    """What was there all the time may run now."""
    client.call("add_work_units", "s", [("a", {})])
    client.call("control_work_spec", "s", {"status": 2})
    results = wait(house, "w")
    client.call("control_work_spec", "s", {"status": 1})
    assert got(results) == ["a"]


def test_what_a_unit_needed_brings_work(house, client):
    """The end of one unit frees another."""
    client.call("add_work_units", "s", [("a", {}), ("b", {}, {"depends_on": ["a"]})])
    client.call("get_work", "before", {})
    results = wait(house, "w")
    client.call("update_work_unit", "s", "a", {"status": 4, "worker_id": "before"})
    assert got(results) == ["b"]


def test_a_delay_that_is_over_brings_work(house, client):
    """The next moment at which something is due is known to who keeps time."""
    client.call("add_work_units", "s", [("a", {}, {"delay": 0.25})])
    results = wait(house, "w")
    due = house.model.next_deadline().wall
    assert due == house.clock.wall + 0.25
    house.move(0.25)
    assert got(results) == ["a"]


def test_a_rate_that_has_room_again_brings_work(house, client):
    """And the moment at which it has is known to who keeps time."""
    rate = {"units": 1, "seconds": 0.5}
    client.call("set_work_spec", {"name": "s", "min_gb": 1, "rate": rate})
    client.call("add_work_units", "s", [("a", {}), ("b", {})])
    client.call("get_work", "before", {})
    results = wait(house, "w")
    assert house.model.next_deadline().now == house.clock.now + 0.5
    house.move(0.5)
    assert got(results) == ["b"]


@pytest.mark.parametrize("seconds", [-1, 86401, "long", True, float("nan")])
def test_a_wait_out_of_range_is_refused(house, client, seconds):
    """Nothing is handed out by a call that asks for what cannot be."""
    client.call("add_work_units", "s", [("a", {})])
    answer = client.answer("get_work", "w", {"wait": seconds})
    assert isinstance(answer, Failure)
    assert "wait" in answer.message
    assert client.call("count_work_units", "s")[0] == {1: 1}


def test_those_who_ask_alike_are_given_the_same(house):
    """The way of asking is what the scheduler tells workers apart by, and nothing else."""
    namespace = house.model.namespace("default")
    way = namespace.way_of_asking
    assert way(WorkRequest(max_jobs=3)) == way(WorkRequest(lease_time=9))
    assert way(WorkRequest(spec_names=["a"])) != way(WorkRequest())


def test_only_those_who_want_a_spec_are_looked_at(house, client):
    """Who asks for other specs by name costs nothing when this one changes."""
    for number in range(300):
        client.call("set_work_spec", {"name": f"t{number}", "min_gb": 1})
        wait(house, f"w{number}", work_spec_names=[f"t{number}"])
    house.loop.settle()
    before = house.lines.tries
    client.call("add_work_units", "s", [("a", {})])
    assert house.lines.tries == before
    client.call("add_work_units", "t7", [("a", {})])
    assert house.lines.tries - before <= 2


def test_room_in_a_shared_limit_is_told_to_those_who_want_the_other_spec(house):
    """The end of a unit of one spec is what a unit of another one waited for."""
    house = House(settings=ModelSettings(limits={"gpu": 1}))
    client = house.client(protocol=[1])
    for name in ("s", "t"):
        client.call("set_work_spec", {"name": name, "min_gb": 1, "uses": ["gpu"]})
        client.call("add_work_units", name, [("a", {})])
    client.call("get_work", "before", {"work_spec_names": ["s"]})
    results = wait(house, "w", work_spec_names=["t"])
    client.call("update_work_unit", "s", "a", {"status": 4})
    assert got(results) == ["a"]
