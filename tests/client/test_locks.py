"""LockClient over a scripted server: what is sent, and what its answers mean."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from coordinate_client import (
    AsyncLockClient,
    Deadlock,
    Grant,
    InvalidAnswer,
    LockClient,
    LostLock,
    ProgrammerError,
    RpcError,
    Unsupported,
)
from coordinate_client.paths import as_paths, told_path
from tests.client.scripted import HELLO, OLD_HELLO, Fail, Hello, ScriptedServer, Turn

PATH = ("index", "shard-3")
GRANTED = {"granted": True, "token": 9, "expires": 5.0}
LOCKED = {
    "granted": False,
    "code": "locked",
    "message": "it is v's",
    "holder": "v",
    "path": ["index"],
}
TIMEOUT = LOCKED | {"code": "timeout"}
CYCLE = [
    {"locker_id": "me", "waits_for": ["a"], "held_by": "v"},
    {"locker_id": "v", "waits_for": ["b"], "held_by": "me"},
]
DEADLOCK = {"granted": False, "code": "deadlock", "message": "me -> v -> me", "cycle": CYCLE}
OLD = [HELLO, OLD_HELLO]


def locks_of(answers, hello=None, config=None):
    """A LockClient called "me", and a server with locks."""
    said = Hello(("sessions", "locks", "watch")) if hello is None else hello
    server = ScriptedServer(answers, hello=said)
    return server.client(LockClient, config, locker="me"), server


def test_lock_is_granted_with_a_token():
    """Its time counts from before it was asked for, on a clock that goes on evenly."""
    locks, server = locks_of({"lock": GRANTED})
    grant = locks.lock(PATH, 30)
    assert isinstance(grant, Grant)
    assert (grant.paths, grant.token, grant.left, grant.lost) == ((PATH,), 9, 30, False)
    assert server.sent("lock") == [["me", 30, [list(PATH)], {"grant": True}]]
    server.clock.now += 30
    assert grant.lost
    with pytest.raises(LostLock, match="not renewed in time"):
        grant.check()


def test_lock_may_be_asked_for_in_many_ways():
    """Several paths, shared, again by the same locker."""
    locks, server = locks_of({"lock": GRANTED})
    grant = locks.lock([("a", 1), ["b", ("c", 2.5), b"\xff"]], 30, mode="shared", reentrant=True)
    assert grant.paths == (("a", 1), ("b", ("c", 2.5), b"\xff"))
    asked = {"mode": "shared", "reentrant": True, "grant": True}
    assert server.sent("lock")[0][2:] == [[["a", 1], ["b", ("c", 2.5), b"\xff"]], asked]


def test_lock_that_is_not_free_is_none(caplog):
    """Why is logged."""
    locks, _ = locks_of({"lock": LOCKED})
    with caplog.at_level("INFO"):
        assert locks.lock(PATH, 30) is None
    assert "it is v's" in caplog.text


def test_deadlock_is_an_error_with_its_cycle():
    """To ask again would not help."""
    locks, _ = locks_of({"lock": DEADLOCK})
    with pytest.raises(Deadlock, match="me -> v -> me") as caught:
        locks.lock(PATH, 30, wait=60)
    assert [one["waits_for"] for one in caught.value.cycle] == [("a",), ("b",)]


def test_waiting_lock_is_asked_for_on_a_line_of_its_own():
    """The server is told for how long."""
    locks, server = locks_of({"lock": GRANTED, "readlock": ["v"]})
    assert locks.readlock(PATH) == "v"
    assert locks.lock(PATH, 30, wait=60).token == 9
    assert server.sent("lock")[0][3] == {"wait": 60, "grant": True}
    assert len(server.connected) == 2


def test_waiting_lock_is_asked_for_until_the_time_is_over():
    """In slices of a day; then it is refused."""
    locks, server = locks_of({})

    def timeout(params):
        server.clock.now += params[3]["wait"]
        return TIMEOUT

    server.answers["lock"] = timeout
    assert locks.lock(PATH, 30, wait=100_000) is None
    assert [params[3]["wait"] for params in server.sent("lock")] == [86400, 13600]


def test_refusal_that_does_not_pass_is_not_waited_for():
    """Whatever it may be that servers say some day."""
    locks, server = locks_of({"lock": LOCKED | {"code": "forbidden"}})
    with pytest.raises(Exception, match="it is v's"):
        locks.lock(PATH, 30, wait=60)
    assert len(server.sent("lock")) == 1


def test_lock_that_took_long_is_renewed_before_it_counts():
    """Nobody else can say from when on its time runs."""
    locks, server = locks_of({"renew": (True, None)})

    def late(_):
        server.clock.now += 50
        return GRANTED

    server.answers["lock"] = late
    assert locks.lock(PATH, 30, wait=60).left == 30
    assert server.sent("renew") == [["me", 30, [list(PATH)], {"token": 9}]]
    server.answers["renew"] = (False, "it has ended")
    with pytest.raises(LostLock, match="ended before"):
        locks.lock(PATH, 30, wait=60)


def test_some_of_the_locks_are_granted():
    """Those are the grant's paths."""
    answer = {"paths": [["a"], None], "token": 9, "expires": 5.0, "message": "b is v's"}
    locks, server = locks_of({"locksome": answer})
    grant = locks.locksome([("a",), ("b",)], 30)
    assert (grant.paths, grant.token, grant.left) == ((("a",),), 9, 30)
    assert server.sent("locksome") == [["me", 30, [["a"], ["b"]], {"grant": True}]]
    server.answers["locksome"] = {"paths": [None], "token": None, "expires": None}
    assert locks.locksome(("a",), 30) is None
    server.answers["locksome"] = 5
    with pytest.raises(InvalidAnswer, match="locksome"):
        locks.locksome(("a",), 30)


