"""The lock service: results to the type, waits, hostile parameters, a real server."""

import math

import pytest

from coordinate_protocol.messages import Failure
from coordinate_server.model.settings import ModelSettings
from tests.server.house import House, result_of
from tests.server.independent_client import ServerError

HUGE = 10**5000


@pytest.fixture
def house():
    return House(settings=ModelSettings(key_bytes=200))


@pytest.fixture
def client(house):
    """A client that has said hello."""
    return house.client(protocol=[1])


@pytest.fixture
def old(house):
    """A client of 0.1.5: it has not."""
    return house.client()


def wait(house, method, *params, **numbers):
    """Make a call that waits on a connection of its own; gives it, and a list for its answer."""
    return house.client(protocol=[1]).later(method, *params, **numbers)


def got(results):
    """The result that came."""
    (answer,) = results
    return result_of(answer)


def failure(client, method, *params):
    """The first line of a failure."""
    answer = client.answer(method, *params)
    assert isinstance(answer, Failure), answer
    return answer.message.partition("\n")[0]


# ---- as 0.1.5's clients know it ----


@pytest.mark.parametrize("greeted", [True, False])
def test_results_are_those_of_the_wire_reference(house, greeted):
    """Pairs are tuples, arrays are arrays; options that are not sent change nothing."""
    client = house.client(protocol=[1]) if greeted else house.client()
    assert client.call("lock", "l1", 0, [["a", 1], ["b"]]) == (True, None)
    assert client.call("lock", "l2", 60, [["c"], ["a"]]) == (
        *(False, "/a cannot be locked: /a/1 is locked by 'l1'"),
    )
    assert client.call("readlock", [["a", 1], ["a"], ["b"], ["c"]]) == ["l1", None, "l1", None]
    found = client.call("locksome", "l2", 60, [["a"], ["c", (1, "x")], ["b"]])
    assert found == ([None, ["c", (1, "x")], None], None)
    assert client.call("renew", "l1", 60, [["a", 1], ["b"]]) == (True, None)
    done, message = client.call("renew", "l2", 60, [["c", (1, "x")], ["b"]])
    assert (done, message[:32]) == (False, "/b is not locked by 'l2', but by")
    assert client.call("unlock", "l1", [["a", 1]]) == (True, None)
    assert client.call("unlock", "l1", [["a", 1]]) == (False, "/a/1 is not locked by 'l1'")
    assert client.call("delete_namespace", "c") == 1
    assert client.call("delete_namespace", "c") == 0
    assert client.call("lock", "l1", 60, [["x"], ["x", "y"]]) == (
        *(False, "/x is asked for and /x/y, which is under it"),
    )
    assert client.call("lock", "l1", 60, []) == (True, None)


def test_timeout_of_0_is_a_minute(house, old):
    """As the wire reference says."""
    old.call("lock", "l1", 0, [["a"]])
    house.move(59)
    assert old.call("readlock", [["a"]]) == ["l1"]
    house.move(1)
    assert old.call("readlock", [["a"]]) == [None]


@pytest.mark.parametrize("seconds", [1_000_001, 1e300, math.inf, 2**1000])
def test_timeout_over_the_maximum_is_cut_and_said(house, old, seconds):
    """By every call that has one."""
    done, message = old.call("lock", "l1", seconds, [["a"]])
    assert done is True
    assert "taken as 1000000" in message
    assert old.call("locksome", "l1", seconds, [["b"]])[1] == message
    assert old.call("renew", "l1", seconds, [["a"]]) == (True, message)
    assert old.call("lock", "l2", seconds, [["a"]])[1].endswith(message)
    house.move(1_000_000)
    assert old.call("readlock", [["a"], ["b"]]) == [None, None]


def test_timeout_at_the_maximum_is_taken_as_it_is(old):
    """Nothing is said of it."""
    assert old.call("lock", "l1", 1_000_000, [["a"]]) == (True, None)


