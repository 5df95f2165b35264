"""Locks one by one: who is in whose way, grants and tokens, renewal, release, re-entry."""

import pytest

from coordinate_server.model import Instant
from coordinate_server.model.errors import Refused
from coordinate_server.model.locks import Denied, Granted, NotHeld
from tests.model.lock_house import LockHouse, path


@pytest.fixture
def house():
    """Nothing is locked."""
    return LockHouse()


@pytest.mark.parametrize("taken, wanted", [("a/b", "a/b"), ("a/b", "a"), ("a/b", "a/b/c/d")])
@pytest.mark.parametrize("taken_mode", ["exclusive", "shared"])
@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_lock_is_in_the_way_of_its_path_its_ancestors_and_descendants(
    house, taken, wanted, taken_mode, mode
):
    """Unless both are shared."""
    house.lock("l1", taken, mode=taken_mode)
    outcome = house.lock("l2", wanted, mode=mode)
    if taken_mode == mode == "shared":
        assert isinstance(outcome, Granted)
    else:
        assert isinstance(outcome, Denied)
        assert (outcome.code, outcome.holder, outcome.path) == ("locked", "l1", path(taken))


@pytest.mark.parametrize("wanted", ["a/c", "b", "aa", "ab/b", "1"])
def test_lock_is_in_nobody_elses_way(house, wanted):
    """Neighbours are free, and so is what only begins with the same letters."""
    house.lock("l1", "a/b")
    assert isinstance(house.lock("l2", wanted), Granted)


def test_all_of_the_paths_are_locked_or_none(house):
    """One that is not free keeps the others free."""
    house.lock("l1", "b")
    outcome = house.lock("l2", "a", "b/1", "c")
    assert outcome.text == "/b/1 cannot be locked: /b is locked by 'l1'"
    assert house.held() == [("b", "l1")]
    house.lock("l3", "a", "c")
    assert house.held() == [("a", "l3"), ("b", "l1"), ("c", "l3")]


def test_locker_of_the_same_name_is_in_its_own_way(house):
    """As 0.1.5's are."""
    house.lock("l1", "a")
    assert house.lock("l1", "a").text == "/a is locked by 'l1'"
    assert isinstance(house.lock("l1", "a/b"), Denied)


def test_tokens_only_grow(house):
    """Across grants, refusals, releases and restarts; and with the attempts of units."""
    tokens = [house.lock("l1", "a", "b").token]
    house.lock("l2", "a")
    tokens.append(house.some("l2", "a", "c", "d").token)
    tokens.append(house.model._core.next_attempt())
    house.unlock("l1", "a")
    tokens.append(house.lock("l1", "a").token)
    house.restart()
    tokens.append(house.lock("l1", "x").token)
    assert tokens == sorted(set(tokens))


def test_one_grant_is_one_token(house):
    """However many paths it has."""
    granted = house.lock("l1", "a", "b/c")
    assert {view.token for view in house.views()[0]} == {granted.token}
    assert granted.deadline == house.at.now + 60


def test_nothing_asked_for_is_granted_without_a_token(house):
    """A call without paths succeeds and leaves nothing."""
    assert house.lock("l1") == Granted(None, 1060.0)
    assert house.some("l1").token is None
    house.unlock("l1")
    assert house.commit() == []


def test_some_locks_what_is_free(house):
    """Each path by itself, all under one token."""
    house.lock("l1", "b")
    some = house.some("l2", "a", "b/x", "c")
    assert some.locked == (True, False, True)
    assert house.held() == [("a", "l2"), ("b", "l1"), ("c", "l2")]
    assert house.some("l3", "a", "b").token is None


def test_some_takes_the_first_of_paths_that_are_not_apart(house):
    """The others are as if they were taken."""
    assert house.some("l1", "a/b", "a", "a/b", "a/b/c", "a/c").locked == (
        *(True, False, False, False, True),
    )
    shared = house.some("l2", "x", "x/y", "x", mode="shared")
    assert shared.locked == (True, False, False)


def test_lock_refuses_paths_that_are_not_apart(house):
    """Shared or not; nothing is locked."""
    for mode in ("exclusive", "shared"):
        with pytest.raises(Refused, match="which is under it"):
            house.lock("l1", "a", "a/b", mode=mode)
    with pytest.raises(Refused, match="twice"):
        house.lock("l1", "a", "a", wait=5)
    assert house.held() == []


@pytest.mark.parametrize("seconds", [-1, float("nan"), True, "60", 10**400, None])
def test_time_that_is_no_number_is_refused(house, seconds):
    """For locking, renewing and waiting alike."""
    house.lock("l1", "b")
    for refused in (
        lambda: house.lock("l1", "a", seconds=seconds),
        lambda: house.lock("l1", "a", wait=seconds),
        lambda: house.some("l1", "a", seconds=seconds),
        lambda: house.renew("l1", "b", seconds=seconds),
    ):
        with pytest.raises(Refused):
            refused()
    assert house.held() == [("b", "l1")]


# ---- time ----


