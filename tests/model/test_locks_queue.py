"""Waiting for locks: in the order of asking, and what that costs."""

import pytest

from coordinate_server.model.locks import Denied, Granted, LockWait, NotHeld
from tests.model.lock_house import LockHouse, path


@pytest.fixture
def house():
    """Nothing is locked."""
    return LockHouse()


def settled(house):
    """Give who was granted something, in that order, or what came of it."""
    return [
        wait.request.locker if isinstance(wait.outcome, Granted) else wait.outcome.code
        for wait in house.model.take_settled()
    ]


def test_wait_for_what_is_free_is_granted_at_once(house):
    """No one is made to wait for nothing."""
    assert isinstance(house.lock("l1", "a", wait=10), Granted)
    assert settled(house) == []


@pytest.mark.parametrize(
    "free",
    [
        lambda house: house.unlock("l1", "a"),
        lambda house: house.force("a"),
        lambda house: house.locks.drop_below(house.at, path("a")),
        lambda house: house.advance(60),
    ],
    ids=["unlock", "force", "delete_namespace", "timeout"],
)
def test_wait_is_granted_within_the_call_that_frees_its_paths(house, free):
    """Its lock begins then, and has a token of its own."""
    first = house.lock("l1", "a", seconds=60)
    waiting = house.wait("l2", "a/b", "c", seconds=30)
    free(house)
    assert waiting.outcome.token > first.token
    assert waiting.outcome.deadline == house.at.now + 30
    assert house.held() == [("a/b", "l2"), ("c", "l2")]
    assert settled(house) == ["l2"]
    assert settled(house) == []


def test_waits_are_served_in_the_order_of_asking(house):
    """Not in that of their names, paths or times."""
    house.lock("l0", "a")
    for locker, wanted in (("l3", "a/x"), ("l1", "a"), ("l2", "a/x"), ("l4", "a/y")):
        house.wait(locker, wanted)
    house.unlock("l0", "a")
    assert settled(house) == ["l3"]
    house.unlock("l3", "a/x")
    assert settled(house) == ["l1"]
    house.unlock("l1", "a")
    assert settled(house) == ["l2", "l4"]


def test_who_waits_keeps_who_comes_later_out(house):
    """Whether that one would wait or not, and though nobody has the path."""
    house.lock("l1", "b")
    house.wait("l2", "a", "b")
    refused = house.lock("l3", "a/1")
    assert (refused.code, refused.holder, refused.path) == ("locked", "l2", path("a"))
    assert refused.text == "/a/1 cannot be locked: 'l2' asked for /a earlier and waits"
    assert house.some("l3", "a", "c").locked == (False, True)
    house.wait("l4", "a")
    house.unlock("l1", "b")
    assert settled(house) == ["l2"]


def test_big_request_is_not_starved_by_small_ones(house):
    """Small ones that come while it waits are behind it, however free their path is."""
    shards = [f"index/{number}" for number in range(10)]
    for number, shard in enumerate(shards):
        house.lock(f"s{number}", shard, seconds=10 + number)
    big = house.wait("big", *shards, wait=1000)
    later = [house.wait(f"t{number}", shard, wait=1000) for number, shard in enumerate(shards)]
    for _ in range(9):
        house.advance(2)
        assert house.model.take_settled() == []
    house.advance(2)
    assert settled(house) == ["big"]
    assert [view.waiters_count for view in house.views()[0]] == [1] * 10
    house.unlock("big", *shards)
    assert isinstance(big.outcome, Granted)
    assert all(isinstance(one.outcome, Granted) for one in later)


def test_request_for_an_ancestor_is_not_starved_by_its_descendants(house):
    """The tree alone is enough to wait in line."""
    house.lock("l1", "a/1")
    house.wait("big", "a")
    assert isinstance(house.lock("l2", "a/2"), Denied)
    house.unlock("l1", "a/1")
    assert settled(house) == ["big"]


def test_shared_waits_behind_an_exclusive_one_are_granted_together(house):
    """And a shared one does not pass an exclusive one that waits."""
    house.lock("l0", "a", mode="shared")
    house.wait("x", "a")
    readers = [f"r{number}" for number in range(5)]
    for reader in readers:
        house.wait(reader, "a", mode="shared")
    assert settled(house) == []
    house.unlock("l0", "a")
    assert settled(house) == ["x"]
    house.unlock("x", "a")
    assert settled(house) == readers


def test_wait_ends_at_its_time(house):
    """It says what was in the way, and reserves nothing any more."""
    house.lock("l1", "a", seconds=1000)
    waiting = house.wait("l2", "a", "b", wait=2.5)
    behind = house.wait("l3", "b", wait=100)
    house.advance(2.4)
    assert settled(house) == []
    house.advance(0.1)
    assert waiting.outcome.text == "2.5 seconds were over: /a is locked by 'l1'"
    assert (waiting.outcome.code, waiting.outcome.holder) == ("timeout", "l1")
    assert isinstance(behind.outcome, Granted)


