"""Deadlocks: circles of lockers that wait for each other are refused, and nothing else is."""

import pytest

from coordinate_server.model.locks import Denied, Granted, LockWait
from tests.model.lock_house import LockHouse, text


@pytest.fixture
def house():
    """Nothing is locked."""
    return LockHouse()


def cycle(outcome):
    """Give who waits for what of whom."""
    assert isinstance(outcome, Denied)
    assert outcome.code == "deadlock"
    return [(link.locker, text(link.waits_for), link.held_by) for link in outcome.cycle]


def test_two_lockers_that_would_wait_for_each_other(house):
    """The one who comes last is refused at once, with the circle; the other goes on waiting."""
    house.lock("l1", "a")
    house.lock("l2", "b")
    house.wait("l1", "b")
    refused = house.lock("l2", "a", wait=50)
    assert cycle(refused) == [("l2", "a", "l1"), ("l1", "b", "l2")]
    assert refused.text == "deadlock: 'l2' waits for /a of 'l1', who waits for /b of 'l2'"
    assert (refused.holder, text(refused.path)) == ("l1", "a")
    assert house.held() == [("a", "l1"), ("b", "l2")]
    house.unlock("l2", "b")
    assert house.held() == [("a", "l1"), ("b", "l1")]


def test_three_lockers_in_a_circle(house):
    """However long, over ancestors and descendants."""
    house.lock("l1", "a/1")
    house.lock("l2", "b")
    house.lock("l3", "c/x/y")
    house.wait("l1", "b/2")
    house.wait("l2", "x", "c")
    refused = house.lock("l3", "a", wait=50)
    assert cycle(refused) == [("l3", "a", "l1"), ("l1", "b/2", "l2"), ("l2", "c", "l3")]


def test_call_that_does_not_wait_is_refused_as_ever(house):
    """It closes no circle."""
    house.lock("l1", "a")
    house.lock("l2", "b")
    house.wait("l1", "b")
    assert house.lock("l2", "a").code == "locked"


def test_locker_that_would_wait_for_itself(house):
    """Its own lock would never be free for it."""
    house.lock("l1", "a")
    assert cycle(house.lock("l1", "a", wait=50)) == [("l1", "a", "l1")]
    assert isinstance(house.lock("l1", "a", wait=50, reentrant=True), Granted)


def test_locker_that_would_wait_behind_itself(house):
    """The first of its calls would be in the way of the second, for longer than that waits."""
    house.lock("l2", "a")
    house.wait("l1", "a")
    assert cycle(house.lock("l1", "a", wait=50)) == [("l1", "a", "l1")]
    assert isinstance(house.lock("l1", "a", wait=50, reentrant=True), LockWait)


def test_two_who_share_and_both_want_it_alone(house):
    """The first can wait for the other one's end; the second would wait for ever."""
    house.lock("l1", "a", mode="shared")
    house.lock("l2", "a", mode="shared")
    first = house.wait("l1", "a", reentrant=True)
    refused = house.lock("l2", "a", wait=50, reentrant=True)
    assert cycle(refused) == [("l2", "a", "l1"), ("l1", "a", "l2")]
    house.unlock("l2", "a")
    assert isinstance(first.outcome, Granted)


def test_circle_over_those_who_only_wait(house):
    """Who asked earlier is waited for, though it has nothing yet."""
    house.lock("l1", "a")
    house.lock("l2", "b")
    house.wait("l3", "a", "c")
    house.wait("l1", "b")
    refused = house.lock("l2", "c", wait=50)
    assert cycle(refused) == [("l2", "c", "l3"), ("l3", "a", "l1"), ("l1", "b", "l2")]


def test_who_wants_to_have_alone_what_it_shares_waits_behind_who_waits_for_it(house):
    """Who came first would be passed, or both would wait for ever."""
    house.lock("l1", "a", mode="shared")
    house.wait("l2", "a")
    refused = house.lock("l1", "a", wait=50, reentrant=True)
    assert cycle(refused) == [("l1", "a", "l2"), ("l2", "a", "l1")]


def test_what_is_not_in_its_own_way_is_in_the_way_of_others(house):
    """The circle leads over the lock that a reentrant call itself does not mind."""
    house.lock("l1", "a/1")
    house.lock("l2", "a/2")
    house.wait("l2", "a/1/x")
    refused = house.lock("l1", "a", wait=50, reentrant=True)
    assert cycle(refused) == [("l1", "a", "l2"), ("l2", "a/1/x", "l1")]


