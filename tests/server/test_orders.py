"""Orders: what is asked of workers, and how they are told."""

import pytest

from coordinate_protocol.messages import Failure
from coordinate_server.model.settings import ModelSettings
from tests.server.house import House, result_of

NOTHING = {"position": b"", "mode": "RUN", "cancel": []}


@pytest.fixture
def house():
    return House()


@pytest.fixture
def client(house):
    """A client of a server with one spec, whose units are tried again."""
    client = house.client(protocol=[1])
    client.call("set_work_spec", {"name": "s", "min_gb": 1, "max_retries": 9})
    return client


def beat(client, worker="w", data=None, parent=None, **options):
    """What a heartbeat is answered with; its orders where it asks for them."""
    said = ("RUN", 300, data, parent)
    if not options:
        return client.call("worker_heartbeat", worker, *said)
    done, message, orders = client.call(
        "worker_heartbeat", worker, *said, {"orders": True} | options
    )
    assert (done, message) == (True, None)
    return orders


def orders(client, worker="w", **options):
    """What is asked of a worker now."""
    return beat(client, worker, children=[], **options)


def wait(house, worker="w", seconds=60, **options):
    """Have a worker wait for other orders than none."""
    told = {"orders": True, "seen": b"", "wait": seconds} | options
    other = house.client(protocol=[1])
    return other.later("worker_heartbeat", worker, "RUN", 300, None, None, told)


def told(results):
    """The orders that a worker got which waited."""
    (answer,) = results
    return result_of(answer)[2]


def status(client, key="a"):
    """What state a unit is in."""
    ((found,), _) = client.call("get_work_unit_status", "s", [key])
    return found


def take(client, worker="w", key="a"):
    """Have a worker get a unit; gives its attempt."""
    client.call("add_work_units", "s", [(key, {"n": 1})])
    (found, _) = client.call("get_work", worker, {"available_gb": 1, "attempts": True})
    assert found[1] == key
    return found[3]["attempt"]


# ---- heartbeats ----


def test_a_heartbeat_without_options_is_answered_as_ever(client):
    """A pair."""
    assert beat(client) == (True, None)


def test_nothing_is_asked_of_a_worker_at_first(client):
    """It is to run."""
    assert orders(client) == NOTHING


def test_a_worker_that_waits_is_told_of_a_unit_to_end(house, client):
    """At once, by spec, key, attempt and reason."""
    attempt = take(client)
    _, results = wait(house)
    house.move(10)
    assert results == []
    assert client.call("cancel_work_units", "s", ["a"], {"reason": "why"}) == (["asked"], None)
    assert told(results)["cancel"] == [("s", "a", attempt, "cancelled: why")]
    assert house.loop.timers == 0


def test_a_wait_ends_with_the_same_orders(house):
    """When its time is over."""
    _, results = wait(house, seconds=30)
    house.move(29)
    assert results == []
    house.move(1)
    assert told(results) == NOTHING


def test_a_heartbeat_counts_before_it_is_answered(house, client):
    """The worker is there while it waits."""
    wait(house)
    assert client.call("list_worker_modes") == ({"w": "RUN"}, None)


def test_who_follows_other_orders_is_told_at_once(client):
    """There is nothing to wait for."""
    client.call("set_mode", "IDLE", {"all": True})
    found = orders(client, seen=b"", wait=60)
    assert found["mode"] == "IDLE"
    assert found["position"]


def test_the_same_orders_have_the_same_position_after_a_restart(house, client):
    """So a worker need not be told again."""
    beat(client)
    client.call("set_mode", "IDLE", {"worker_ids": ["w"]})
    before = orders(client)
    assert orders(house.restarted().client(protocol=[1])) == before


def test_who_goes_away_waits_no_more(house):
    """Nothing is left of it."""
    waiting, _ = wait(house)
    waiting.abandon()
    assert house.loop.timers == 0
    house.move(100)


def test_renewing_a_lease_is_no_news(house, client):
    """Orders are the same, in whatever order units were renewed."""
    attempts = {key: take(client, key=key) for key in "ab"}
    client.call("cancel_work_units", "s", ["a", "b"])
    before = orders(client)
    _, results = wait(house, seen=before["position"])
    options = {"lease_time": 60, "worker_id": "w", "attempt": attempts["a"]}
    client.call("update_work_unit", "s", "a", options)
    assert results == []
    assert orders(client) == before


