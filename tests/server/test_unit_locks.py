"""Locks that units need: handed out only when all are free, had while pending, and no longer."""

import itertools
import random

import pytest

from coordinate_protocol.messages import Failure
from coordinate_server.model.lock_lanes import RESERVED_SECONDS
from tests.server.house import House, result_of


@pytest.fixture
def house():
    return House()


@pytest.fixture
def client(house):
    """A client of a server with one spec."""
    client = house.client(protocol=[1])
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    return client


def add(client, *units, spec="s", **options):
    """Add units: (key, locks) each."""
    sent: list = [(key, {}, {"locks": locks} | options) for key, locks in units]
    assert client.call("add_work_units", spec, sent) == (True, None)


def take(client, worker="w", **options):
    """Lease one unit; gives its key and its attempt, or two Nones."""
    unit, _ = client.call("get_work", worker, {"attempts": True, "lease_time": 100} | options)
    return (unit[1], unit[3]["attempt"]) if unit[0] is not None else (None, None)


def finish(client, key, attempt, status=4):
    change = {"status": status, "attempt": attempt}
    assert client.call("update_work_unit", "s", key, change) == (True, None)


def owners(client, *paths):
    return client.call("readlock", [list(path) for path in paths])


def test_a_unit_has_its_locks_while_it_is_pending(client):
    """Its worker is shown as who has them, and its attempt is their token."""
    add(client, ("a", [["db"], {"path": ["index", 3], "mode": "shared"}]))
    assert owners(client, ["db"], ["index", 3]) == [None, None]
    key, attempt = take(client)
    listed, _ = client.call("list_locks", {})
    assert [(lock["path"], lock["mode"], lock["locker_id"], lock["token"]) for lock in listed] == [
        (["db"], "exclusive", "w", attempt),
        (["index", 3], "shared", "w", attempt),
    ]
    assert {(lock["work_spec_name"], lock["work_unit_key"]) for lock in listed} == {("s", "a")}
    finish(client, key, attempt)
    assert client.call("list_locks", {}) == ([], None)


def test_who_is_handed_a_unit_is_told_its_locks(client):
    """And whoever asks for its status."""
    add(client, ("a", [["db"]]))
    unit, _ = client.call("get_work", "w", {"attempts": True})
    assert unit[3]["locks"] == [{"path": ["db"], "mode": "exclusive"}]
    (status,), _ = client.call("get_work_unit_status", "s", ["a"])
    assert status["locks"] == [{"path": ["db"], "mode": "exclusive"}]


def test_a_unit_whose_lock_is_taken_is_passed_over(client):
    """Others run meanwhile; it runs when the lock is free."""
    assert client.call("lock", "me", 60, [["db"]]) == (True, None)
    add(client, ("a", [["db", "table"]]), ("b", []))
    assert take(client)[0] == "b"
    assert take(client)[0] is None
    client.call("unlock", "me", [["db"]])
    assert take(client)[0] == "a"


def test_units_that_need_one_lock_run_one_after_the_other(client):
    """By priority and key, whatever the number of workers."""
    add(client, *((key, [["db"]]) for key in "cab"))
    ran = []
    for _ in range(3):
        key, attempt = take(client)
        assert take(client) == (None, None)
        ran.append(key)
        finish(client, key, attempt)
    assert ran == ["a", "b", "c"]


def test_units_that_share_a_lock_run_together(client):
    """Shared with shared; one that wants it alone waits for both, and then others for it."""
    shared, alone = {"path": ["db"], "mode": "shared"}, ["db"]
    add(client, ("a", [shared]), ("b", [shared]), ("c", [alone]), ("d", [shared]))
    first, second = take(client), take(client)
    assert (first[0], second[0]) == ("a", "b")
    assert take(client) == (None, None)
    finish(client, *first)
    assert take(client) == (None, None)
    finish(client, *second)
    third = take(client)
    assert third[0] == "c"
    finish(client, *third)
    assert take(client)[0] == "d"