@pytest.mark.parametrize("reentrant", [True, False])
def test_chain_is_no_circle(house, reentrant):
    """Many who wait for one another in a row are no deadlock."""
    house.lock("l0", "p0")
    for number in range(1, 50):
        house.lock(f"l{number}", f"p{number}")
        house.wait(f"l{number}", f"p{number - 1}", reentrant=reentrant)
    house.unlock("l0", "p0")
    assert len(house.model.take_settled()) == 1


def test_two_waits_for_one_are_no_circle(house):
    """Several ways to one locker do not come back."""
    house.lock("l1", "a", "b")
    house.lock("l2", "c")
    house.lock("l3", "d")
    house.wait("l2", "a")
    house.wait("l3", "b", "c")
    house.wait("l4", "d", "a")


def test_who_came_later_is_not_waited_for(house):
    """Though it wants the same as one that is waited for."""
    house.lock("l3", "a")
    house.lock("l2", "b")
    house.wait("l2", "a")
    house.wait("l1", "a")
    assert isinstance(house.lock("l1", "b", wait=50), LockWait)


def test_readers_beside_each_other_are_no_circle(house):
    """Shared locks and shared waits do not wait for each other."""
    house.lock("l1", "a", mode="shared")
    house.lock("l2", "a", mode="shared")
    house.lock("l3", "b")
    house.wait("l1", "b", mode="shared")
    house.wait("l2", "b", mode="shared")
    refused = house.lock("l3", "a", wait=50)
    assert cycle(refused)[0][0] == "l3"
    assert isinstance(house.lock("l3", "a", mode="shared", wait=50), Granted)


def test_circle_that_is_broken_is_none(house):
    """What was released or given up meanwhile does not count."""
    house.lock("l1", "a")
    house.lock("l2", "b")
    waiting = house.wait("l1", "b", wait=10)
    house.advance(10)
    assert waiting.outcome.code == "timeout"
    house.wait("l2", "a")
    house.unlock("l1", "a")
    assert ("a", "l2") in house.held()


def test_circles_of_one_namespace_are_no_others(house):
    """The same names elsewhere are others."""
    house.lock("l1", "a")
    house.wait("l2", "a")
    other = house.model.namespace("other").locks
    other.lock(house.at, house.request("l2", ["b"]))
    assert isinstance(other.lock(house.at, house.request("l1", ["b"], wait=50)), LockWait)


def test_message_of_a_long_circle_is_short(house):
    """The circle itself is told in full."""
    for number in range(30):
        house.lock(f"l{number}", f"p{number}")
    for number in range(1, 30):
        house.wait(f"l{number}", f"p{number - 1}")
    refused = house.lock("l0", "p29", wait=50)
    assert len(cycle(refused)) == 30
    assert refused.text.endswith("who waits for /p20 of 'l20', and so on, 30 in all")


def test_circle_over_a_unit_that_waits_and_one_that_runs(house):
    """A unit that waits is one of the circle, by its name; one that runs, by its worker's."""
    house.lock("l1", "a")
    house.stand("k", "a", "b")
    refused = house.lock("l1", "b", wait=50)
    assert cycle(refused) == [
        ("l1", "b", "work unit 'k' of 's'"),
        ("work unit 'k' of 's'", "a", "l1"),
    ]
    house.grant_to("r", "c", worker="w")
    house.wait("l1", "c")
    assert cycle(house.lock("w", "a", wait=50)) == [("w", "a", "l1"), ("l1", "c", "w")]


# ---- what it costs: counted, not timed ----


def test_nobody_is_searched_for_one_that_has_nothing(house):
    """A thousand who come for one lock cost no search at all."""
    house.lock("l", "a")
    for number in range(1000):
        house.wait(f"w{number}", "a")
    assert house.locks.deadlocks.steps == 0


@pytest.mark.parametrize("mode", ["shared", "exclusive"])
def test_search_looks_at_each_entry_once(house, mode):
    """Though each of those who wait is in the way of all that came later."""
    house.lock("l1", "b")
    house.lock("l", "a")
    for number in range(500):
        house.wait(f"w{number}", "a", mode=mode)
    house.wait("l1", "a")
    # The lock, those who wait, and that is all.
    assert house.locks.deadlocks.steps <= 502