def test_grant_is_renewed_and_given_back():
    """Under its token; the grant takes note."""
    locks, server = locks_of({"lock": GRANTED, "renew": (True, None), "unlock": (True, None)})
    grant = locks.lock(PATH, 30)
    server.clock.now += 20
    assert locks.renew(grant, 40)
    assert grant.left == 40
    assert locks.unlock(grant)
    assert (grant.lost, grant.released) == (False, True)
    with pytest.raises(LostLock, match="given back"):
        grant.check()
    assert server.sent("renew") == [["me", 40, [list(PATH)], {"token": 9}]]
    assert server.sent("unlock") == [["me", [list(PATH)], {"token": 9}]]


def test_grant_that_cannot_be_renewed_is_lost():
    """The server knows."""
    locks, _ = locks_of({"lock": GRANTED, "renew": (False, "forced"), "unlock": (False, "forced")})
    grant = locks.lock(PATH, 30)
    assert not locks.unlock(grant)
    assert not grant.lost
    assert not locks.renew(grant, 30)
    assert grant.lost


def test_locks_are_renewed_and_given_back_by_their_paths():
    """With a token, or without."""
    locks, server = locks_of({"renew": (True, None), "unlock": (True, None)})
    assert locks.renew(PATH, 30)
    assert locks.renew([PATH], 30, token=5, wait=10)
    assert locks.unlock(PATH)
    assert locks.unlock(PATH, 5)
    path = [list(PATH)]
    assert server.sent("renew") == [["me", 30, path], ["me", 30, path, {"token": 5, "wait": 10}]]
    assert server.sent("unlock") == [["me", path], ["me", path, {"token": 5}]]
    with pytest.raises(ProgrammerError, match="wait"):
        locks.renew(PATH, 30, wait=86401)


def test_holders_are_told_of():
    """Of one path, or of several."""
    locks, server = locks_of({"readlock": ["v", None]})
    assert locks.readlock([("a",), ("b",)]) == ["v", None]
    assert server.sent("readlock") == [[[["a"], ["b"]]]]
    assert locks.readlock(PATH) == "v"


def test_locks_are_listed_page_by_page():
    """All of them, or so many."""
    pages = [
        ([{"path": ["a", b"b"], "mode": "shared"}], ["a", "c"]),
        ([{"path": ["a", "c"]}, {"path": ["a", "d"]}], None),
    ]
    locks, server = locks_of({"list_locks": [Turn(page) for page in pages]})
    assert [found["path"] for found in locks.list_locks(("a",))] == [
        ("a", "b"),
        ("a", "c"),
        ("a", "d"),
    ]
    assert server.sent("list_locks") == [
        [{"path": ["a"]}],
        [{"path": ["a"], "start": ["a", "c"]}],
    ]
    server.answers["list_locks"] = pages[0]
    assert len(list(locks.list_locks(limit=1))) == 1
    assert server.sent("list_locks")[-1] == [{"path": [], "limit": 1}]
    assert list(locks.list_locks(limit=0)) == []