@pytest.mark.parametrize(
    "end",
    [
        lambda house, client, attempt: finish(client, "a", attempt),
        lambda house, client, attempt: finish(client, "a", attempt, status=5),
        lambda house, client, attempt: client.call(
            "update_work_unit", "s", "a", {"lease_time": -1, "attempt": attempt, "delay": 50}
        ),
        lambda house, client, attempt: client.call("update_work_unit", "s", "a", {"status": 2}),
        lambda house, client, attempt: client.call(
            "del_work_units", "s", {"work_unit_keys": ["a"]}
        ),
        lambda house, client, attempt: client.call("del_work_units", "s", {"all": True}),
        lambda house, client, attempt: client.call("del_work_spec", "s"),
        lambda house, client, attempt: client.call("clear"),
        lambda house, client, attempt: client.call(
            "add_work_units", "s", [("a", {}, {"locks": [], "delay": 50})]
        ),
        lambda house, client, attempt: house.move(101),
    ],
    ids=[
        *("finished", "failed", "given back", "blocked", "deleted", "all deleted", "spec deleted"),
        *("cleared", "added anew", "lease over"),
    ],
)
def test_whatever_ends_an_attempt_frees_its_locks(house, client, end):
    """At once, and a call that waits for one gets it."""
    add(client, ("a", [["db"]]))
    _, attempt = take(client)
    _, results = house.client().later("lock", "me", 60, [["db"]], {"wait": 1000})
    client.call("set_work_spec", {"name": "s", "min_gb": 1, "status": 2})
    assert results == []
    end(house, client, attempt)
    assert result_of(results[0]) == (True, None)


def test_nothing_else_frees_them(client):
    """Not their worker by name, not by force, not with the subtree; nor does it renew them."""
    add(client, ("a", [["db", 1]]))
    _, attempt = take(client, "w")
    assert client.call("unlock", "w", [["db", 1]])[0] is False
    assert client.call("unlock", "w", [["db", 1]], {"token": attempt})[0] is False
    assert client.call("renew", "w", 9, [["db", 1]])[0] is False
    assert client.call("force_unlock", [["db", 1]]) == 0
    assert client.call("delete_namespace", "db") == 0
    assert client.call("lock", "w", 9, [["db", 1]], {"reentrant": True})[0] is False
    assert owners(client, ["db", 1]) == ["w"]


def test_renewing_the_lease_renews_the_locks(house, client):
    """They have no end of their own."""
    add(client, ("a", [["db"]]))
    key, attempt = take(client)
    for _ in range(5):
        house.move(90)
        client.call("update_work_unit", "s", key, {"lease_time": 100, "attempt": attempt})
    assert owners(client, ["db"]) == ["w"]


def test_a_new_priority_of_a_pending_unit_leaves_its_locks_alone(client):
    """It is the same attempt."""
    add(client, ("a", [["db"]]))
    _, attempt = take(client)
    client.call("prioritize_work_units", "s", {"work_unit_keys": ["a"], "priority": 7})
    (lock,), _ = client.call("list_locks", {})
    assert lock["token"] == attempt


def test_locks_of_pending_units_survive_a_restart(house, client):
    """They are what the unit's own row says."""
    add(client, ("a", [["db"], {"path": ["x"], "mode": "shared"}]), ("b", [["db"]]))
    key, attempt = take(client)
    assert take(client) == (None, None)
    before = client.call("list_locks", {})[0]
    other = house.restarted().client(protocol=[1])
    listed, _ = other.call("list_locks", {})
    told = ("path", "mode", "locker_id", "token", "work_unit_key")
    assert [[lock[name] for name in told] for lock in listed] == [
        [lock[name] for name in told] for lock in before
    ]
    assert take(other) == (None, None)
    finish(other, key, attempt)
    assert take(other)[0] == "b"


def test_units_stand_in_the_queue_with_everybody_else(house, client):
    """Who asked before the unit gets the lock before it, who asked after it gets it after."""
    client.call("lock", "first", 600, [["db"]])
    _, second = house.client().later("lock", "second", 600, [["db"]], {"wait": 500})
    add(client, ("a", [["db"]]))
    assert take(client) == (None, None)
    _, fourth = house.client().later("lock", "fourth", 600, [["db"]], {"wait": 500})
    client.call("unlock", "first", [["db"]])
    assert (len(second), len(fourth)) == (1, 0)
    client.call("unlock", "second", [["db"]])
    assert fourth == []
    key, attempt = take(client)
    assert (key, fourth) == ("a", [])
    finish(client, key, attempt)
    assert len(fourth) == 1


