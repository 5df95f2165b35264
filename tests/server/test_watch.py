"""The change feed: what has happened since a position, now or as soon as it does."""

import pytest

from coordinate_protocol.messages import Failure
from coordinate_server.model.feed import REMEMBERED
from tests.server.house import House, result_of

UNITS = {"work_spec_name": "s"}
SPECS = {"specs": True}


@pytest.fixture
def house():
    return House()


@pytest.fixture
def client(house):
    """A client of a server with one spec."""
    client = house.client(protocol=[1])
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    return client


def position(client, *topics):
    """Where the feed stands, before anything has been watched."""
    found = client.call("watch", list(topics))
    assert (found["reset"], found["changes"]) == (False, [])
    return found["position"]


def unit(key, status, attempt=0):
    return {
        "kind": "unit",
        "work_spec_name": "s",
        "work_unit_key": key,
        "status": status,
        "attempt": attempt,
    }


def test_a_change_is_told_to_who_asks_later(client):
    """From the position that was given before, once."""
    before = position(client, UNITS)
    client.call("add_work_units", "s", [("a", {})])
    found = client.call("watch", [UNITS], {"after": before})
    assert found["changes"] == [unit("a", 1)]
    assert client.call("watch", [UNITS], {"after": found["position"]})["changes"] == []


def test_a_change_is_told_at_once_to_who_waits(house, client):
    """In the answer to the call that has waited for it."""
    before = position(client, UNITS)
    _, results = house.client(protocol=[1]).later("watch", [UNITS], {"after": before, "wait": 60})
    house.move(30)
    assert results == []
    client.call("add_work_units", "s", [("a", {})])
    assert result_of(results[0])["changes"] == [unit("a", 1)]


def test_what_is_told_is_committed(house, client):
    """Nobody hears of what might not be there after a restart."""
    before = position(client, UNITS)
    waiting, _ = client.later("watch", [UNITS], {"after": before, "wait": 60})
    sent: list = []
    # What the network does with an answer that comes: it leaves with the next commit.
    waiting.then(lambda answer: house.backend.after_commit(lambda: sent.append(answer)))
    house.store.failing = True
    client.answer("add_work_units", "s", [("a", {})])
    house.committer.request_flush()
    house.loop.settle()
    assert house.failures
    assert sent == []


def test_who_watches_sees_what_those_who_wait_for_work_got(house, client):
    """A unit that is handed out as it comes is told once, as pending."""
    before = position(client, UNITS)
    house.client().later("get_work", "w", {"wait": 60})
    _, results = house.client(protocol=[1]).later("watch", [UNITS], {"after": before, "wait": 60})
    client.call("add_work_units", "s", [("a", {})])
    (change,) = result_of(results[0])["changes"]
    assert (change["status"], change["attempt"] > 0) == (3, True)


def test_each_thing_is_told_once_with_its_newest_state(client):
    """In the order in which they changed last."""
    before = position(client, UNITS)
    client.call("add_work_units", "s", [("a", {}), ("b", {})])
    client.call("update_work_unit", "s", "a", {"status": 4})
    found = client.call("watch", [UNITS], {"after": before})
    assert found["changes"] == [unit("b", 1), unit("a", 4)]


def test_all_is_told_in_pages(client):
    """What does not fit into one answer is in the next ones."""
    after = position(client, UNITS)
    client.call("add_work_units", "s", [(f"{number:02}", {}) for number in range(25)])
    told: list = []
    for _ in range(3):
        found = client.call("watch", [UNITS], {"after": after, "limit": 10})
        told += [change["work_unit_key"] for change in found["changes"]]
        after = found["position"]
    assert told == [f"{number:02}" for number in range(25)]


def test_only_what_is_watched_is_told(house, client):
    """Other specs' units wake nobody."""
    client.call("set_work_spec", {"name": "t", "min_gb": 1})
    before = position(client, UNITS)
    _, results = house.client().later("watch", [UNITS], {"after": before, "wait": 60})
    client.call("add_work_units", "t", [("x", {})])
    client.call("set_work_spec", {"name": "u", "min_gb": 1})
    assert results == []
    client.call("add_work_units", "s", [("a", {})])
    assert result_of(results[0])["changes"] == [unit("a", 1)]


def test_specs_are_told_as_they_come_change_and_go(client):
    """What is gone is told as that."""
    before = position(client, SPECS)
    client.call("set_work_spec", {"name": "t", "min_gb": 1})
    client.call("control_work_spec", "s", {"weight": 3})
    client.call("del_work_spec", "t")
    found = client.call("watch", [SPECS], {"after": before})
    assert found["changes"] == [
        {"kind": "spec", "work_spec_name": "s", "gone": False},
        {"kind": "spec", "work_spec_name": "t", "gone": True},
    ]


