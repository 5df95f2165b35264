"""What survives a restart, and what lists show."""

import cbor2
import pytest

from coordinate_server.model import Instant
from coordinate_server.model.changes import DELETE, LOCK, META, PUT
from coordinate_server.model.errors import DamagedRow
from coordinate_server.model.locks import Granted
from tests.model.lock_house import GRACE, LockHouse, path, text


@pytest.fixture
def house():
    """Nothing is locked."""
    return LockHouse()


def test_locks_survive_a_restart(house):
    """With token, mode, count and when they were granted."""
    house.lock("l1", "a/3", "b", seconds=500)
    house.advance(5)
    house.lock("l1", "b", "c", seconds=500, reentrant=True)
    house.lock("l2", "s", seconds=500, mode="shared")
    house.lock("l3", "s", seconds=500, mode="shared")
    before = house.views()[0]
    house.restart()
    assert house.views()[0] == before
    token = house.views("c")[0][0].token
    house.unlock("l1", "b", "c", token=token)
    house.unlock("l1", "b", "a/3")


def test_lock_has_the_grace_period_after_a_restart(house):
    """One about to end gets sixty seconds; a longer one stays as it is."""
    house.lock("l1", "a", seconds=5)
    house.lock("l1", "b", seconds=500)
    house.advance(4)
    house.restart()
    assert house.ends() == {"a": 1004 + GRACE, "b": 1500}
    house.advance(GRACE)
    assert house.held() == [("b", "l1")]


def test_grace_counts_from_the_clock_that_goes_on(house):
    """A clock that begins anew after a crash gives nobody less, and nobody an hour more."""
    house.lock("l1", "a", seconds=5)
    house.commit()
    house.at = Instant(0.0, house.at.wall - 3600)
    house.restart()
    assert house.ends() == {"a": 1000 + GRACE}
    assert house.model.next_deadline().now == 1000 + GRACE


def test_lock_is_one_row_however_often_it_changes(house):
    """And none when it came and went within a group."""
    house.lock("l1", "a", "b")
    house.renew("l1", "a")
    house.lock("l1", "a", reentrant=True)
    changes = house.commit()
    assert sorted((op, table) for op, table, _, _ in changes) == [
        *((PUT, META), (PUT, META), (PUT, LOCK), (PUT, LOCK)),
    ]
    house.lock("l2", "c")
    house.unlock("l2", "c")
    changes = house.commit()
    assert [(op, table) for op, table, _, _ in changes if table == LOCK] == [(DELETE, LOCK)]
    assert house.commit() == []


def test_refusals_reads_and_waits_change_nothing(house):
    """Nothing is written for them."""
    house.lock("l1", "a")
    house.commit()
    house.lock("l2", "a")
    house.some("l2", "a")
    house.wait("l2", "a", "b")
    house.views()
    house.owners("a")
    house.force("x")
    assert house.commit() == []


def test_locks_that_ended_leave_no_rows(house):
    """Whatever ended them."""
    house.lock("l1", "a", "b", "c/1", "d")
    house.lock("l1", "a", reentrant=True)
    house.commit()
    house.unlock("l1", "b")
    house.force("a")
    house.locks.drop_below(house.at, path("c"))
    house.advance(60)
    house.commit()
    assert [key for table, key in house.rows.rows if table == LOCK] == []


def test_locks_of_two_namespaces_are_two_rows(house):
    """Though path and token are the same."""
    house.lock("l1", "a")
    other = house.model.namespace("other").locks
    other.lock(house.at, house.request("l2", ["a"]))
    house.restart()
    assert house.owners("a") == ["l1"]
    assert house.model.namespace("other").locks.read(house.at, [path("a")]) == ["l2"]


@pytest.mark.parametrize(
    "row",
    [
        b"",
        cbor2.dumps(7),
        cbor2.dumps([0, "l1", 1.0, 2.0]),
        cbor2.dumps([2, "l1", 1.0, 2.0, 1, []]),
        cbor2.dumps([0, 7, 1.0, 2.0, 1, []]),
        cbor2.dumps([0, "l1", 1.0, None, 1, []]),
        cbor2.dumps([0, "l1", 1.0, 2.0, "x", []]),
        cbor2.dumps([0, "l1", 1.0, 2.0, 1, 5]),
    ],
)
def test_row_that_is_no_lock_is_refused(house, row):
    """A load says so, and takes nothing for a lock that is none."""
    house.lock("l1", "a")
    house.commit()
    (key,) = (key for table, key in house.rows.rows if table == LOCK)
    house.rows.apply([(PUT, LOCK, key, row)])
    with pytest.raises(DamagedRow, match="lock"):
        house.rows.load(house.at)