def test_lock_that_ends_when_a_wait_does_is_still_granted(house):
    """At the same moment, the lock ends first."""
    house.lock("l1", "a", seconds=10)
    waiting = house.wait("l2", "a", wait=10)
    house.advance(10)
    assert isinstance(waiting.outcome, Granted)


def test_what_ended_long_ago_ended_in_its_order(house):
    """Though nobody looked meanwhile: a wait that was over before the lock was gets nothing."""
    house.lock("l1", "a", seconds=10)
    early = house.wait("l2", "a", wait=9)
    late = house.wait("l3", "a", wait=11)
    house.advance(100)
    assert early.outcome.code == "timeout"
    assert isinstance(late.outcome, Granted)
    assert late.outcome.deadline == house.at.now + 60


def test_cancelled_wait_gets_nothing_and_keeps_nobody(house):
    """Those behind it go on at once where they can."""
    house.lock("l1", "a")
    gone = house.wait("l2", "a", "b")
    behind = house.wait("l3", "b")
    house.cancel(gone)
    assert settled(house) == ["l3"]
    assert isinstance(behind.outcome, Granted)
    house.unlock("l1", "a")
    assert gone.outcome is None
    assert house.held() == [("b", "l3")]
    assert house.queue.by_locker == {}


def test_wait_that_is_cancelled_too_late_gives_back(house):
    """What was granted to one who is gone is free, and the next one's."""
    house.lock("l1", "a")
    gone = house.wait("l2", "a")
    behind = house.wait("l3", "a")
    house.unlock("l1", "a")
    assert isinstance(gone.outcome, Granted)
    house.cancel(gone)
    assert isinstance(behind.outcome, Granted)
    house.cancel(gone)
    assert house.held() == [("a", "l3")]


def test_what_is_given_back_is_the_grant_and_nothing_else(house):
    """What was locked again since, or locked twice, stays."""
    house.lock("l1", "a")
    granted = house.lock("l1", "a", "b", reentrant=True, wait=5)
    request = house.request("l1", ["a", "b"])
    house.locks.give_back(house.at, request, granted)
    assert house.held() == [("a", "l1")]
    house.locks.give_back(house.at, request, granted)
    assert house.held() == [("a", "l1")]


def test_wait_is_given_up_as_if_its_time_were_over(house):
    """A server that stops answers those who wait."""
    house.lock("l1", "a")
    waiting = house.wait("l2", "a")
    house.locks.give_up(house.at, waiting)
    house.locks.give_up(house.at, waiting)
    assert settled(house) == ["timeout"]
    assert waiting.outcome.holder == "l1"


def test_reentrant_wait_enters_again_when_its_turn_comes(house):
    """What its locker has by then is counted, what is new has a token of its own."""
    first = house.lock("l1", "a").token
    house.lock("l2", "b")
    waiting = house.wait("l1", "a", "b", reentrant=True)
    house.unlock("l2", "b")
    assert waiting.outcome.token > first
    assert [(view.token, view.count) for view in house.views()[0]] == [
        (first, 2),
        (waiting.outcome.token, 1),
    ]


def test_what_a_wait_stands_for_is_not_lost_when_it_enters_again(house):
    """Who was registered behind a path that is only counted again is served all the same."""
    house.lock("l2", "b")
    first = house.wait("l1", "a", "b")
    again = house.wait("l1", "a", "b", reentrant=True)
    behind = house.wait("l3", "a")
    house.unlock("l2", "b")
    assert first.outcome.token == again.outcome.token
    house.unlock("l1", "a", "b")
    assert settled(house) == ["l1", "l1"]
    house.unlock("l1", "a", "b")
    assert isinstance(behind.outcome, Granted)


def test_locker_may_pass_itself_by_a_reentrant_call(house):
    """Who waits for more under the same name has to wait for that, too."""
    house.lock("l2", "b")
    waiting = house.wait("l1", "a", "b")
    house.lock("l1", "a", reentrant=True)
    house.unlock("l2", "b")
    assert waiting.outcome is None
    assert house.held() == [("a", "l1")]
    house.unlock("l1", "a")
    assert isinstance(waiting.outcome, Granted)


def test_waits_do_not_survive_a_restart(house):
    """What they reserved is free: their clients have to ask again."""
    house.lock("l1", "a")
    house.wait("l2", "a", "b")
    house.restart()
    assert house.queue.by_locker == {}
    assert isinstance(house.lock("l3", "b"), Granted)
    assert house.held() == [("a", "l1"), ("b", "l3")]


# ---- watching what one has ----


def watched(house, *paths, wait=50):
    """Renew locks and wait for the end of that, or their loss."""
    return house.locks.watch(house.at, house.renew("l1", *paths), wait)


def test_watch_ends_at_its_time(house):
    """Nothing was lost."""
    house.lock("l1", "a", "b")
    watch = watched(house, "a", "b")
    house.advance(50)
    assert house.model.take_settled() == [watch]
    assert (watch.done, watch.lost) == (True, None)