@pytest.mark.parametrize("method", ["lock", "locksome", "renew"])
@pytest.mark.parametrize(
    "seconds",
    [-1, -0.001, math.nan, True, "60", None, [], -math.inf, pytest.param(-HUGE, id="huge")],
)
def test_timeout_that_is_none_is_a_failure(old, method, seconds):
    """It names the timeout and the range, or the type."""
    assert "timeout " in failure(old, method, "l1", seconds, [["a"]])


def test_options_an_old_client_does_not_mean_are_ignored(old, client):
    """As 0.1.5's server did; who said hello is told."""
    assert old.call("lock", "l1", 60, [["a"]], {"whatever": 1}) == (True, None)
    assert "unknown option 'whatever'" in failure(
        client, "lock", "l1", 60, [["b"]], {"whatever": 1}
    )


# ---- what is beyond it ----


def test_grant_is_a_map(house, client):
    """With the token, and the end by the wall clock."""
    found = client.call("lock", "l1", 30, [["a"]], {"grant": True})
    assert found == {"granted": True, "token": found["token"], "expires": house.clock.wall + 30}
    cut = client.call("lock", "l1", 1e7, [["b"]], {"grant": True})
    assert "taken as 1000000" in cut["message"]
    assert cut["token"] > found["token"]


def test_refusal_is_a_map(client):
    """With a code for programs, and what is in the way."""
    client.call("lock", "l1", 30, [["a", "b"]])
    assert client.call("lock", "l2", 30, [["a"]], {"grant": True}) == {
        "granted": False,
        "code": "locked",
        "message": "/a cannot be locked: /a/b is locked by 'l1'",
        "holder": "l1",
        "path": ["a", "b"],
    }
    assert client.call("lock", "l2", 30, [["x"], ["x"]], {"grant": True}) == {
        "granted": False,
        "code": "refused",
        "message": "/x is asked for twice",
    }


def test_some_locks_are_a_map(house, client):
    """The paths as they came, one token; null where nothing was free."""
    client.call("lock", "l1", 30, [["a"]])
    found = client.call("locksome", "l2", 30, [["a"], ("b", 1.0)], {"grant": True})
    expires = house.clock.wall + 30
    assert found == {"paths": [None, ("b", 1.0)], "token": found["token"], "expires": expires}
    nothing = client.call("locksome", "l2", 30, [["a"]], {"grant": True})
    assert nothing == {"paths": [None], "token": None, "expires": None}


def test_modes_re_entry_and_tokens_are_options(client):
    """Each as the model has it."""
    shared = {"mode": "shared", "grant": True}
    first = client.call("lock", "l1", 30, [["a"]], shared)
    second = client.call("lock", "l2", 30, [["a"]], {"mode": b"shared", "grant": True})
    assert first["granted"]
    assert second["granted"]
    again = client.call("lock", "l1", 30, [["a"]], shared | {"reentrant": True})
    assert again["token"] == first["token"]
    assert client.call("renew", "l1", 30, [["a"]], {"token": second["token"]})[0] is False
    assert client.call("renew", "l1", 30, [["a"]], {"token": first["token"]}) == (True, None)
    assert client.call("unlock", "l1", [["a"]], {"token": first["token"]}) == (True, None)
    assert client.call("unlock", "l1", [["a"]]) == (True, None)
    assert client.call("unlock", "l1", [["a"]])[0] is False
    assert client.call("force_unlock", [["a"]], {"token": first["token"]}) == 0
    assert client.call("force_unlock", [["a"]], {"token": second["token"]}) == 1


def test_list_shows_all_there_is_to_know(house, client):
    """Holder, age, end, how often, and who waits; by path, in pages."""
    token = client.call("lock", "l1", 100, [["a", 3]], {"grant": True})["token"]
    house.move(10)
    client.call("lock", "l1", 100, [["a", 3]], {"reentrant": True})
    client.call("lock", "l1", 100, [["b"]])
    wait(house, "lock", "l2", 100, [["a"]], {"wait": 60, "mode": "shared"})
    house.move(5)
    locks, following = client.call("list_locks", {"limit": 1})
    assert following == ["b"]
    assert locks == [
        {
            "path": ["a", 3],
            "mode": "exclusive",
            "locker_id": "l1",
            "token": token,
            "age": 15.0,
            "expires": house.clock.wall + 95,
            "count": 2,
            "waiters": [{"locker_id": "l2", "mode": "shared", "waiting": 5.0}],
            "waiters_count": 1,
        }
    ]
    rest, following = client.call("list_locks", {"start": following})
    assert ([lock["path"] for lock in rest], following) == ([["b"]], None)
    assert client.call("list_locks", {"path": ["a"]})[0] == locks
    assert client.call("list_locks", {"path": ["x"]}) == ([], None)