def test_a_parent_is_told_what_its_children_are_to_end(house, client):
    """Those that registered with it, and those that it names."""
    beat(client, "c", parent="p")
    first = take(client, "c")
    _, results = wait(house, "p")
    client.call("cancel_work_units", "s", ["a"])
    assert told(results)["cancel"] == [("s", "a", first, "cancelled")]
    second = take(client, "d", "b")
    _, results = wait(house, "q", children=["d"])
    client.call("cancel_work_units", "s", ["b"])
    assert told(results)["cancel"] == [("s", "b", second, "cancelled")]


def test_a_heartbeat_keeps_children_there(house, client):
    """Those that are known; nobody is made of the others."""
    beat(client, "c", parent="p")
    house.move(200)
    beat(client, "p", children=["c", "unknown"])
    house.move(200)
    assert client.call("list_worker_modes")[0] == {"c": "RUN", "p": "RUN"}
    house.move(101)
    assert client.call("list_worker_modes")[0] == {}


def test_packages_are_asked_for_until_they_are_told(house, client):
    """By the orders of those that are meant."""
    beat(client)
    _, results = wait(house)
    assert client.call("request_packages", ["w", "unknown"]) == (1, None)
    assert told(results)["packages"] is True
    assert orders(client)["packages"] is True
    assert orders(client, data={"pid": 7, "packages": {"cbor2": "5.6"}}) == NOTHING
    beat(client, data={"pid": 8})
    found, _ = client.call("get_worker_info", "w")
    assert found == {"pid": 8, "packages": {"cbor2": "5.6"}, "age_seconds": 0.0}
    assert client.call("list_workers")[0][0]["data"] == {"pid": 8}


@pytest.mark.parametrize(
    "options, says",
    [
        ({"more": 1}, "unknown option 'more'"),
        ({"wait": -1}, "out of the range"),
        ({"children": "c"}, "children should be an array"),
        ({"children": ["c"] * 10_001}, "children should be at most 10000 names"),
    ],
)
def test_a_heartbeat_with_wrong_options_is_refused(client, options, says):
    """And says what is wrong."""
    answer = client.answer("worker_heartbeat", "w", "RUN", 300, None, None, options)
    assert isinstance(answer, Failure)
    assert says in answer.message
    assert client.call("list_worker_modes")[0] == {}


# ---- modes ----


def modes(client):
    return client.call("list_asked_modes")[0]


def asked(client, worker="w"):
    return orders(client, worker)["mode"]


def test_what_is_asked_of_fewer_counts_first(client):
    """The worker before its parent, that before its host, that before everyone."""
    client.call("worker_heartbeat", "p", "RUN", 300, {"host": "h"}, None)
    client.call("worker_heartbeat", "c", "RUN", 300, {"hostname": "h"}, "p")

    def mode():
        (found,), _ = client.call("list_workers", {"worker_ids": ["c"]})
        return found["asked"]

    assert client.call("set_mode", "TERMINATE", {"all": True}) == (2, None)
    assert mode() == "TERMINATE"
    assert client.call("set_mode", "IDLE", {"hosts": ["h"]}) == (2, None)
    assert mode() == "IDLE"
    assert client.call("set_mode", "RUN", {"worker_ids": ["p"]}) == (2, None)
    assert mode() == "RUN"
    assert client.call("set_mode", "TERMINATE", {"worker_ids": ["c"]}) == (1, None)
    assert mode() == "TERMINATE"


def test_run_takes_back_what_was_asked(client):
    """And exceptions from it go, too."""
    beat(client)
    client.call("set_mode", "IDLE", {"all": True})
    client.call("set_mode", "RUN", {"worker_ids": ["w"], "hosts": ["h"]})
    assert modes(client) == {"all": "IDLE", "hosts": {"h": "RUN"}, "workers": {"w": "RUN"}}
    client.call("set_mode", "RUN", {"all": True})
    assert modes(client) == {"all": None, "hosts": {}, "workers": {}}