def test_lock_ends_at_its_timeout(house):
    """Not before, and at it."""
    house.lock("l1", "a", seconds=10)
    house.advance(9.999)
    assert house.owners("a") == ["l1"]
    house.advance(0.001)
    assert house.owners("a") == [None]
    assert isinstance(house.lock("l2", "a"), Granted)


def test_every_call_lets_end_what_is_due_first(house):
    """Nobody has to run what is due: a lock whose time is over is never seen."""
    house.lock("l1", "a", seconds=10)
    house.at = Instant(1010.0, house.at.wall)
    with pytest.raises(NotHeld):
        house.renew("l1", "a")
    assert house.force("a") == 0


@pytest.mark.parametrize("jump", [3600, -3600])
def test_wall_clock_that_jumps_changes_nothing(house, jump):
    """Locks follow the clock that never runs backwards."""
    house.lock("l1", "a", seconds=10)
    waiting = house.wait("l2", "a", wait=9)
    house.advance(0, wall=jump)
    assert house.owners("a") == ["l1"]
    house.advance(8)
    assert house.model.take_settled() == []
    house.advance(1, wall=-jump)
    assert waiting.outcome.code == "timeout"
    house.advance(1)
    assert house.owners("a") == [None]


def test_deadline_is_that_of_the_next_lock_or_wait(house):
    """The daemon sleeps until then, and no longer."""
    assert house.model.next_deadline().now is None
    house.lock("l1", "a", seconds=30)
    house.lock("l1", "b", seconds=20)
    assert house.model.next_deadline().now == 1020
    house.wait("l2", "a", wait=7)
    assert house.model.next_deadline().now == 1007
    house.unlock("l1", "b")
    house.advance(7)
    assert house.model.next_deadline().now == 1030
    house.unlock("l1", "a")
    assert house.model.next_deadline().now is None


# ---- keeping and releasing ----


def test_renewed_lock_ends_later_or_earlier(house):
    """At so many seconds from now, as it is said."""
    house.lock("l1", "a", "b", seconds=60)
    house.advance(50)
    house.renew("l1", "a", seconds=60)
    house.renew("l1", "b", seconds=5)
    assert house.ends() == {"a": 1110, "b": 1055}
    house.advance(10)
    assert house.held() == [("a", "l1")]


@pytest.mark.parametrize("change", ["renew", "unlock"])
def test_all_of_the_locks_are_renewed_or_released_or_none(house, change):
    """One that is not the caller's keeps the others as they are."""
    house.lock("l1", "a", "b")
    house.lock("l2", "c")
    before = house.ends()
    house.advance(5)
    for locker, paths, why in (
        ("l1", ["a", "c"], "/c is not locked by 'l1', but by 'l2' under token"),
        ("l1", ["a", "x"], "/x is not locked by 'l1'$"),
        ("l1", ["a", "a/b"], "/a/b is not locked by 'l1'$"),
        ("l2", ["a"], "/a is not locked by 'l2'"),
    ):
        with pytest.raises(NotHeld, match=why):
            getattr(house, change)(locker, *paths)
    with pytest.raises(Refused, match="twice"):
        getattr(house, change)("l1", "a", "b", "a")
    assert house.ends() == before


@pytest.mark.parametrize("change", ["renew", "unlock"])
def test_token_has_to_be_that_of_the_grant(house, change):
    """Who was forced out and locks again under his name is not helped by who he was."""
    old = house.lock("l1", "a").token
    house.force("a")
    new = house.lock("l1", "a").token
    with pytest.raises(NotHeld, match=f"under token {old}, but by 'l1' under token {new}"):
        getattr(house, change)("l1", "a", token=old)
    getattr(house, change)("l1", "a", token=new)


def test_force_releases_exactly_these_paths(house):
    """Whosever they are; not what is above or below; and tells how many there were."""
    house.lock("l1", "a", "b/c")
    house.lock("l2", "s", mode="shared")
    house.lock("l3", "s", mode="shared")
    assert house.force("a", "a", "b", "s", "x") == 3
    assert house.held() == [("b/c", "l1")]


def test_force_may_name_the_grant(house):
    """So that what has another owner by now stays."""
    token = house.lock("l1", "a").token
    assert house.force("a", token=token - 1) == 0
    assert house.force("a", token=token) == 1


def test_delete_namespace_releases_all_below_a_first_part(house):
    """And the part itself, however deep; other parts stay."""
    house.lock("l1", "a/b", "a/c/1", "ab", "1")
    house.lock("l2", "b", mode="shared")
    assert house.locks.drop_below(house.at, path("a")) == 2
    assert house.held() == [("1", "l1"), ("b", "l2"), ("ab", "l1")]
    assert house.locks.drop_below(house.at, path("b")) == 1
    assert house.locks.drop_below(house.at, path("x")) == 0


def test_read_tells_who_has_exactly_a_path(house):
    """What is above or below it does not count; of several, the first."""
    house.lock("l1", "a/b")
    house.lock("l2", "s", mode="shared")
    house.lock("l3", "s", mode="shared")
    assert house.owners("a", "a/b", "a/b/c", "s") == [None, "l1", None, "l2"]