def test_list_shows_units(house, client):
    """With worker, spec and key, and no end; one that waits has no worker yet."""
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    unit = {"locks": [["a"], {"path": ["b"], "mode": "shared"}]}
    client.call("add_work_units", "s", [("k1", {}, unit), ("k2", {}, unit)])
    (handed, _) = client.call("get_work", "w", {"attempts": True})
    client.call("get_work", "w", {"attempts": True})
    locks, _ = client.call("list_locks")
    (one, other) = locks
    assert one["token"] == handed[3]["attempt"]
    assert (one["locker_id"], one["expires"], one["work_spec_name"]) == ("w", None, "s")
    assert (one["work_unit_key"], one["mode"], other["mode"]) == ("k1", "exclusive", "shared")
    assert [w["locker_id"] for w in one["waiters"]] == [None]
    assert one["waiters"][0]["work_spec_name"] == "s"
    assert client.call("force_unlock", [["a"], ["b"]]) == 0


# ---- waiting ----


def test_answer_comes_when_the_lock_is_free(house, client):
    """Not before, and at once; in the commit that frees it."""
    client.call("lock", "l1", 60, [["a"]])
    _, plain = wait(house, "lock", "l2", 30, [["a"]], {"wait": 50})
    _, told = wait(house, "lock", "l3", 30, [["a"]], {"wait": 50, "grant": True})
    house.move(49)
    assert (plain, told) == ([], [])
    commits = house.committer.commits
    client.call("unlock", "l1", [["a"]])
    assert house.committer.commits == commits + 1
    assert got(plain) == (True, None)
    client.call("unlock", "l2", [["a"]])
    found = got(told)
    assert found["granted"] is True
    assert found["expires"] == house.clock.wall + 30


def test_lock_that_ends_by_itself_is_handed_on(house, client):
    """Though nobody calls."""
    client.call("lock", "l1", 5, [["a"]])
    _, results = wait(house, "lock", "l2", 30, [["a"]], {"wait": 50})
    house.move(5)
    assert got(results) == (True, None)


def test_lock_of_a_unit_that_loses_its_lease_is_handed_on(house, client):
    """However long nobody looked, it is held from now on."""
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    client.call("add_work_units", "s", [("k", {}, {"locks": [["a"]]})])
    client.call("get_work", "w", {"lease_time": 100})
    _, results = wait(house, "lock", "l1", 30, [["a"]], {"wait": 1000, "grant": True})
    house.move(150)
    assert got(results)["expires"] == house.clock.wall + 30
    assert client.call("readlock", [["a"]]) == ["l1"]


def test_answer_comes_at_the_end_of_the_wait(house, client):
    """It says what was in the way."""
    client.call("lock", "l1", 60, [["a"]])
    _, plain = wait(house, "lock", "l2", 30, [["a"]], {"wait": 10})
    _, told = wait(house, "lock", "l3", 30, [["a"]], {"wait": 10, "grant": True})
    house.move(10)
    assert got(plain) == (False, "10 seconds were over: /a is locked by 'l1'")
    found = got(told)
    assert (found["granted"], found["code"]) == (False, "timeout")


def test_deadlock_is_told_at_once(house, client):
    """With the circle."""
    client.call("lock", "l1", 60, [["a"]])
    client.call("lock", "l2", 60, [["b"]])
    wait(house, "lock", "l1", 60, [["b"]], {"wait": 10})
    found = client.call("lock", "l2", 60, [["a", 1]], {"wait": 10, "grant": True})
    assert (found["code"], found["holder"], found["path"]) == ("deadlock", "l1", ["a", 1])
    assert found["cycle"] == [
        {"locker_id": "l2", "waits_for": ["a", 1], "held_by": "l1"},
        {"locker_id": "l1", "waits_for": ["b"], "held_by": "l2"},
    ]
    done, message = client.call("lock", "l2", 60, [["a"]], {"wait": 10})
    assert done is False
    assert message.startswith("deadlock: 'l2' waits for /a of 'l1', who")