def test_a_drained_host_stays_so_after_a_restart(house, client):
    """Also for workers that have not been heard of since."""
    client.call("worker_heartbeat", "w", "RUN", 300, {"host": "h"}, None)
    client.call("set_mode", "IDLE", {"hosts": ["h"]})
    client.call("add_work_units", "s", [("a", {})])
    other = house.restarted().client(protocol=[1])
    assert other.call("get_work", "w", {"available_gb": 1})[0] == (None, None, None)
    assert modes(other) == {"all": None, "hosts": {"h": "IDLE"}, "workers": {}}
    assert other.call("get_work", "elsewhere", {"available_gb": 1})[0][1] == "a"


def test_what_is_asked_of_a_worker_goes_with_it(client):
    """One of the same name later is another."""
    beat(client)
    client.call("set_mode", "TERMINATE", {"worker_ids": ["w", "unknown"]})
    assert modes(client)["workers"] == {"w": "TERMINATE"}
    client.call("worker_unregister", "w")
    assert modes(client)["workers"] == {}


def test_a_worker_that_is_told_to_rest_gets_nothing(client):
    """Neither by asking nor with what it says of its units."""
    attempt = take(client)
    client.call("add_work_units", "s", [("b", {})])
    client.call("set_mode", "IDLE", {"all": True})
    assert client.call("get_work", "w", {"available_gb": 1})[0] == (None, None, None)
    update = ("s", "a", {"status": 4, "worker_id": "w", "attempt": attempt})
    _, units, _ = client.call(
        "update_work_units", [update], {"get_work": {"worker_id": "w", "available_gb": 1}}
    )
    assert units == []
    text = client.call("explain_worker", "w")[0]["text"]
    assert text == "it is told to take no work: IDLE is asked of it, its host or everyone"


def test_explanations_say_that_nobody_takes_work(client):
    """Where all workers rest, and that a unit is to end."""
    client.call("add_work_units", "s", [("b", {})])
    for worker in "wv":
        beat(client, worker)
    client.call("set_mode", "IDLE", {"worker_ids": ["w"]})
    assert client.call("explain_work_spec", "s")[0]["reasons"][0]["code"] == "runs_next"
    client.call("set_mode", "TERMINATE", {"worker_ids": ["v"]})
    told = client.call("explain_work_unit", "s", "b")[0]
    assert told["text"] == "all 2 workers are told to take no work"
    assert told["reasons"][0]["code"] == "told_to_rest"
    client.call("set_mode", "RUN", {"worker_ids": ["v"]})
    client.call("get_work", "v", {"available_gb": 1})
    client.call("cancel_work_units", "s", ["b"])
    text = client.call("explain_work_unit", "s", "b")[0]["text"]
    assert text.endswith("for another 300 s, and is to end it: cancelled")


def test_those_who_rest_keep_nobody_from_work(house, client):
    """Whoever waits behind them and asks alike gets it; and they, once they are to run again."""
    beat(client)
    options = {"available_gb": 1, "wait": 60}
    _, first = house.client(protocol=[1]).later("get_work", "w", options)
    _, second = house.client(protocol=[1]).later("get_work", "v", options)
    client.call("set_mode", "IDLE", {"worker_ids": ["w"]})
    client.call("add_work_units", "s", [("a", {})])
    assert (len(first), len(second)) == (0, 1)
    client.call("add_work_units", "s", [("b", {})])
    assert first == []
    client.call("set_mode", "RUN", {"worker_ids": ["w"]})
    assert len(first) == 1


def test_a_wrong_mode_is_refused(client):
    """And so is a mode for nobody."""
    answer = client.answer("set_mode", "SLEEP", {"all": True})
    assert "mode 'SLEEP' is none of RUN, IDLE, TERMINATE" in answer.message
    answer = client.answer("set_mode", "IDLE", {})
    assert "needs one of the options worker_ids, hosts, all" in answer.message


# ---- cancelling ----


def test_a_unit_that_nobody_has_is_failed_at_once(client):
    """With the reason, also as its traceback, and no retry."""
    client.call("add_work_units", "s", [("a", {"n": 1}), ("b", {}, {"delay": 60})])
    keys = ["a", "b", "x"]
    found = client.call("cancel_work_units", "s", keys, {"reason": "no more"})
    assert found == (["cancelled", "cancelled", "unknown"], None)
    told = status(client)
    assert (told["status"], told["reason"]) == (5, "cancelled: no more")
    assert told["traceback"] == "cancelled: no more"
    assert client.call("cancel_work_units", "s", ["a"]) == (["ended"], None)