# ---- re-entry ----


def test_reentrant_lock_is_counted(house):
    """It keeps its token and its later end; each unlock takes one off."""
    token = house.lock("l1", "a", seconds=100).token
    again = house.lock("l1", "a", seconds=50, reentrant=True)
    assert again == Granted(token, 1100.0)
    longer = house.lock("l1", "a", seconds=200, reentrant=True)
    assert longer == Granted(token, 1200.0)
    assert house.views()[0][0].count == 3
    house.unlock("l1", "a")
    house.unlock("l1", "a", token=token)
    assert isinstance(house.lock("l2", "a"), Denied)
    house.unlock("l1", "a")
    assert isinstance(house.lock("l2", "a"), Granted)


def test_reentrant_call_is_not_kept_by_what_its_locker_has(house):
    """Above, below, and at the path in a mode that does not suffice."""
    house.lock("l1", "a/b")
    first = house.lock("l1", "a", reentrant=True).token
    second = house.lock("l1", "a/b/c", reentrant=True).token
    assert first < second
    house.lock("l1", "s", mode="shared")
    house.lock("l1", "s", reentrant=True)
    assert [view.count for view in house.views("s")[0]] == [1, 1]
    assert isinstance(house.lock("l2", "a/b/x"), Denied)


def test_exclusive_lock_suffices_for_shared_and_not_the_other_way(house):
    """A shared one of others keeps a reentrant call from locking it for itself."""
    token = house.lock("l1", "a").token
    assert house.lock("l1", "a", mode="shared", reentrant=True).token == token
    house.lock("l1", "s", mode="shared")
    house.lock("l2", "s", mode="shared")
    assert house.lock("l1", "s", reentrant=True).holder == "l2"


def test_reentrant_call_passes_who_waits_for_what_it_covers(house):
    """Who waits for the lock that covers it is not kept any longer by that."""
    house.lock("l1", "a")
    waiting = house.wait("l2", "a/b")
    assert isinstance(house.lock("l1", "a/b", reentrant=True), Granted)
    assert isinstance(house.lock("l1", "a", reentrant=True), Granted)
    for taken in ("a", "a", "a/b"):
        assert waiting.outcome is None
        house.unlock("l1", taken)
    assert isinstance(waiting.outcome, Granted)


def test_call_that_enters_again_and_anew_has_a_token_for_both(house):
    """The lock that was there keeps its own; renewal and release know the new one, too."""
    old = house.lock("l1", "a").token
    new = house.lock("l1", "a", "b", reentrant=True).token
    assert new > old
    assert {view.token for view in house.views()[0]} == {old, new}
    house.renew("l1", "a", "b", token=new)
    house.unlock("l1", "a", "b", token=new)
    with pytest.raises(NotHeld):
        house.renew("l1", "a", token=new)
    house.unlock("l1", "a", token=old)
    assert house.held() == []


def test_release_without_a_token_takes_off_what_came_last(house):
    """The grant that was there first is there to the end."""
    old = house.lock("l1", "a").token
    new = house.lock("l1", "a", "b", reentrant=True).token
    house.unlock("l1", "a")
    with pytest.raises(NotHeld):
        house.unlock("l1", "a", token=new)
    house.unlock("l1", "a", token=old)


def test_grant_that_was_first_can_go_first(house):
    """The lock stays for the other one, and is the first one's no more."""
    old = house.lock("l1", "a").token
    new = house.lock("l1", "a", "b", reentrant=True).token
    house.unlock("l1", "a", token=old)
    with pytest.raises(NotHeld):
        house.renew("l1", "a", token=old)
    house.renew("l1", "a", token=new)
    house.unlock("l1", "a", token=new)
    assert house.held() == [("b", "l1")]


def test_renewal_shortens_no_lock_that_is_counted(house):
    """Somebody else of the same name counts on it."""
    house.lock("l1", "a", seconds=100)
    house.lock("l1", "a", seconds=10, reentrant=True)
    house.renew("l1", "a", seconds=10)
    assert house.ends() == {"a": 1100}


def test_shared_locks_of_one_locker_are_several(house):
    """Each grant is unlocked by itself; without a token, the newest."""
    first = house.lock("l1", "s", mode="shared").token
    second = house.lock("l1", "s", mode="shared").token
    third = house.lock("l1", "s", mode="shared").token
    house.unlock("l1", "s", token=second)
    house.unlock("l1", "s")
    assert [view.token for view in house.views()[0]] == [first]
    with pytest.raises(NotHeld):
        house.unlock("l1", "s", token=third)


# ---- namespaces ----


def test_namespaces_share_no_locks(house):
    """Neither what is held nor what waits."""
    other = house.model.namespace("other").locks
    house.lock("l1", "a")
    house.wait("l2", "a")
    assert isinstance(other.lock(house.at, house.request("l3", ["a"])), Granted)
    assert other.read(house.at, [path("a")]) == ["l3"]
    other.unlock(house.at, "l3", [path("a")])
    assert house.owners("a") == ["l1"]