def test_nothing_is_granted_to_one_that_is_gone(house, client):
    """Those behind it go on; its place is nobody's."""
    client.call("lock", "l1", 60, [["a"]])
    gone, results = wait(house, "lock", "l2", 60, [["a"], ["b"]], {"wait": 50})
    _, behind = wait(house, "lock", "l3", 60, [["b"]], {"wait": 50})
    gone.abandon()
    house.loop.settle()
    assert got(behind) == (True, None)
    client.call("unlock", "l1", [["a"]])
    assert results == []
    assert client.call("readlock", [["a"], ["b"]]) == [None, "l3"]


def test_grant_that_did_not_arrive_is_given_back(house, client):
    """The next one has it at once."""
    client.call("lock", "l1", 60, [["a"]])
    _, first = wait(house, "lock", "l2", 60, [["a"]], {"wait": 50})
    _, second = wait(house, "lock", "l3", 60, [["a"]], {"wait": 50})
    client.call("unlock", "l1", [["a"]])
    assert second == []
    first[0].undelivered()
    house.loop.settle()
    assert got(second) == (True, None)
    at_once = client.answer("lock", "l4", 60, [["x"]], {"wait": 50})
    at_once.undelivered()
    assert client.call("readlock", [["x"], ["a"]]) == [None, "l3"]


def test_call_that_does_not_wait_is_not_given_back(client):
    """Its client finds the lock when it asks, or waits for its end, as with 0.1.5."""
    answer = client.answer("lock", "l1", 60, [["a"]])
    assert not hasattr(answer, "undelivered")


def test_wait_that_has_to_end_is_answered(house, client):
    """As if its time were over; a server that stops leaves nobody without an answer."""
    client.call("lock", "l1", 60, [["a"]])
    pending, results = wait(house, "lock", "l2", 60, [["a"]], {"wait": 50})
    pending.expire()
    assert got(results) == (False, "50 seconds were over: /a is locked by 'l1'")
    pending, results = wait(house, "renew", "l1", 60, [["a"]], {"wait": 50})
    pending.expire()
    assert got(results) == (True, None)
    house.move(100)
    assert len(results) == 1


def test_end_of_a_wait_is_planned_for(house, client):
    """A group ends with every wait that begins, so that the clock is set."""
    client.call("lock", "l1", 60, [["a"]])
    planned: list = []
    house.committer.after_commit.append(lambda: planned.append(house.model.next_deadline().now))
    client.later("lock", "l2", 60, [["a"]], {"wait": 0.5})
    house.loop.settle()
    assert planned == [house.clock.now + 0.5]


def test_renewal_tells_of_a_loss_at_once(house, client):
    """Or that nothing was lost, when so many seconds have passed."""
    client.call("lock", "l1", 60, [["a"], ["b"]])
    _, kept = wait(house, "renew", "l1", 100, [["a"]], {"wait": 40})
    _, lost = wait(house, "renew", "l1", 100, [["a"], ["b"]], {"wait": 40})
    house.move(39)
    assert (kept, lost) == ([], [])
    client.call("force_unlock", [["b"]])
    assert got(lost) == (False, "/b is not locked any more: it was forced")
    house.move(1)
    assert got(kept) == (True, None)
    assert client.call("readlock", [["a"]]) == ["l1"]
    gone, results = wait(house, "renew", "l1", 100, [["a"]], {"wait": 40})
    gone.abandon()
    house.move(200)
    assert results == []
    assert client.call("renew", "l1", 60, [["a"]], {"wait": 5})[0] is False


