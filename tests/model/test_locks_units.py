"""Locks of work units: in the same tree and queue, freed by nothing but the unit's end."""

import pytest

from coordinate_server.model.locks import (
    Attempt,
    Denied,
    Granted,
    LockWait,
    NotHeld,
    UnitClaim,
    UnitName,
)
from tests.model.lock_house import LockHouse, path


@pytest.fixture
def house():
    """Nothing is locked."""
    return LockHouse()


def test_unit_is_asked_for_what_is_free_now(house):
    """Locks are in its way, and so are those who wait."""
    assert house.free_for("a", "b*")
    house.lock("l1", "a/x")
    assert not house.free_for("a")
    assert not house.free_for("c", "a*")
    house.lock("l2", "b", mode="shared")
    assert house.free_for("b*")
    house.wait("l3", "b")
    assert not house.free_for("b*")
    found = house.locks.units.in_the_way([(path("c"), 0), (path("a"), 0)])
    assert found[0] == path("a")
    assert found[1].locker == "l1"


def test_attempt_holds_what_it_is_granted(house):
    """Its token is the attempt, it has no end, and shows the unit and the worker."""
    claim = house.grant_to("k", "a", "b*", worker="w7")
    assert claim.held
    one, other = house.views()[0]
    assert (one.locker, one.token, one.deadline) == ("w7", house.model._core.attempt, None)
    assert one.unit == UnitName("s", b"k")
    assert (one.mode, other.mode) == (0, 1)
    assert house.owners("a") == ["w7"]
    refused = house.lock("l1", "a/x")
    assert refused.holder == "w7"
    assert refused.text == ("/a/x cannot be locked: /a is locked by work unit 'k' of 's' ('w7')")
    house.advance(10**9)
    assert house.owners("a") == ["w7"]


def test_what_is_not_free_cannot_be_granted(house):
    """Whoever calls has to ask first, or stand in the queue."""
    house.lock("l1", "a")
    with pytest.raises(AssertionError):
        house.grant_to("k", "a")
    claim = house.stand("k", "a")
    with pytest.raises(AssertionError):
        house.take(claim)


def test_nothing_but_the_unit_itself_frees_its_locks(house):
    """Not even its worker under its own name."""
    claim = house.grant_to("k", "a", "a2*", worker="w")
    token = house.views()[0][0].token
    for change in (
        lambda: house.unlock("w", "a"),
        lambda: house.unlock("w", "a", token=token),
        lambda: house.renew("w", "a"),
    ):
        with pytest.raises(NotHeld, match="but by work unit 'k' of 's'"):
            change()
    assert house.force("a") == house.force("a", token=token) == 0
    assert house.locks.drop_below(house.at, path("a")) == 0
    assert isinstance(house.lock("w", "a", reentrant=True), Denied)
    assert house.lock("w", "a", reentrant=True, wait=9).code == "deadlock"
    house.release(claim)
    assert house.held() == []
    assert isinstance(house.lock("l1", "a"), Granted)


def test_units_locks_are_not_written_down_and_come_back_by_the_unit(house):
    """Their rows are those of the units."""
    house.grant_to("k", "a")
    assert house.commit() == []
    house.restart()
    assert house.held() == []
    attempt = Attempt("w", 17)
    wanted = [(path("a"), 0)]
    claim = house.locks.units.restore(house.at, UnitName("s", b"k"), wanted, attempt)
    assert [(view.token, view.deadline) for view in house.views()[0]] == [(17, None)]
    assert house.commit() == []
    house.release(claim)
    assert house.commit() == []


def test_unit_stands_in_the_queue_as_anybody_does(house):
    """It waits for those before it, and those behind it wait for it."""
    told: list[str] = []
    house.lock("l1", "a")
    before = house.wait("l2", "a")
    claim = house.stand("k", "a", "b", told=told)
    behind = house.wait("l3", "b")
    assert not claim.free
    assert isinstance(house.lock("l4", "b"), Denied)
    house.unlock("l1", "a")
    assert isinstance(before.outcome, Granted)
    assert told == []
    house.unlock("l2", "a")
    assert (told, claim.free, claim.held) == (["k"], True, False)
    assert house.held() == []
    assert behind.outcome is None


def test_unit_whose_turn_it_is_keeps_its_place_until_it_takes_its_locks(house):
    """Nobody gets between; those behind it go on when it is released."""
    claim = house.stand("k", "a", "b*")
    assert claim.free
    behind = house.wait("l1", "a/x")
    assert isinstance(house.lock("l2", "b"), Denied)
    assert isinstance(house.lock("l2", "b", mode="shared"), Granted)
    house.take(claim, "w")
    assert (claim.free, claim.held) == (False, True)
    assert ("a", "w") in house.held()
    house.release(claim)
    assert isinstance(behind.outcome, Granted)