def test_what_is_reserved_for_a_unit_is_refused_to_who_does_not_wait(house, client):
    """As with any other waiter."""
    client.call("lock", "first", 600, [["db"]])
    add(client, ("a", [["db"]]))
    take(client)
    client.call("unlock", "first", [["db"]])
    assert client.call("lock", "late", 60, [["db"]])[0] is False
    assert take(client)[0] == "a"


def test_a_reservation_that_nobody_takes_is_given_up(house, client):
    """So a spec that nobody works on keeps nobody from anything for long."""
    client.call("lock", "first", 600, [["db"]])
    add(client, ("a", [["db"]]), ("b", [["db"]]))
    take(client)
    _, waiting = house.client().later("lock", "late", 5, [["db"]], {"wait": 100})
    client.call("unlock", "first", [["db"]])
    assert waiting == []
    house.move(RESERVED_SECONDS + 0.1)
    assert len(waiting) == 1
    assert take(client) == (None, None)
    house.move(6)
    assert take(client)[0] == "a"


def test_the_better_unit_gets_what_is_reserved_for_its_like(house, client):
    """A reservation is for those who need the same, best first."""
    client.call("lock", "first", 600, [["db"]])
    add(client, ("a", [["db"]]), ("b", [["db"]]))
    take(client)
    client.call("unlock", "first", [["db"]])
    add(client, ("z", [["db"]]), priority=5)
    key, attempt = take(client)
    assert key == "z"
    finish(client, key, attempt)
    assert take(client)[0] == "a"


def test_a_priority_that_changes_while_set_aside_counts(client):
    """The one that became better goes first."""
    client.call("lock", "me", 600, [["db"]])
    add(client, ("a", [["db"]]), ("b", [["db"]]), ("c", [["db"]]))
    take(client)
    client.call("prioritize_work_units", "s", {"work_unit_keys": ["c"], "priority": 7})
    client.call("unlock", "me", [["db"]])
    assert take(client)[0] == "c"


def test_a_lock_taken_since_the_spec_was_looked_at_counts(client):
    """What was free when the scheduler looked may be locked when somebody asks."""
    client.call("set_work_spec", {"name": "t", "min_gb": 1})
    add(client, ("a", [["db"]]))
    client.call("add_work_units", "t", [("x", {})])
    client.call("lock", "me", 60, [["db"]])
    assert {take(client)[0], take(client)[0]} == {"x", None}


def test_many_jobs_at_once_lock_as_they_are_handed_out(client):
    """One call is given no two units that exclude each other."""
    add(client, ("a", [["x"]]), ("b", [["x"]]), ("c", [["y"]]), ("d", []))
    units, _ = client.call("get_work", "w", {"max_jobs": 10})
    assert [unit[1] for unit in units] == ["a", "c", "d"]


def test_who_waits_for_work_gets_it_when_the_lock_is_free(house, client):
    """The end of one attempt is the hand-out of the next unit."""
    add(client, ("a", [["db"]]), ("b", [["db"]]))
    key, attempt = take(client)
    _, results = house.client().later("get_work", "v", {"wait": 60})
    finish(client, key, attempt)
    assert result_of(results[0])[0][1] == "b"


def test_an_unlock_wakes_who_waits_for_work(house, client):
    """A lock that somebody called for is the same."""
    client.call("lock", "me", 60, [["db"]])
    add(client, ("a", [["db"]]))
    _, results = house.client().later("get_work", "v", {"wait": 100})
    client.call("unlock", "me", [["db"]])
    assert result_of(results[0])[0][1] == "a"


def test_explanations_name_the_lock(client):
    """Why a unit, its spec and a worker get nothing."""
    client.call("lock", "me", 60, [["db"]])
    add(client, ("a", [["db"]]))
    take(client)
    told, _ = client.call("explain_work_unit", "s", "a")
    assert told["reasons"][0]["code"] == "lock"
    assert "/db is locked by 'me'" in told["text"]
    spec, _ = client.call("explain_work_spec", "s")
    assert spec["reasons"][0]["code"] == "lock"
    assert spec["counts"]["waiting"] == {"lock": 1}
    worker, _ = client.call("explain_worker", "w")
    assert worker["would_get"] is None