def test_repeated_call_of_a_session_gets_its_grant_again(house):
    """Whoever lost the answer finds the same token, and locks nothing twice."""
    client = house.client(protocol=[1], session=True)
    options = {"grant": True}
    first = client.call("lock", "l1", 60, [["a"]], options, seq=1, low=1)
    assert client.call("lock", "l1", 60, [["a"]], options, seq=1, low=1) == first
    house.move(5)
    assert client.call("lock", "l1", 60, [["a"]], options, seq=2, low=1)["granted"] is False


def test_wait_of_a_session_is_answered_on_its_newest_connection(house):
    """It is one wait, wherever it is asked for."""
    client = house.client(protocol=[1], session=True)
    client.call("lock", "l1", 60, [["a"]])
    session = client.greeting["session"]
    again = house.client(protocol=[1], session=session)
    call = ("lock", "l2", 60, [["a"]], {"wait": 50, "grant": True})
    client.later(*call, seq=1, low=1)
    _, results = again.later(*call, seq=1, low=1)
    client.call("unlock", "l1", [["a"]])
    assert got(results)["granted"] is True
    assert client.call(*call, seq=1, low=1) == got(results)


# ---- namespaces, restarts, time ----


def test_namespaces_of_hello_share_no_locks(house):
    """The same path is another lock there."""
    one, other = (house.client(protocol=[1], namespace=name) for name in ("one", "other"))
    assert one.call("lock", "l1", 60, [["a"]]) == (True, None)
    assert other.call("lock", "l2", 60, [["a"]]) == (True, None)
    assert other.call("readlock", [["a"]]) == ["l2"]
    assert other.call("delete_namespace", "a") == 1
    assert one.call("readlock", [["a"]]) == ["l1"]


def test_restart_forgets_no_lock(house, client):
    """Each has the grace period; tokens go on."""
    found = client.call("lock", "l1", 5, [["a"]], {"grant": True})
    house.move(4)
    again = house.restarted()
    client = again.client(protocol=[1])
    (lock,), _ = client.call("list_locks")
    assert lock["token"] == found["token"]
    assert lock["expires"] == house.clock.wall + 60
    assert client.call("renew", "l1", 5, [["a"]], {"token": found["token"]}) == (True, None)
    assert client.call("lock", "l2", 5, [["b"]], {"grant": True})["token"] > found["token"]


def test_lock_of_a_unit_is_there_after_a_restart(house, client):
    """As old as the restart, and the attempt's as before."""
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    client.call("add_work_units", "s", [("k", {}, {"locks": [["a"]]})])
    (unit, _) = client.call("get_work", "w", {"attempts": True})
    house.move(4)
    client = house.restarted().client(protocol=[1])
    (lock,), _ = client.call("list_locks")
    assert (lock["token"], lock["locker_id"]) == (unit[3]["attempt"], "w")
    assert 0 <= lock["age"] <= 4


def test_wall_clock_that_is_set_changes_only_what_is_shown(house, client):
    """A lock ends when it would have."""
    client.call("lock", "l1", 60, [["a"]])
    house.clock.wall += 3600
    (lock,), _ = client.call("list_locks")
    assert lock["expires"] == house.clock.wall + 60
    house.clock.wall -= 7200
    house.move(59)
    assert client.call("readlock", [["a"]]) == ["l1"]
    house.move(1)
    assert client.call("readlock", [["a"]]) == [None]


# ---- hostile parameters ----


@pytest.mark.parametrize(
    "path, says",
    [
        ([], "a path should be an array of 1 to 64 parts, not one of 0"),
        (["a"] * 65, "a path should be an array of 1 to 64 parts, not one of 65"),
        ("a", "a path should be an array of 1 to 64 parts, not 'a'"),
        (None, "a path should be an array"),
        ({}, "a path should be an array"),
        ([True], "parts of a path should be text, numbers and tuples of such, not True"),
        ([math.nan], "parts of a path should be text, numbers and tuples of such, not nan"),
        ([None], "parts of a path"),
        ([{"a": 1}], "parts of a path"),
        ([("a", (False,))], "parts of a path"),
        (["x" * 200], "path of 203 bytes is over the limit of 200"),
        ([HUGE], "is over the limit of 200"),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda path: ("lock", "l1", 60, [["ok"], path]),
        lambda path: ("locksome", "l1", 60, [["ok"], path]),
        lambda path: ("renew", "l1", 60, [path]),
        lambda path: ("unlock", "l1", [path]),
        lambda path: ("readlock", [path]),
        lambda path: ("force_unlock", [path]),
    ],
    ids=["lock", "locksome", "renew", "unlock", "readlock", "force_unlock"],
)
def test_path_that_is_none_is_a_failure_and_changes_nothing(client, call, path, says):
    """It says what would be right."""
    assert says in failure(client, *call(path))
    assert client.call("list_locks") == ([], None)