@pytest.mark.parametrize(
    "end, why",
    [
        (lambda house: house.unlock("l1", "b"), "it was released"),
        (lambda house: house.force("b"), "it was forced"),
        (lambda house: house.locks.drop_below(house.at, path("b")), "it was forced"),
        (lambda house: house.advance(60), "its time was over"),
    ],
    ids=["unlock", "force", "delete_namespace", "timeout"],
)
def test_watch_tells_at_once_when_one_of_its_locks_is_lost(house, end, why):
    """And why; once."""
    house.lock("l1", "a", "b")
    watch = watched(house, "a", "b", wait=1000)
    end(house)
    assert house.model.take_settled() == [watch]
    assert watch.lost in {f"/b is not locked any more: {why}", f"/a is not locked any more: {why}"}
    house.force("a")
    house.advance(2000)
    assert house.model.take_settled() == []


def test_lock_that_is_still_counted_is_not_lost(house):
    """One unlock of two takes nothing away."""
    house.lock("l1", "a")
    house.lock("l1", "a", reentrant=True)
    watch = watched(house, "a")
    house.unlock("l1", "a")
    assert not watch.done
    house.unlock("l1", "a")
    assert watch.lost == "/a is not locked any more: it was released"


def test_watch_that_is_stopped_is_told_nothing(house):
    """Its caller is gone."""
    house.lock("l1", "a")
    watched(house, "a").stop()
    house.force("a")
    house.advance(100)
    assert house.model.take_settled() == []
    with pytest.raises(NotHeld):
        house.renew("l1", "a")


# ---- what it costs: counted, not timed ----


def test_a_thousand_waits_for_one_lock_are_served_one_by_one(house):
    """Each release has one of them look, and each is looked at once."""
    house.lock("l", "a/b")
    names = [f"w{number}" for number in range(1000)]
    for number, name in enumerate(names):
        house.wait(name, ["a/b", "a", "a/b/c"][number % 3], wait=1000)
    assert house.queue.looks == 0
    holder, held = "l", "a/b"
    for number, name in enumerate(names):
        before = house.queue.looks
        house.unlock(holder, held)
        assert house.queue.looks == before + 1
        holder, held = name, ["a/b", "a", "a/b/c"][number % 3]
        assert settled(house) == [name]


@pytest.mark.parametrize("leaving", ["cancel", "timeout"])
def test_waits_that_leave_cost_those_behind_them_one_look_each(house, leaving):
    """Nobody who waits looks because of somebody far before it."""
    house.lock("l", "a", seconds=10_000)
    waits = [
        house.wait(f"w{number}", "a", wait=1000 if number % 2 else 10) for number in range(1000)
    ]
    if leaving == "cancel":
        for wait in waits[::2]:
            house.cancel(wait)
    else:
        house.advance(10)
        house.model.take_settled()
    assert house.queue.looks <= 1000
    holder = "l"
    for number in range(1, 1000, 2):
        before = house.queue.looks
        house.unlock(holder, "a")
        assert house.queue.looks == before + 1
        holder = f"w{number}"
        assert settled(house) == [holder]


def test_wait_for_many_paths_checks_each_once(house):
    """A release has it look from where it was; what was found free is reserved for it."""
    shards = [f"index/{number}" for number in range(300)]
    for number, shard in enumerate(shards):
        house.lock(f"s{number}", shard)
    big = house.wait("big", *shards)
    checks = count_checks(house)
    for number, shard in enumerate(shards):
        house.unlock(f"s{number}", shard)
    assert isinstance(big.outcome, Granted)
    # A step for each path, one for each release, and a last look at all of them.
    assert len(checks) <= 3 * len(shards)


def count_checks(house):
    """Note each check of a path."""
    checks: list = []
    queue = house.queue
    check = queue.in_the_way

    def noted(*arguments):
        checks.append(arguments)
        return check(*arguments)

    queue.in_the_way = noted
    return checks


def test_check_takes_as_many_steps_as_the_path_has_parts(house):
    """However many locks there are around it."""
    for number in range(2000):
        house.lock("l1", f"index/shard/{number}")
    lines = list(house.locks.tree.against(path("index/shard/5000"), 0))
    assert lines == []
    above = list(house.locks.tree.against(path("index"), 0))
    assert [len(line) for _, line in above] == [2000]
    assert house.lock("l2", "index").holder == "l1"


def test_nothing_is_left_of_what_is_gone(house):
    """Locks, waits and watches of all kinds leave an empty tree."""
    for number in range(20):
        house.lock("l1", f"a/{number}", "b" if number == 0 else f"b{number}")
    waits = [house.lock(f"w{number}", "a", "c", wait=50) for number in range(10)]
    assert all(isinstance(wait, LockWait) for wait in waits)
    watched(house, "a/1", "b1")
    house.advance(1000)
    assert house.locks.tree.root.children == {}
    assert house.queue.by_locker == {}
    assert not house.locks.holdings.has_any("l1")
    assert house.model.next_deadline().now is None