def test_a_continuous_spec_makes_nothing_up_while_units_wait_for_locks(client):
    """There is work; it only cannot go now."""
    client.call("set_work_spec", {"name": "s", "min_gb": 1, "continuous": True})
    client.call("lock", "me", 60, [["db"]])
    add(client, ("a", [["db"]]))
    assert take(client) == (None, None)
    assert client.call("count_work_units", "s")[0] == {1: 1}


def test_a_unit_cannot_be_forced_to_run_without_its_locks(client):
    """A call without a token may do much, and not that."""
    client.call("lock", "me", 60, [["db"]])
    add(client, ("a", [["db"]]))
    done, why = client.call("update_work_unit", "s", "a", {"status": 3})
    assert (done, "/db is locked by 'me'" in why) == (False, True)
    client.call("unlock", "me", [["db"]])
    assert client.call("update_work_unit", "s", "a", {"status": 3}) == (True, None)
    assert owners(client, ["db"]) == [""]


def test_output_may_say_which_locks_its_units_need(client):
    """A chained unit is one like any other."""
    client.call("set_work_spec", {"name": "s", "min_gb": 1, "then": "s"})
    client.call("add_work_units", "s", [("a", {})])
    key, attempt = take(client)
    output: list = [("b", {}, {"locks": [["db"]]}), ("c", {}, {"locks": [[True]]})]
    change = {"status": 4, "attempt": attempt, "data": {"output": output}}
    assert "1 of its output" in client.call("update_work_unit", "s", key, change)[1]
    take(client)
    assert owners(client, ["db"]) == ["w"]


@pytest.mark.parametrize(
    "locks",
    [
        "db",
        ["db"],
        [[]],
        [[True]],
        [["a"], ["a"]],
        [["a"], ["a", "b"]],
        [{"path": ["a"], "mode": "both"}],
        [{"mode": "shared"}],
        [{"path": ["a"], "more": 1}],
        [[str(number)] for number in range(101)],
        [["x" * 9000]],
    ],
)
def test_locks_that_cannot_be_are_refused(client, locks):
    """With nothing added, and a sentence that says what can."""
    answer = client.answer("add_work_units", "s", [("ok", {}), ("a", {}, {"locks": locks})])
    assert isinstance(answer, Failure)
    assert client.call("count_work_units", "s")[0] == {}


def test_a_unit_with_an_empty_list_needs_none(client):
    """And one that is added again without a word keeps what it needs."""
    add(client, ("a", [["db"]]), ("b", [["db"]]))
    client.call("add_work_units", "s", [("a", {"again": True}), ("b", {}, {"locks": []})])
    (first, second), _ = client.call("get_work_unit_status", "s", ["a", "b"])
    assert (first.get("locks"), second.get("locks")) == (
        [{"path": ["db"], "mode": "exclusive"}],
        None,
    )


def test_a_thousand_units_set_aside_at_once_are_not_the_end(client):
    """The next ones are looked at when work is asked for again."""
    client.call("lock", "me", 600, [["tree"]])
    add(client, *((f"{number:05}", [["tree", number]]) for number in range(2500)))
    client.call("add_work_units", "s", [("zz", {})])
    assert "zz" in {take(client)[0] for _ in range(4)}


def test_what_is_offered_again_may_find_its_locks_taken(house, client):
    """A reservation was given up, somebody else came: the unit is set aside once more."""
    client.call("set_work_spec", {"name": "s", "min_gb": 1, "fair_key": "who"})
    client.call("lock", "first", 1000, [["db"]])
    sent = [(key, {"who": who}, {"locks": [["db"]]}) for key, who in (("a", 2), ("b", 3))]
    client.call("add_work_units", "s", sent)
    take(client)
    client.call("unlock", "first", [["db"]])
    house.move(RESERVED_SECONDS + 1)
    assert client.call("lock", "second", 1000, [["db"]]) == (True, None)
    client.call("add_work_units", "s", [("c", {"who": 1}, {"locks": [["db"]]})])
    assert [take(client), take(client)] == [(None, None)] * 2
    client.call("unlock", "second", [["db"]])
    ran = set()
    for _ in range(3):
        key, attempt = take(client)
        assert take(client) == (None, None)
        ran.add(key)
        finish(client, key, attempt)
    assert ran == {"a", "b", "c"}
    assert client.call("list_locks", {}) == ([], None)