def test_locks_are_taken_away():
    """By paths, or all that begin alike."""
    locks, server = locks_of({"force_unlock": 2, "delete_namespace": 3})
    assert locks.force_unlock([("a",), ("b",)]) == 2
    assert locks.force_unlock(("a",), token=5) == 2
    assert locks.delete_namespace("a") == 3
    assert server.sent("force_unlock") == [[[["a"], ["b"]]], [[["a"]], {"token": 5}]]
    assert server.sent("delete_namespace") == [["a"]]


@pytest.mark.parametrize(
    "paths",
    [
        "index",
        (),
        [],
        [()],
        ("a", True),
        ("a", float("nan")),
        ("a", ["b"]),
        ("a", None),
        ("a", (None,)),
        [("a",), "b"],
        {("a",)},
        5,
    ],
)
def test_what_is_no_path_is_refused(paths):
    """Before anything is sent."""
    locks, server = locks_of({})
    for call in (locks.unlock, locks.readlock, locks.force_unlock):
        with pytest.raises(ProgrammerError, match="path"):
            call(paths)
    for call in (locks.lock, locks.locksome, locks.renew, locks.hold):
        with pytest.raises(ProgrammerError, match="path"):
            call(paths, 30)
    assert server.calls == []


@pytest.mark.parametrize("paths", [[("a",), ("a", "b")], [("a",), ("a",)]])
def test_paths_that_are_in_each_other_are_not_locked_together(paths):
    """To look at them, and to lock what of them is free, is another thing."""
    locks, server = locks_of({"readlock": [None, None], "locksome": {"paths": [["a"], None]}})
    for call in (locks.lock, locks.hold):
        with pytest.raises(ProgrammerError, match=r"path \('a',"):
            call(paths, 30)
    assert server.calls == []
    assert locks.readlock(paths) == [None, None]
    assert locks.locksome(paths, 30).paths == (("a",),)


def test_tuple_is_one_path_and_a_list_of_them_several():
    """A list of parts is one, too."""
    assert as_paths(("a", ("b",))) == (("a", ("b",)),)
    assert as_paths((("a",), ("b",))) == ((("a",), ("b",)),)
    assert as_paths(["a", ("b",)]) == (("a", ("b",)),)
    assert as_paths([("a",), ["b"]]) == (("a",), ("b",))
    assert told_path([b"a", b"\xff", 1]) == ("a", b"\xff", 1)


@pytest.mark.parametrize("ttl", [0, -1, "1", True, None, float("nan"), 1_000_001])
def test_time_that_no_server_takes_is_refused(ttl):
    """None of them is changed in silence."""
    locks, server = locks_of({})
    for call in (locks.lock, locks.locksome, locks.renew, locks.hold):
        with pytest.raises(ProgrammerError, match="ttl"):
            call(PATH, ttl)
    assert server.calls == []


def test_unknown_mode_is_refused():
    """There are two."""
    locks, _ = locks_of({})
    with pytest.raises(ProgrammerError, match="'exclusive' or 'shared'"):
        locks.lock(PATH, 30, mode="both")


def test_made_up_locker_is_that_of_one_process(monkeypatch):
    """It names host and process, and stays the same."""
    server = ScriptedServer({})
    locks, other = server.client(LockClient), server.client(LockClient)
    name = locks.locker
    assert str(os.getpid()) in name.split(":")
    assert locks.locker == name != other.locker
    pid = os.getpid() + 1
    monkeypatch.setattr("os.getpid", lambda: pid)
    assert locks.locker != name


def test_made_up_lockers_of_threads_differ():
    """To the server they would be one otherwise, and not wait for each other."""
    locks = ScriptedServer({}).client(LockClient)
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        names = [one.submit(lambda: locks.locker).result() for one in (first, second, first)]
    assert names[0] == names[2] != names[1]
    assert locks.locker not in names