@pytest.mark.parametrize(
    "params",
    [
        ("lock", "l1", 60, "paths"),
        ("lock", "l1", 60, {}),
        ("lock", "l1", 60, None),
        ("lock", "l1", 60, [["a"]] * 10_001),
        ("lock", 7, 60, [["a"]]),
        ("lock", None, 60, [["a"]]),
        ("lock", b"\xff", 60, [["a"]]),
        ("lock", "l1", 60, [["a"]], {"mode": "both"}),
        ("lock", "l1", 60, [["a"]], {"mode": 1}),
        ("lock", "l1", 60, [["a"]], {"wait": -1}),
        ("lock", "l1", 60, [["a"]], {"wait": 86_401}),
        ("lock", "l1", 60, [["a"]], {"wait": math.nan}),
        ("lock", "l1", 60, [["a"]], {"wait": True}),
        ("lock", "l1", 60, [["a"]], {"wait": HUGE}),
        ("lock", "l1", 60, [["a"]], {"token": 1}),
        ("lock", "l1", 60, [["a"]], []),
        ("locksome", "l1", 60, [["a"]], {"wait": 1}),
        ("renew", "l1", 60, [["a"]], {"token": -1}),
        ("renew", "l1", 60, [["a"]], {"token": 1.5}),
        ("renew", "l1", 60, [["a"]], {"token": "1"}),
        ("renew", "l1", 60, [["a"]], {"token": HUGE}),
        ("renew", "l1", 60, [["a"]], {"wait": 86_401}),
        ("unlock", "l1", [["a"]], {"token": True}),
        ("delete_namespace", None),
        ("delete_namespace", math.nan),
        ("delete_namespace", True),
        ("list_locks", {"limit": 0}),
        ("list_locks", {"limit": 10_001}),
        ("list_locks", {"path": "a"}),
        ("list_locks", {"start": [None]}),
        ("list_locks", 7),
    ],
)
def test_parameter_that_is_none_is_a_failure(client, params):
    """A ValueError that names it, whatever it is; nothing is locked."""
    assert failure(client, *params).startswith(("ValueError(", "BadName("))
    assert client.call("list_locks") == ([], None)


def test_call_may_have_ten_thousand_paths(client):
    """And what is asked for twice among them is found."""
    paths = [["a", number] for number in range(10_000)]
    assert client.call("lock", "l1", 60, paths) == (True, None)
    assert client.call("lock", "l2", 60, [*paths[1:], ["b"]])[0] is False
    assert client.call("renew", "l1", 60, paths) == (True, None)
    assert client.call("unlock", "l1", [*paths[:-1], ["a", 0]]) == (
        *(False, "/a/0 is asked for twice"),
    )
    assert client.call("unlock", "l1", paths) == (True, None)
    assert client.call("list_locks") == ([], None)


# ---- a real server ----


def test_clients_with_byte_strings(server, connect):
    """Parts that are UTF-8 mean text, others stay; answers are in the client's style."""
    old, new = connect(server, native_bytes=True), connect(server)
    paths = [["a", 1], ["\N{LATIN SMALL LETTER U WITH DIAERESIS}", ("x", b"\xff")]]
    assert old.call("lock", "l1", 60, paths[:1]) == (True, None)
    found = old.call("locksome", "l1", 60, paths)
    assert found == ([None, [b"\xc3\xbc", (b"x", b"\xff")]], None)
    assert new.call("readlock", paths) == ["l1", "l1"]
    assert old.call("readlock", paths) == [b"l1", b"l1"]
    assert old.call("lock", "l2", 60, [["a"]])[1] == b"/a cannot be locked: /a/1 is locked by 'l1'"
    assert new.call("unlock", "l1", paths) == (True, None)