@pytest.mark.parametrize("fair", [False, True])
def test_a_unit_forced_to_run_while_set_aside_is_set_aside_no_more(house, client, fair):
    """It is not handed out again when it has ended, and the others are all the same."""
    spec = {"name": "s", "min_gb": 1} | ({"fair_key": "who"} if fair else {})
    client.call("set_work_spec", spec)
    client.call("lock", "first", 1000, [["db"]])
    add(client, ("a", [["db"]]), ("b", [["db"]]))
    take(client)
    client.call("unlock", "first", [["db"]])
    house.move(RESERVED_SECONDS + 1)
    assert client.call("update_work_unit", "s", "b", {"status": 3}) == (True, None)
    assert client.call("update_work_unit", "s", "b", {"status": 4}) == (True, None)
    add(client, ("c", [["db"]]), ("d", [["db"]]))
    ran = []
    for _ in range(3):
        key, attempt = take(client)
        ran.append(key)
        finish(client, key, attempt)
    assert (ran, take(client)) == (["a", "c", "d"], (None, None))


def test_a_free_unit_behind_many_that_are_not_is_found(house, client):
    """By who asks, and by who waits."""
    client.call("lock", "me", 1000, [["db"]])
    add(client, *((f"{number:05}", [["db"]]) for number in range(1500)))
    client.call("add_work_units", "s", [("y", {})])
    assert take(client)[0] == "y"
    _, results = house.client().later("get_work", "v", {"wait": 60})
    client.call("add_work_units", "s", [("z", {})])
    assert result_of(results[0])[0][1] == "z"


def test_a_unit_whose_turn_by_data_has_not_come_keeps_no_lock_from_another(client):
    """Of those that need the same lock, the one that can go gets it."""
    client.call("set_work_spec", {"name": "s", "min_gb": 1, "serial_key": "k"})
    client.call("add_work_units", "s", [("c", {"k": 1}), ("a", {"k": 1}, {"locks": [["db"]]})])
    client.call("add_work_units", "s", [("b", {"k": 2}, {"locks": [["db"]]})])
    client.call("lock", "me", 1000, [["db"]])
    client.call("prioritize_work_units", "s", {"work_unit_keys": ["c"], "priority": 5})
    assert [take(client)[0], take(client)[0]] == ["c", None]
    client.call("unlock", "me", [["db"]])
    assert take(client)[0] == "b"


@pytest.mark.parametrize("closed", [{"disabled": True}, {"max_running": 0}])
def test_a_spec_that_may_not_run_reserves_nothing(client, closed):
    """Whoever asks for the lock gets it."""
    client.call("set_work_spec", {"name": "s", "min_gb": 1} | closed)
    client.call("set_work_spec", {"name": "t", "min_gb": 1})
    add(client, ("a", [["db"]]))
    for _ in range(3):
        assert client.call("lock", "me", 60, [["db"]]) == (True, None)
        take(client)
        client.call("unlock", "me", [["db"]])
        take(client)


def test_what_one_spec_begins_to_reserve_another_may_have_counted_on(house, client):
    """The scheduler looks at one after the other; the second look changes what the first saw."""
    client.call("set_work_spec", {"name": "t", "min_gb": 1})
    client.call("lock", "me", 60, [["other"]])
    waiting = [house.client().later("get_work", "v", {"wait": 60})[1] for _ in range(2)]
    client.answer("add_work_units", "s", [("x", {}, {"locks": [["db"]]})])
    client.answer("add_work_units", "t", [("y", {}, {"locks": [["db"], ["other"]]})])
    client.call("add_work_units", "s", [("z", {})])
    client.call("unlock", "me", [["other"]])
    handed = [result_of(results[0])[0][1] for results in waiting if results]
    assert len(handed) == len(set(handed)) == 2