def test_cancelling_units_of_no_spec_says_so(client):
    """As other operations do."""
    assert client.call("cancel_work_units", "t", ["a"]) == (None, "no such work_spec 't'")


@pytest.mark.parametrize(
    "options",
    [{"status": 5}, {"lease_time": -1}, {"status": 1}],
    ids=["failed", "given back", "released"],
)
def test_a_cancelled_unit_is_not_tried_again_however_it_ends(house, client, options):
    """Also after a restart."""
    attempt = take(client)
    client.call("cancel_work_units", "s", ["a"])
    client = house.restarted().client(protocol=[1])
    assert orders(client)["cancel"] == [("s", "a", attempt, "cancelled")]
    options = options | {"worker_id": "w", "attempt": attempt}
    assert client.call("update_work_unit", "s", "a", options)[0] is True
    told = status(client)
    assert (told["status"], told["reason"]) == (5, "cancelled")
    assert orders(client) == NOTHING


def test_a_cancelled_unit_whose_lease_ends_fails(house, client):
    """Its worker is gone, and nobody else is to have it."""
    take(client)
    client.call("cancel_work_units", "s", ["a"])
    house.move(301)
    assert (status(client)["status"], status(client)["reason"]) == (5, "cancelled")
    ((attempt,), _) = client.call("get_work_unit_attempts", "s", "a")
    assert attempt["outcome"] == "lost"


def test_a_unit_that_is_finished_all_the_same_is_finished(client):
    """Its worker was faster."""
    attempt = take(client)
    client.call("cancel_work_units", "s", ["a"])
    client.call("update_work_unit", "s", "a", {"status": 4, "worker_id": "w", "attempt": attempt})
    assert status(client)["status"] == 4
    assert "reason" not in status(client)


def test_a_retry_takes_the_request_back(client):
    """The unit runs, and may be given back as any other."""
    take(client)
    client.call("cancel_work_units", "s", ["a"])
    client.call("update_work_unit", "s", "a", {"status": 1})
    assert orders(client) == NOTHING
    found, _ = client.call("get_work", "w", {"available_gb": 1, "attempts": True})
    options = {"lease_time": -1, "worker_id": "w", "attempt": found[3]["attempt"]}
    client.call("update_work_unit", "s", "a", options)
    assert status(client)["status"] == 1


def test_cancelling_now_takes_the_unit_away(client):
    """Its worker has it no more, whatever it says."""
    attempt = take(client)
    assert client.call("cancel_work_units", "s", ["a"], {"now": True}) == (["cancelled"], None)
    for told in (4, 5):
        options = {"status": told, "worker_id": "w", "attempt": attempt}
        ((result,), *_) = client.call("update_work_units", [("s", "a", options)])
        assert result["code"] == "lost_lease"
    assert (status(client)["status"], status(client)["reason"]) == (5, "cancelled")
    ((kept,), _) = client.call("get_work_unit_attempts", "s", "a")
    assert kept["outcome"] == "cancelled"


def test_what_needs_a_cancelled_unit_fails_with_it(client):
    """As with any unit that failed."""
    client.call("add_work_units", "s", [("a", {}), ("b", {}, {"depends_on": ["a"]})])
    client.call("cancel_work_units", "s", ["a"])
    assert (status(client, "b")["status"], status(client, "b")["reason"][:5]) == (5, "needs")


def test_data_that_are_no_map_or_would_be_too_large_stay():
    """The reason is in the status all the same."""
    client = House(settings=ModelSettings(unit_data_bytes=100)).client(protocol=[1])
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    units = {"a": [1, 2], "b": {"n": "x" * 90}}
    client.call("add_work_units", "s", list(units.items()))
    client.call("cancel_work_units", "s", ["a", "b"])
    found, _ = client.call("get_work_units", "s", {"work_unit_keys": ["a", "b"]})
    assert dict(found) == units
    assert status(client, "b")["reason"] == "cancelled"


def test_a_cancelled_unit_keeps_its_request_while_it_runs(client):
    """It is shown with the worker."""
    take(client)
    client.call("cancel_work_units", "s", ["a"], {"reason": "why"})
    beat(client)
    ((worker,), _) = client.call("list_workers")
    assert worker["units"][0]["cancel"] == "cancelled: why"


