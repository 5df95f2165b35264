"""The change feed, over a scripted server."""

import asyncio

import pytest

from coordinate_client import (
    AsyncTaskMaster,
    Changes,
    InvalidAnswer,
    LockClient,
    ProgrammerError,
    TaskMaster,
    Unsupported,
)
from tests.client.scripted import HELLO, OLD_HELLO, Hello, ScriptedServer, Turn

SPEC = {"kind": "spec", "work_spec_name": "s", "gone": False}
LOCK = {"kind": "lock", "path": ["a", ("b", 1)], "locker_id": "v", "token": 9}
NOTHING: dict = {"position": 5, "reset": False, "changes": []}
SOMETHING = {"position": 7, "reset": False, "changes": [SPEC, LOCK]}
RESET: dict = {"position": 9, "reset": True, "changes": []}


def master_of(answers, hello=None, kind=TaskMaster):
    """A TaskMaster, and a server with a change feed."""
    said = Hello(("sessions", "watch")) if hello is None else hello
    server = ScriptedServer(answers, hello=said)
    return server.client(kind), server


def test_present_position_is_told():
    """With no changes, and without waiting for any."""
    master, server = master_of({"watch": NOTHING})
    assert master.watch({"specs": True}, wait=60) == Changes(5, reset=False, changes=())
    assert server.sent("watch") == [[[{"specs": True}], {}]]


def test_changes_after_a_position_are_told():
    """Paths in them are such as locks are asked for."""
    master, server = master_of({"watch": SOMETHING})
    found = master.watch([{"work_spec_name": "s"}, {"path": ("a", 1)}], 5, limit=10)
    assert (found.position, found.changes) == (7, (SPEC, LOCK | {"path": ("a", ("b", 1))}))
    topics = [{"work_spec_name": "s"}, {"path": ["a", 1]}]
    assert server.sent("watch") == [[topics, {"after": 5, "limit": 10}]]


def test_changes_are_waited_for():
    """On a line of its own, without a number: it changes nothing."""
    master, server = master_of({"watch": SOMETHING, "worker_stats": {}})
    master._rpc("worker_stats")
    assert master.watch({"path": ()}, 5, wait=60)
    assert server.sent("watch") == [[[{"path": []}], {"after": 5, "wait": 60}]]
    assert len(server.connected) == 2


def test_wait_for_changes_ends_with_its_time():
    """In slices of a day."""
    master, server = master_of({})

    def nothing(params):
        server.clock.now += params[1]["wait"]
        return NOTHING

    server.answers["watch"] = nothing
    assert not master.watch({"specs": True}, 5, wait=100_000)
    assert [params[1]["wait"] for params in server.sent("watch")] == [86400, 13600]


def test_changes_are_followed():
    """At first everything is to be read; nothing at all is never told."""
    answers = [NOTHING, SOMETHING, NOTHING | {"position": 8}, RESET, SOMETHING | {"position": 11}]
    master, server = master_of({"watch": [Turn(answer) for answer in answers]})
    found = []
    for changes in master.iter_changes({"specs": True}, limit=3):
        found.append((changes.position, changes.reset, len(changes.changes)))
        if changes.position == 11:
            break
    assert found == [(5, True, 0), (7, False, 2), (9, True, 0), (11, False, 2)]
    assert [params[1].get("after") for params in server.sent("watch")] == [None, 5, 7, 8, 9]
    assert server.sent("watch")[1][1] == {"after": 5, "wait": 86400, "limit": 3}


def test_changes_are_followed_from_a_position():
    """Then there is no beginning to make."""
    master, server = master_of({"watch": SOMETHING})
    assert next(iter(master.iter_changes({"specs": True}, after=3))).position == 7
    assert server.sent("watch")[0][1]["after"] == 3


def test_asyncio_half_follows_changes():
    """In an asynchronous loop."""

    async def work():
        master, _ = master_of({"watch": [Turn(NOTHING), Turn(SOMETHING)]}, kind=AsyncTaskMaster)
        positions = []
        async for changes in master.iter_changes({"specs": True}):
            positions.append(changes.position)
            if len(positions) == 2:
                break
        assert positions == [5, 7]

    asyncio.run(work())


@pytest.mark.parametrize(
    "topics", ["specs", [5], [{}], [{"specs": True, "path": ()}], {"path": "a"}]
)
def test_what_is_no_topic_is_refused(topics):
    """Before anything is sent."""
    master, server = master_of({})
    with pytest.raises(ProgrammerError):
        master.watch(topics)
    assert server.calls == []


@pytest.mark.parametrize("answer", [None, (5, None), {"position": 5}, {"changes": []}])
def test_answer_in_no_known_form_is_refused(answer):
    """It is the server's error."""
    master, _ = master_of({"watch": answer})
    with pytest.raises(InvalidAnswer, match="watch"):
        master.watch({"specs": True})


def test_locks_are_watched_by_those_who_lock():
    """With the same methods."""
    server = ScriptedServer({"watch": SOMETHING}, hello=Hello(("watch",)))
    assert server.client(LockClient).watch({"path": ("a",)}, 5).position == 7


def test_older_server_tells_no_changes():
    """It is not polled: there is nothing to ask for."""
    master, server = master_of({}, OLD_HELLO)
    with pytest.raises(Unsupported, match=r"0\.1\.5"):
        master.watch({"specs": True}, 5, wait=60)
    assert server.sent("watch") == []
    master, _ = master_of({"watch": Exception("No such method")}, HELLO)
    with pytest.raises(Unsupported):
        next(iter(master.iter_changes({"specs": True})))