def test_one_call_grants_no_more_than_so_many_locks(client):
    """It gives fewer units instead."""
    add(client, *((f"{n:03}", [[str(n), k] for k in range(100)]) for n in range(30)))
    handed, _ = client.call("get_work", "w", {"max_jobs": 30})
    assert len(handed) == 10


def test_a_lock_is_shown_under_the_name_of_a_unit_that_is_there(client):
    """One that stood for others and was deleted does so no more."""
    client.call("lock", "me", 60, [["db"]])
    add(client, ("a", [["db"]]), ("b", [["db"]]))
    take(client)
    client.call("del_work_units", "s", {"work_unit_keys": ["a"]})
    ((lock,), _) = client.call("list_locks", {})
    assert lock["waiters"][0]["work_unit_key"] == "b"


def test_the_end_of_a_reservation_is_known_to_who_keeps_time(house, client):
    """Who waits for the lock gets it at that moment."""
    client.call("lock", "first", 600, [["db"]])
    add(client, ("a", [["db"]]))
    take(client)
    client.call("unlock", "first", [["db"]])
    assert house.model.next_deadline().now == house.clock.now + RESERVED_SECONDS


class Chance:
    """A client that does one thing after another by chance, until every unit has ended."""

    PATHS = (["a"], ["a", 1], ["a", 2], ["b"], ["b", 1], ["c"])

    def __init__(self, house, chance):
        self.house, self.chance = house, chance
        self.client = house.client(protocol=[1])
        self.mine: dict = {}
        self.held: set = set()
        self.steps = 0
        self.acts = [
            *[self.take] * 45,
            *[self.end] * 30,
            *[self.lock] * 10,
            *[self.unlock] * 10,
            *[self.wait] * 4,
            self.restart,
        ]

    def add(self, number):
        chosen = self.chance.sample([["a", 1], ["a", 2], ["b"], ["c"]], self.chance.randrange(3))
        locks = [{"path": p, "mode": self.chance.choice(["shared", "exclusive"])} for p in chosen]
        if self.chance.random() < 0.2:
            locks = [{"path": ["a"]}]
        options = {"locks": locks, "priority": self.chance.randrange(3)}
        data = {"who": self.chance.randrange(3)}
        self.client.call("add_work_units", "s", [(f"{number:02}", data, options)])

    def take(self):
        key, attempt = take(self.client, f"w{self.steps}")
        if key is not None:
            self.mine[key] = attempt

    def end(self):
        if self.mine:
            key = self.chance.choice(sorted(self.mine))
            finish(self.client, key, self.mine.pop(key), self.chance.choice([4, 4, 4, 5]))

    def lock(self):
        path = self.chance.choice(self.PATHS)
        if self.client.call("lock", "me", 30, [path])[0]:
            self.held.add(tuple(path))

    def unlock(self):
        if self.held:
            self.client.call("unlock", "me", [list(self.held.pop())])

    def wait(self):
        self.house.move(self.chance.random() * 3)

    def restart(self):
        self.house = self.house.restarted()
        self.client = self.house.client(protocol=[1])

    def run(self):
        while self.client.call("count_work_units", "s")[0].keys() - {4, 5}:
            self.steps += 1
            assert self.steps < 5000, "units are left that never get their locks"
            self.chance.choice(self.acts)()
            check(self.client, self.mine)


@pytest.mark.parametrize("fair", [False, True])
def test_whatever_happens_no_two_hold_what_excludes_each_other(seed, house, fair):
    """Random units, workers, locks, ends and restarts; at the end everything has run."""
    run = Chance(house, random.Random(f"{seed} {fair}"))
    spec = {"name": "s", "min_gb": 1} | ({"fair_key": "who"} if fair else {})
    run.client.call("set_work_spec", spec)
    for number in range(60):
        run.add(number)
    run.run()


def check(client, mine):
    """What is held is apart, and what units hold is of those that are pending."""
    listed, _ = client.call("list_locks", {"limit": 1000})
    for one, other in itertools.combinations(listed, 2):
        shorter, longer = sorted([one["path"], other["path"]], key=len)
        over = longer[: len(shorter)] == shorter
        assert not over or one["mode"] == other["mode"] == "shared"
    units = {lock["work_unit_key"]: lock["token"] for lock in listed if "work_unit_key" in lock}
    assert units.items() <= mine.items()