def test_free_at_once_is_not_told(house):
    """Whoever asks sees it."""
    told: list[str] = []
    claim = house.stand("k", "a", told=told)
    assert claim.free
    house.step_back(claim)
    assert claim.free
    assert told == []


def test_unit_that_steps_back_is_behind_all_others(house):
    """Those that it kept waiting go on, and it is told anew when its turn comes."""
    told: list[str] = []
    claim = house.stand("k", "a", "b", told=told)
    first = house.wait("l1", "a")
    second = house.wait("l2", "b")
    house.step_back(claim)
    assert not claim.free
    assert isinstance(first.outcome, Granted)
    assert isinstance(second.outcome, Granted)
    third = house.wait("l3", "b")
    house.unlock("l1", "a")
    assert told == []
    house.unlock("l2", "b")
    assert told == ["k"]
    assert third.outcome is None
    house.take(claim)
    house.release(claim)
    assert isinstance(third.outcome, Granted)


def test_unit_that_is_not_free_may_step_back_too(house):
    """It gives up what it has reserved."""
    told: list[str] = []
    house.lock("l1", "a")
    claim = house.stand("k", "a", "b", told=told)
    behind = house.wait("l2", "b")
    house.step_back(claim)
    assert isinstance(behind.outcome, Granted)
    house.unlock("l1", "a")
    assert told == []
    house.unlock("l2", "b")
    assert told == ["k"]
    assert claim.free


def test_unit_may_leave_the_queue(house):
    """Waiting or free; those behind it go on."""
    house.lock("l0", "a")
    waits = house.stand("k", "a", "b")
    free = house.stand("j", "c")
    behind = [house.wait("l1", "b"), house.wait("l2", "c")]
    house.release(waits)
    house.release(free)
    assert all(isinstance(wait.outcome, Granted) for wait in behind)
    house.unlock("l0", "a")
    assert not waits.waiting
    assert ("a", "w") not in house.held()


def test_units_are_told_when_everything_else_is_settled(house):
    """So what they do then meets locks that are in order."""
    told = []
    house.lock("l1", "a", "b")
    units = house.locks.units
    wanted = [(path("a"), 0)]

    def take(at):
        told.append((at, house.held()))
        units.take(at, claim, house.attempt("w"))

    claim = units.stand(house.at, UnitName("s", b"k"), wanted, take)
    waiting = house.wait("l2", "b")
    house.unlock("l1", "a", "b")
    assert isinstance(waiting.outcome, Granted)
    assert told == [(house.at, [("b", "l2")])]
    assert house.held() == [("a", "w"), ("b", "l2")]


def test_units_may_pass_on_what_they_are_told_of(house):
    """One that steps back, or goes, while it is told, has the next one told in the same call."""
    told = []
    units = house.locks.units
    wanted = [(path("a"), 0)]
    house.lock("l1", "a")
    claims: dict[str, UnitClaim] = {}

    def stepping_back(at):
        told.append("first")
        units.step_back(at, claims["first"])

    def going(at):
        told.append("second")
        units.release(at, claims["second"])

    claims["first"] = units.stand(house.at, UnitName("s", b"1"), wanted, stepping_back)
    claims["second"] = units.stand(house.at, UnitName("s", b"2"), wanted, going)
    waiting = house.wait("l2", "a")
    house.unlock("l1", "a")
    assert told == ["first", "second"]
    assert isinstance(waiting.outcome, Granted)
    house.unlock("l2", "a")
    assert told == ["first", "second", "first"]


def test_list_shows_units_that_wait(house):
    """They have no locker yet."""
    house.lock("l1", "a")
    house.stand("k", "a", "b*")
    house.wait("l2", "a", mode="shared")
    (view,) = house.views()[0]
    assert [(w.locker, w.mode, w.unit and w.unit.key) for w in view.waiters] == [
        (None, 0, b"k"),
        ("l2", 1, None),
    ]


def test_many_units_for_one_lock_look_one_by_one(house):
    """As calls do."""
    first = house.grant_to("k", "a")
    claims = [house.stand(f"k{number}", "a") for number in range(300)]
    house.release(first)
    for claim in claims:
        assert claim.free
        house.take(claim)
        before = house.queue.looks
        house.release(claim)
        assert house.queue.looks <= before + 1


def test_name_of_a_claim_may_change(house):
    """It may have stood for several units that need the same."""
    claim = house.stand("k", "a")
    claim.name(UnitName("s", b"j"))
    house.take(claim)
    assert house.views()[0][0].unit == UnitName("s", b"j")


def test_worker_that_has_locks_by_a_unit_can_wait_for_others(house):
    """Only a circle is refused."""
    house.grant_to("k", "a", worker="w")
    house.lock("l1", "b")
    assert isinstance(house.lock("w", "b", wait=9), LockWait)
