"""The contract of the server in memory and the real one: locks."""

import math
from functools import partial

import pytest

from coordinate_client import Deadlock, LockClient, LockTimeout, LostLock

A, B, AB = ("a",), ("b",), ("a", "b")


@pytest.fixture
def mine(party):
    """A client that locks by the name of `me`."""
    return party.client(partial(LockClient, locker="me"))


@pytest.fixture
def yours(party):
    """A client that locks by the name of `you`."""
    return party.client(partial(LockClient, locker="you"))


def test_what_is_locked_is_one_lockers(mine, yours):
    grant = mine.lock(A, 60)
    assert grant.paths == (A,)
    assert yours.lock(A, 60) is None
    assert mine.readlock(A) == "me"
    assert mine.unlock(grant)
    assert yours.readlock(A) is None
    assert yours.lock(A, 60).token > grant.token


@pytest.mark.parametrize("path, other, free", [(A, AB, False), (AB, A, False), (A, B, True)])
def test_a_lock_is_one_on_all_that_is_under_it(mine, yours, path, other, free):
    mine.lock(path, 60)
    assert (yours.lock(other, 60) is not None) == free


def test_shared_locks_keep_exclusive_ones_away(mine, yours):
    first, second = mine.lock(A, 60, "shared"), yours.lock(AB, 60, "shared")
    assert None not in {first, second}
    other = ("a", "c")
    assert yours.lock(other, 60) is None
    mine.unlock(first)
    assert yours.lock(other, 60) is not None


def test_all_are_locked_or_none(mine, yours):
    mine.lock(A, 60)
    assert yours.lock([B, A], 60) is None
    assert mine.readlock([A, B]) == ["me", None]


def test_some_are_locked_where_not_all_are_free(mine, yours):
    mine.lock(A, 60)
    assert yours.locksome([B, AB, ("c",)], 60).paths == (B, ("c",))
    assert yours.locksome([A], 60) is None


def test_a_lock_ends_with_its_time(party, mine, yours):
    grant = mine.lock(A, 60)
    party.advance(59)
    assert yours.lock(A, 60) is None
    party.advance(1)
    assert yours.lock(A, 60) is not None
    assert not mine.renew(grant, 60)
    assert grant.lost


def test_a_renewed_lock_ends_later(party, mine, yours):
    grant = mine.lock(A, 60)
    party.advance(59)
    assert mine.renew(grant, 60)
    party.advance(59)
    assert yours.lock(A, 60) is None
    assert mine.unlock(grant)


def test_who_waits_gets_a_lock_when_it_is_free(party, mine, yours):
    mine.lock(A, 60)
    before = party.wall
    assert yours.lock(A, 60, wait=math.inf) is not None
    assert party.wall - before == pytest.approx(60)


def test_waiting_for_a_lock_has_an_end(party, mine, yours):
    mine.lock(A, 60)
    before = party.wall
    assert yours.lock(A, 60, wait=20) is None
    assert party.wall - before == pytest.approx(20)


def test_waiting_for_oneself_is_a_deadlock(mine):
    mine.lock(A, 60)
    with pytest.raises(Deadlock, match="'me' waits for /a/b of 'me'") as raised:
        mine.lock(AB, 60, wait=10)
    assert raised.value.cycle == ({"locker_id": "me", "waits_for": AB, "held_by": "me"},)


def test_without_reentry_one_is_in_ones_own_way(mine):
    mine.lock(A, 60)
    assert mine.lock(AB, 60) is None


def test_with_reentry_locks_are_counted(mine, yours):
    first = mine.lock(A, 60)
    again = mine.lock(A, 60, reentrant=True)
    assert again.token == first.token
    below = mine.lock(AB, 60, reentrant=True)
    assert below.token > first.token
    assert mine.unlock(again)
    assert yours.lock(("a", "c"), 60) is None
    assert mine.unlock(first)
    assert mine.readlock([A, AB]) == [None, "me"]


def test_a_grant_of_old_and_new_locks_releases_both(mine):
    mine.lock(A, 60)
    grant = mine.lock([A, B], 60, reentrant=True)
    assert mine.unlock(grant)
    assert mine.readlock([A, B]) == ["me", None]


def test_an_older_grant_releases_nothing(party, mine, yours):
    old = mine.lock(A, 10)
    party.advance(10)
    yours.lock(A, 60)
    assert not mine.unlock(old)
    assert mine.readlock(A) == "you"


def test_locks_are_listed_with_what_there_is_to_know(party, mine, yours):
    grant = mine.lock([AB, B], 60)
    yours.lock(("a", "c"), 30, "shared")
    party.advance(5)
    assert [(lock["path"], lock["locker_id"]) for lock in mine.list_locks(limit=1)] == [(AB, "me")]
    found = list(mine.list_locks())
    assert [lock["path"] for lock in found] == [AB, ("a", "c"), B]
    assert found[0] == {
        "path": AB,
        "mode": "exclusive",
        "locker_id": "me",
        "token": grant.token,
        "age": 5,
        "expires": party.wall + 55,
        "count": 1,
        "waiters": [],
        "waiters_count": 0,
    }
    assert [lock["path"] for lock in mine.list_locks(A)] == [AB, ("a", "c")]


def test_locks_can_be_taken_from_whoever_has_them(mine, yours):
    grant = mine.lock([A, B], 60)
    assert yours.force_unlock([A, ("c",)]) == 1
    assert yours.force_unlock([B], grant.token + 1) == 0
    assert yours.delete_namespace("b") == 1
    assert not mine.renew(grant, 60)


def test_a_block_runs_under_its_locks(mine, yours):
    with mine.hold(A) as grant:
        assert yours.readlock(A) == "me"
        assert not grant.lost
        with pytest.raises(LockTimeout), yours.hold(A, wait=0):
            pytest.fail("nobody has two")
    assert yours.readlock(A) is None


def test_a_block_whose_locks_were_lost_says_so(party, mine):
    hold = mine.hold(A, ttl=60)
    grant = hold.__enter__()
    party.advance(61)
    assert grant.lost
    with pytest.raises(LostLock):
        hold.__exit__(None, None, None)


def test_equal_parts_are_one_path(mine, yours):
    mine.lock((3, "x", b"y"), 60)
    assert yours.lock((3.0, "x", "y"), 60) is None
    assert yours.lock(("3", "x", "y"), 60) is not None


def test_locks_and_attempts_share_their_numbers(party, mine):
    master = party.client()
    master.set_work_spec({"name": "s", "min_gb": 1, "module": "m", "run_function": "f"})
    master.add_work_units("s", {"a": {}})
    first, unit, second = mine.lock(A, 60), master.get_work("w"), mine.lock(B, 60)
    assert first.token < unit.attempt < second.token