# ---- workers ----


def test_the_units_of_a_released_worker_are_there_at_once(client):
    """Those that may have ended it have lost a lease."""
    client.call("set_work_spec", {"name": "s", "min_gb": 1, "max_lost_leases": 1})
    take(client)
    take(client, key="b")
    beat(client)
    options = {"release": True, "lost": [("s", "a"), ("s", "unknown")]}
    assert client.call("worker_unregister", "w", options) == (True, None)
    assert (status(client)["status"], status(client, "b")["status"]) == (5, 1)
    assert status(client)["lost_leases"] == 1
    assert client.call("worker_unregister", "w", options) == (False, "no worker 'w'")


def test_a_worker_that_only_goes_keeps_its_units(client):
    """Until their leases end, as ever."""
    take(client)
    beat(client)
    assert client.call("worker_unregister", "w") == (True, None)
    assert status(client)["status"] == 3


def test_workers_are_listed_in_pages_with_what_they_have(house, client):
    """By name, of a host, or those that are named."""
    for name, host in (("a", "h1"), ("b", "h2"), ("c", "h1")):
        client.call("worker_heartbeat", name, "RUN", 300, {"hostname": host}, None)
    attempt = take(client, "a", "k")
    house.move(2)
    page, following = client.call("list_workers", {"limit": 1})
    assert page == [
        {
            "worker_id": "a",
            "mode": "RUN",
            "asked": "RUN",
            "age_seconds": 2.0,
            "data": {"hostname": "h1"},
            "units": [
                {
                    "work_spec_name": "s",
                    "work_unit_key": "k",
                    "attempt": attempt,
                    "lease_left": 298.0,
                    "since": 2.0,
                }
            ],
            "units_count": 1,
            "host": "h1",
            "expires_in": 298.0,
        }
    ]
    assert following == "b"
    page, following = client.call("list_workers", {"host": "h1", "start": "b"})
    assert ([worker["worker_id"] for worker in page], following) == (["c"], None)
    page, _ = client.call("list_workers", {"worker_ids": ["b", "unknown"]})
    assert [worker["worker_id"] for worker in page] == ["b"]


# ---- many at once ----


def test_a_worker_is_told_of_a_thousand_units_at_once(client):
    """And of the others when these have ended."""
    keys = [f"{number:04}" for number in range(1001)]
    client.call("add_work_units", "s", [(key, {}) for key in keys])
    options = {"available_gb": 1, "max_jobs": 2000, "attempts": True}
    found, _ = client.call("get_work", "w", options)
    assert client.call("cancel_work_units", "s", keys)[0] == ["asked"] * 1001
    first = orders(client)
    assert [order[1] for order in first["cancel"]] == keys[:1000]
    failed = {"status": 5, "worker_id": "w", "attempt": found[0][3]["attempt"]}
    client.call("update_work_unit", "s", keys[0], failed)
    second = orders(client)
    assert [order[1] for order in second["cancel"]] == keys[1:]
    assert second["position"] != first["position"]


def test_everybody_looks_again_when_more_workers_are_told_than_are_noted(house, client):
    """Those of whom nothing else is asked wait on."""
    workers = [f"w{number}" for number in range(1200)]
    client.call("add_work_units", "s", [(worker, {}) for worker in workers])
    for worker in workers:
        client.call("get_work", worker, {"available_gb": 1})
    _, told_first = wait(house, "w0")
    _, told_last = wait(house, "w1199")
    _, other = wait(house, "somebody")
    client.call("cancel_work_units", "s", workers)
    assert (len(told_first), len(told_last), len(other)) == (1, 1, 0)


@pytest.mark.parametrize(
    "call, says",
    [
        (("cancel_work_units", "s", ["a"] * 10_001), "work_unit_keys should be at most 10000"),
        (("set_mode", "IDLE", {"hosts": ["h"] * 10_001}), "hosts should be at most 10000 names"),
        (("list_workers", {"limit": 1001}), "out of the range 1 to 1000"),
        (("worker_unregister", "w", {"lost": [("s",)]}), "lost should have (spec, key) of units"),
    ],
)
def test_what_is_too_much_or_no_unit_is_refused(client, call, says):
    """And says what would be right."""
    answer = client.answer(*call)
    assert isinstance(answer, Failure)
    assert says in answer.message