def test_made_up_lockers_of_tasks_differ():
    """The same for the asyncio half."""

    async def work():
        locks = ScriptedServer({}).client(AsyncLockClient)

        async def name():
            return locks.locker, locks.locker

        found = await asyncio.gather(name(), name())
        assert all(one == other for one, other in found)
        assert len({one for one, _ in found} | {locks.locker}) == 3

    asyncio.run(work())


def test_grant_is_that_of_its_locker():
    """Whoever renews it and gives it back."""
    server = ScriptedServer(
        {"lock": GRANTED, "renew": (True, None), "unlock": (True, None)}, hello=Hello(("locks",))
    )
    locks = server.client(LockClient)
    grant = locks.lock(PATH, 30)
    with ThreadPoolExecutor(1) as other:
        assert other.submit(locks.renew, grant, 30).result()
        assert other.submit(locks.unlock, grant).result()
    names = [server.sent(method)[0][0] for method in ("lock", "renew", "unlock")]
    assert names == [grant.locker] * 3


@pytest.mark.parametrize("hello", OLD)
def test_older_server_locks_by_pairs(hello):
    """There is no token, and no option is sent."""
    answers = {"lock": (True, None), "renew": (True, None), "unlock": (True, None)}
    locks, server = locks_of(answers | {"locksome": ([["a"], None], "b is v's")}, hello)
    grant = locks.lock(PATH, 30)
    assert (grant.token, grant.left) == (None, 30)
    assert locks.renew(grant, 40)
    assert locks.unlock(grant)
    assert locks.locksome([("a",), ("b",)], 30).paths == (("a",),)
    path = [list(PATH)]
    assert server.sent("lock") == [["me", 30, path]]
    assert server.sent("renew") == [["me", 40, path]]
    assert server.sent("unlock") == [["me", path]]
    assert server.sent("locksome") == [["me", 30, [["a"], ["b"]]]]


@pytest.mark.parametrize("hello", OLD)
def test_older_server_is_polled_for_locks(hello):
    """Until they are free, or the time is over."""
    answers = {"lock": [Turn((False, "locked")), Turn((False, "locked")), Turn((True, None))]}
    locks, server = locks_of(answers, hello)
    assert locks.lock(PATH, 30, wait=60).token is None
    assert server.pauses == [1.0, 1.0]
    server.answers["lock"] = (False, "locked")
    assert locks.lock(PATH, 30, wait=1.5) is None
    assert server.pauses[2:] == [1.0, 0.5]


@pytest.mark.parametrize("hello", OLD)
def test_what_came_later_needs_a_server_that_knows_it(hello):
    """An older one would ignore it, or does not have it; it is not asked."""
    missing = RpcError("m", "No such method")
    locks, server = locks_of({"list_locks": missing, "force_unlock": missing}, hello)
    for call in (
        lambda: locks.lock(PATH, 30, mode="shared"),
        lambda: locks.locksome(PATH, 30, reentrant=True),
        lambda: locks.renew(PATH, 30, token=5),
        lambda: locks.renew(PATH, 30, wait=5),
        lambda: locks.unlock(PATH, 5),
        lambda: list(locks.list_locks()),
        lambda: locks.force_unlock(PATH),
    ):
        with pytest.raises(Unsupported):
            call()
    assert not {"lock", "locksome", "renew", "unlock"} & {method for method, _ in server.calls}


def test_server_without_any_locks_is_unsupported():
    """As that of 0.1.5 itself."""
    error = AttributeError("AttributeError(\"'X' object has no attribute 'lock'\",)")
    locks, _ = locks_of({"lock": error}, OLD_HELLO)
    with pytest.raises(Unsupported):
        locks.lock(PATH, 30)


def test_answer_in_no_known_form_is_refused():
    """A map or a pair it has to be."""
    locks, _ = locks_of({"lock": 5})
    with pytest.raises(InvalidAnswer, match="lock was answered"):
        locks.lock(PATH, 30)


def test_error_of_the_server_is_an_error():
    """And no refusal."""
    locks, _ = locks_of({"lock": Fail("a path should be an array", "bad")})
    with pytest.raises(RpcError, match="a path"):
        locks.lock(PATH, 30)