def test_batch_with_a_wait_and_what_ends_it(server, connect):
    """The requests are done in their order, the answer comes when all of them are done."""
    client = connect(server)
    found = client.batch(
        ("lock", "l1", 60, [["a"]]),
        ("lock", "l2", 60, [["a"]], {"wait": 60}),
        ("lock", "l3", 60, [["a"]]),
        ("unlock", "l1", [["a"]]),
        ("readlock", [["a"]]),
    )
    refused = "/a is locked by 'l1'"
    assert found == [(True, None), (True, None), (False, refused), (True, None), ["l2"]]


def test_wait_leaves_its_connection_free(server, connect):
    """Other calls are answered meanwhile, and the unlock may come on the same one."""
    client = connect(server)
    client.call("lock", "l1", 60, [["a"]])
    waiting = client.send("lock", "l2", 60, [["a"]], {"wait": 60})
    assert client.call("readlock", [["a"]]) == ["l1"]
    unlocked = client.send("unlock", "l1", [["a"]])
    answers = {answer["id"]: answer["result"] for answer in (client.receive(), client.receive())}
    assert answers == {waiting: (True, None), unlocked: (True, None)}


def test_wait_ends_with_its_connection(server, connect):
    """Who is gone keeps nobody waiting."""
    client, gone, next_one = connect(server), connect(server), connect(server)
    client.call("lock", "l1", 60, [["a"]])
    gone.send("lock", "l2", 60, [["a"], ["b"]], {"wait": 60})
    while not client.call("list_locks")[0][0]["waiters"]:
        pass
    waiting = next_one.send("lock", "l3", 60, [["b"]], {"wait": 60})
    gone.close()
    assert next_one.receive() == {"id": waiting, "result": (True, None)}


def test_lock_ends_while_nobody_calls(server, connect):
    """The server ends it, and hands it on."""
    client, other = connect(server), connect(server)
    client.call("lock", "l1", 0.05, [["a"]])
    assert other.call("lock", "l2", 60, [["a"]], {"wait": 60}) == (True, None)


def test_stop_answers_those_who_wait(start, connect):
    """Nothing is granted, and the server does not wait for them."""
    server = start("--memory")
    client = connect(server)
    client.call("lock", "l1", 60, [["a"]])
    waiting = client.send("lock", "l2", 60, [["a"]], {"wait": 600})
    watching = client.send("renew", "l1", 60, [["a"]], {"wait": 600})
    assert client.call("readlock", [["a"]]) == ["l1"]
    assert server.terminate() == 0
    answers = {answer["id"]: answer["result"] for answer in (client.receive(), client.receive())}
    assert answers[waiting][0] is False
    assert answers[watching] == (True, None)


def test_kill_forgets_no_lock(start, connect, tmp_path):
    """What was acknowledged is there after a restart."""
    arguments = ("--data", tmp_path / "q.db")
    server = start(*arguments)
    client = connect(server)
    client.call("hello", {"protocol": [1]})
    token = client.call("lock", "l1", 300, [["a", (1, "x")]], {"grant": True})["token"]
    client.call("lock", "l2", 300, [["b"]])
    client.call("unlock", "l2", [["b"]])
    server.kill()
    client = connect(start(*arguments))
    (lock,), _ = client.call("list_locks")
    assert (lock["path"], lock["locker_id"], lock["token"]) == (["a", (1, "x")], "l1", token)
    assert client.call("lock", "l2", 300, [["a"]])[0] is False
    assert client.call("unlock", "l1", [["a", (1, "x")]], {"token": token}) == (True, None)


def test_failure_of_a_wait_is_a_failure(server, connect):
    """A parameter that is wrong is answered at once."""
    with pytest.raises(ServerError, match="wait is -1, out of the range 0 to 86400"):
        connect(server).call("lock", "l1", 60, [["a"]], {"wait": -1})