@pytest.mark.parametrize("key", [b"", cbor2.dumps(["n", b"\x81\xf5", 1]), cbor2.dumps([1, 2])])
def test_key_that_is_of_no_lock_is_refused(house, key):
    """The path is in the key."""
    house.lock("l1", "a")
    house.commit()
    (row,) = (row for (table, _), row in house.rows.rows.items() if table == LOCK)
    house.rows.apply([(PUT, LOCK, key, row)])
    with pytest.raises(DamagedRow, match="lock"):
        house.rows.load(house.at)


# ---- lists ----


def test_list_goes_by_path_in_pages(house):
    """A path comes before what is below it; the next page begins where the last one says."""
    house.lock("l1", "a/b", "a/c/1", "b", "ab", "10", "9")
    house.lock("l2", "a/c/2/x")
    everything = [text(view.path) for view in house.views()[0]]
    assert everything == ["9", "10", "a/b", "a/c/1", "a/c/2/x", "b", "ab"]
    for limit in (1, 2, 3, 7):
        found: list[str] = []
        start = None
        while True:
            page, following = house.views("", limit, start)
            found += [text(view.path) for view in page]
            assert len(page) <= limit
            if following is None:
                break
            start = text(following)
        assert found == everything


def test_list_of_what_is_below_a_path(house):
    """The path itself included; nothing beside it."""
    house.lock("l1", "a/b/1", "a/b/2", "a/c", "x")
    assert house.held("a/b") == [("a/b/1", "l1"), ("a/b/2", "l1")]
    assert house.held("a/c") == [("a/c", "l1")]
    assert house.held("a/c/d") == house.held("nothing") == []
    page, following = house.views("a", 2)
    assert [text(view.path) for view in page] == ["a/b/1", "a/b/2"]
    assert text(following) == "a/c"
    assert [text(view.path) for view in house.views("a", 9, "x")[0]] == []
    assert len(house.views("a", 9, "9")[0]) == 3


def test_locks_of_one_path_are_in_one_page(house):
    """However many share it; so no page begins in the middle."""
    for number in range(5):
        house.lock(f"l{number}", "s", mode="shared")
    house.lock("l1", "t")
    page, following = house.views("", 2)
    assert [view.locker for view in page] == ["l0", "l1", "l2", "l3", "l4"]
    assert text(following) == "t"


def test_path_that_is_only_waited_for_is_not_listed(house):
    """It is shown at the lock that it waits for."""
    house.lock("l1", "a/b", mode="shared")
    house.advance(3)
    house.wait("l2", "a", mode="exclusive")
    house.advance(2)
    house.wait("l3", "a/b/c")
    (view,) = house.views()[0]
    assert [(w.locker, w.since) for w in view.waiters] == [("l2", 1003), ("l3", 1005)]
    assert (view.granted_at, view.waiters_count) == (1000, 2)


def test_first_hundred_of_those_who_wait_are_shown(house):
    """In the order of asking, from above, at and below; all are counted, each once."""
    house.lock("l", "a/b")
    for number in range(75):
        house.wait(f"x{number}", "a")
        house.wait(f"y{number}", "a/b/1", "a/b/2", "a/b/3")
        house.wait(f"z{number}", "a/b", mode="shared")
    (view,) = house.views()[0]
    assert view.waiters_count == 225
    assert [w.locker for w in view.waiters[:4]] == ["x0", "y0", "z0", "x1"]
    assert len(view.waiters) == 100


def test_shared_lock_shows_those_who_wait_for_it_only(house):
    """Who would share it waits for somebody else."""
    house.lock("l", "a", mode="shared")
    house.wait("x", "a")
    house.wait("r", "a", mode="shared")
    (view,) = house.views()[0]
    assert ([w.locker for w in view.waiters], view.waiters_count) == (["x"], 1)


def test_watchers_of_changes_see_locks_come_and_go(house):
    """Who has a path now: the first of several, nobody when the last is gone."""
    feed = house.model.namespace("n").feed
    feed.watch(house.at.now)
    house.lock("l1", "s", mode="shared")
    house.lock("l2", "s", mode="shared")
    house.unlock("l1", "s")
    waiting = house.wait("l3", "s")
    house.unlock("l2", "s")
    assert isinstance(waiting.outcome, Granted)
    house.force("s")
    states = [change.state and change.state[0] for change in feed._changes]
    assert states == ["l1", "l1", "l2", None, "l3", None]
    assert {change.key for change in feed._changes} == {path("s")}