def test_a_deleted_unit_is_told_as_gone(client):
    """Its status is null."""
    client.call("add_work_units", "s", [("a", {}), ("b", {})])
    before = position(client, UNITS)
    client.call("del_work_units", "s", {"work_unit_keys": ["a"]})
    assert client.call("watch", [UNITS], {"after": before})["changes"] == [unit("a", None)]


def test_all_units_gone_at_once_is_a_reset(house, client):
    """It may be millions: who watches reads anew."""
    client.call("add_work_units", "s", [("a", {})])
    before = position(client, UNITS)
    _, results = house.client().later("watch", [UNITS], {"after": before, "wait": 60})
    client.call("del_work_units", "s", {"all": True})
    found = result_of(results[0])
    assert (found["reset"], found["changes"]) == (True, [])
    assert found["position"] > before


def test_new_data_are_a_change(client):
    """Though the status is what it was."""
    client.call("add_work_units", "s", [("a", {})])
    before = position(client, UNITS)
    client.call("update_work_unit", "s", "a", {"data": {"n": 1}})
    assert client.call("watch", [UNITS], {"after": before})["changes"] == [unit("a", 1)]


def test_a_wait_that_is_over_tells_nothing(house, client):
    """And where to go on from."""
    before = position(client, UNITS)
    _, results = house.client().later("watch", [UNITS], {"after": before, "wait": 5})
    client.call("set_work_spec", {"name": "t", "min_gb": 1})
    house.move(5.1)
    found = result_of(results[0])
    assert (found["reset"], found["changes"]) == (False, [])
    assert found["position"] > before


def test_too_much_is_a_reset(client):
    """What is not remembered cannot be told, and that is told."""
    before = position(client, UNITS)
    for _ in range(REMEMBERED // 10_000 + 1):
        client.call("add_work_units", "s", [(f"{number}", {}) for number in range(10_000)])
    assert client.call("watch", [UNITS], {"after": before})["reset"] is True


def test_a_restart_is_a_reset(house, client):
    """Positions go on growing, and none of before is taken for one of now."""
    before = position(client, UNITS)
    client.call("add_work_units", "s", [("a", {})])
    house.clock.move(1)
    other = house.restarted().client(protocol=[1])
    found = other.call("watch", [UNITS], {"after": before})
    assert found["reset"] is True
    assert found["position"] > before


def test_a_position_that_was_never_given_is_a_reset(client):
    """Of the future, or of another server."""
    before = position(client, UNITS)
    for after in (0, before + 10):
        assert client.call("watch", [UNITS], {"after": after})["reset"] is True


def test_nothing_is_remembered_when_nobody_watches(house, client):
    """Who comes back after ten minutes reads everything anew."""
    before = position(client, UNITS)
    house.move(601)
    client.call("add_work_units", "s", [("a", {})])
    feed = house.model.namespace("default").feed
    assert not feed.on
    assert client.call("watch", [UNITS], {"after": before})["reset"] is True


def test_a_watch_of_another_namespace_sees_nothing_of_this_one(house, client):
    """They share nothing."""
    other = house.client(namespace="n")
    before = position(other, UNITS)
    client.call("add_work_units", "s", [("a", {})])
    assert other.call("watch", [UNITS], {"after": before})["changes"] == []


def test_who_has_gone_is_forgotten(house, client):
    """Nothing is kept of a watch whose connection was closed."""
    before = position(client, UNITS)
    waiting, results = house.client().later("watch", [UNITS], {"after": before, "wait": 60})
    waiting.abandon()
    client.call("add_work_units", "s", [("a", {})])
    assert results == []
    assert house.loop.timers == 0


@pytest.mark.parametrize(
    "params",
    [
        ([],),
        ("s",),
        ([{}],),
        ([{"specs": False}],),
        ([{"specs": True, "path": []}],),
        ([{"path": "a"}],),
        ([{"path": [True]}],),
        ([{"path": [1.5, float("nan")]}],),
        ([UNITS] * 101,),
        ([UNITS], {"after": "x"}),
        ([UNITS], {"after": -1}),
        ([UNITS], {"wait": 86401}),
        ([UNITS], {"limit": 0}),
        ([UNITS], {"unknown": 1}),
    ],
)
def test_what_cannot_be_watched_is_refused(client, params):
    """With a sentence that says what can."""
    answer = client.answer("watch", *params)
    assert isinstance(answer, Failure)
    assert answer.message
