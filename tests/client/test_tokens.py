"""Attempts as tokens, and many units in a message, over a scripted server."""

import pytest

from coordinate_client import (
    InvalidAnswer,
    LostLease,
    ProgrammerError,
    TaskMaster,
    Unsupported,
    UpdateResult,
)
from coordinate_client.units import handed_units
from coordinate_client.updates import Update, slices
from tests.client.scripted import HELLO, OLD_HELLO, Hello, ScriptedServer, Turn

LOST = {"done": False, "code": "lost_lease", "message": "it is that of 'v'"}
GONE = {"done": False, "code": "no_such_work_unit", "message": "no such work unit b'k'"}
DONE = {"done": True}
TOLD = {"attempt": 7, "expires": 5.0}


def master_of(answers, hello=None):
    """A TaskMaster, and a server that numbers what it hands out."""
    said = Hello(("tokens", "unit_locks")) if hello is None else hello
    server = ScriptedServer(answers, hello=said)
    return server.client(TaskMaster), server


def results_of(*results, units=None, message=None):
    """An answer to many updates."""
    return (list(results), units, message)


def leased(answers, keys=("k",), hello=None):
    """Units that were handed out, and their server."""
    handed = ([("s", key, {"n": 1}, TOLD) for key in keys], None)
    master, server = master_of(answers | {"get_work": handed}, hello)
    return master.get_work("w", max_jobs=9), server


def test_unit_has_the_number_of_its_hand_out():
    """It is asked for where the server has it."""
    master, server = master_of({"get_work": (("s", "k", {}, TOLD), None)})
    unit = master.get_work("w")
    assert (unit.attempt, unit.locks) == (7, ())
    assert server.sent("get_work")[0][1]["attempts"] is True
    assert "attempt=7" in repr(unit)


def test_unit_of_another_server_has_none():
    """Nor is it asked for there."""
    master, server = master_of({"get_work": (("s", "k", {}), None)}, hello=HELLO)
    assert master.get_work("w").attempt is None
    assert "attempts" not in server.sent("get_work")[0][1]


def test_unit_tells_the_locks_that_it_has():
    """With their modes."""
    locks = [
        {"path": ["index", 3], "mode": "exclusive"},
        {"path": ["a", ("b", 1)], "mode": "shared"},
    ]
    (unit,) = handed_units([("s", "k", {}, TOLD | {"locks": locks})])
    assert unit.locks == (
        (("index", 3), "exclusive"),
        (("a", ("b", 1)), "shared"),
    )


@pytest.mark.parametrize(
    "units",
    [5, [5], [("s",)], [("s", "k")], [("s", "k", {}, 5)], [("s", "k", {}, {"locks": [{}]})]],
)
def test_work_in_no_known_form_is_refused(units):
    """It is the server's error."""
    with pytest.raises(InvalidAnswer, match="work was answered"):
        handed_units(units)


def test_unit_sends_its_number_with_each_change():
    """And its worker, and its data where they changed."""
    answer = results_of(DONE)
    (unit,), server = leased({"update_work_units": answer})
    assert unit.update(60)
    unit.data["n"] = 2
    assert unit.finish()
    assert unit.finish()
    assert unit.fail(delay=5)
    assert unit.retry(2)
    owned = {"worker_id": "w", "attempt": 7}
    assert [params[0] for params in server.sent("update_work_units")] == [
        [("s", "k", {"lease_time": 60} | owned)],
        [("s", "k", {"status": 4, "data": {"n": 2}} | owned)],
        [("s", "k", {"status": 4} | owned)],
        [("s", "k", {"status": 5, "delay": 5} | owned)],
        [("s", "k", {"lease_time": -1, "delay": 2} | owned)],
    ]


def test_lease_is_lost_when_the_code_says_so():
    """And then only, whatever the message is."""
    (unit,), server = leased({"update_work_units": results_of(LOST)})
    for call in (unit.update, unit.finish, unit.fail, unit.retry):
        with pytest.raises(LostLease, match="work unit 'k' of 's': it is that of 'v'"):
            call()
    server.answers["update_work_units"] = results_of(GONE | {"message": "not leased any more"})
    assert unit.finish() is False
    server.answers["update_work_units"] = results_of(
        {"done": False, "code": "refused", "message": "no"}
    )
    assert unit.update() is False


def test_unit_of_a_server_that_went_back_is_held_to_its_worker():
    """As ever there, by name."""
    (unit,), server = leased({"update_work_unit": (True, None)})
    unit.taskmaster.close()
    server.hello = HELLO
    unit.taskmaster._rpc("update_work_unit", ["s", "k", {}])
    assert unit.finish()
    assert server.sent("update_work_unit")[-1][2] == {"status": 4, "worker_id": "w"}


def test_many_updates_are_one_message():
    """With a result for each."""
    answer = results_of(DONE, LOST, GONE)
    master, server = master_of({"update_work_units": answer})
    results = master.update_work_units(
        [
            ("s", "a", {"status": 4, "data": {"n": 1}, "attempt": 3}),
            ["s", "b", {"lease_time": 60, "worker_id": "w", "delay": None}],
            ("s", b"\xff", {"status": 5, "delay": 1}),
        ]
    )
    assert results == [
        UpdateResult(done=True),
        UpdateResult(False, "lost_lease", "it is that of 'v'"),
        UpdateResult(False, "no_such_work_unit", "no such work unit b'k'"),
    ]
    assert [result.lost for result in results] == [False, True, False]
    assert server.sent("update_work_units") == [
        [
            [
                ("s", "a", {"status": 4, "data": {"n": 1}, "attempt": 3}),
                ("s", "b", {"lease_time": 60, "worker_id": "w"}),
                ("s", b"\xff", {"status": 5, "delay": 1}),
            ]
        ]
    ]
    assert master.update_work_units([]) == []


def test_updates_go_in_slices():
    """A thousand in a message, and no more than a mebibyte."""
    master, server = master_of({})
    server.answers["update_work_units"] = lambda params: results_of(*[DONE] * len(params[0]))
    assert len(master.update_work_units(("s", str(n), {"status": 4}) for n in range(2500))) == 2500
    assert [len(params[0]) for params in server.sent("update_work_units")] == [1000, 1000, 500]
    big = [Update.of(("s", str(n), {"data": b"x" * 400_000})) for n in range(5)]
    assert [len(part) for part in slices(big)] == [2, 2, 1]


@pytest.mark.parametrize(
    "update",
    [
        "k",
        ("s", "k"),
        ("s", "k", 5),
        (5, "k", {}),
        ("s", 5, {}),
        ("s", "k", {"data": object()}),
        ("s", "k", {"lease_time": 86401}),
    ],
)
def test_item_that_is_no_update_is_refused(update):
    """Before anything is sent."""
    master, server = master_of({})
    with pytest.raises(ProgrammerError):
        master.update_work_units([("s", "k", {"status": 4}), update])
    assert server.calls == []


@pytest.mark.parametrize("answer", [None, ([DONE], None), ([], None, None), (5, None, None)])
def test_answer_that_fits_no_updates_is_refused(answer):
    """It is the server's error."""
    master, _ = master_of({"update_work_units": answer})
    with pytest.raises(InvalidAnswer):
        master.update_work_units([("s", "k", {"status": 4})])


def test_option_that_the_server_would_ignore_is_refused():
    """In a batch as well."""
    hello = HELLO | {"capabilities": ["tokens"]}
    master, server = master_of({}, hello)
    with pytest.raises(Unsupported, match="'delay'"):
        master.update_work_units([("s", "k", {"status": 5, "delay": 1})])
    assert server.sent("update_work_units") == []


@pytest.mark.parametrize("hello", [HELLO, OLD_HELLO])
def test_many_updates_are_single_calls_of_an_older_server(hello):
    """Results are read from its words; who has the unit, only a newer one than 0.1.5 is told."""
    said = [
        (True, None),
        (False, "no such work_spec 's'"),
        (False, "no such work unit key='k'"),
        (False, "work unit b'k' is not leased to 'w' any more"),
        (False, "data of 9 bytes are over the limit (setting: server.limits.unit_data_bytes)"),
    ]
    master, server = master_of({"update_work_unit": [Turn(one) for one in said]}, hello)
    update = ("s", "k", {"status": 4, "worker_id": "w"})
    codes = [result.code for result in master.update_work_units([update] * 5)]
    fenced = hello is HELLO
    lost = "lost_lease" if fenced else "refused"
    assert codes == [None, "no_such_work_spec", "no_such_work_unit", lost, "refused"]
    options = server.sent("update_work_unit")[0][2]
    assert options == ({"status": 4, "worker_id": "w"} if fenced else {"status": 4})


def test_number_of_a_hand_out_is_not_sent_to_an_older_server():
    """It would be ignored, and with it what it is for."""
    master, server = master_of({}, hello=HELLO)
    with pytest.raises(Unsupported, match="'attempt'"):
        master.update_work_units([("s", "k", {"status": 4, "attempt": 3})])
    assert server.sent("update_work_unit") == []


def test_units_are_finished_together():
    """Changed data go along, once; a lost lease is a result, not an error."""
    units, server = leased({"update_work_units": results_of(DONE, LOST)}, ("a", "b"))
    for unit in units:
        unit.data["n"] = 2
    results = units[0].taskmaster.finish_units(iter(units))
    assert [result.done for result in results] == [True, False]
    owned = {"worker_id": "w", "attempt": 7}
    sent = {"status": 4, "data": {"n": 2}} | owned
    assert server.sent("update_work_units")[-1][0] == [("s", "a", sent), ("s", "b", sent)]
    units[0].taskmaster.finish_units(units)
    again = [options for _, _, options in server.sent("update_work_units")[-1][0]]
    assert again == [{"status": 4} | owned, sent]


def test_units_are_failed_together():
    """With the reason in the data of each."""
    units, server = leased({"update_work_units": results_of(DONE, DONE)}, ("a", "b"))
    master = units[0].taskmaster
    master.fail_units(units, "why", delay=3)
    sent = [options for _, _, options in server.sent("update_work_units")[-1][0]]
    owned = {"worker_id": "w", "attempt": 7}
    data = {"n": 1, "traceback": "why"}
    assert sent == [{"status": 5, "delay": 3, "data": data} | owned] * 2
    master.fail_units(units)
    assert server.sent("update_work_units")[-1][0][0][2] == {"status": 5} | owned


def test_units_are_renewed_together(monkeypatch):
    """Each for its own time, or all for one; only what was renewed ends later."""
    monkeypatch.setattr("time.time", lambda: 100.0)
    units, server = leased({"update_work_units": results_of(DONE, LOST)}, ("a", "b"))
    units[1].default_lease_time = 10**6
    master = units[0].taskmaster
    assert [unit.expires for unit in units] == [1000, 1000]
    assert [result.done for result in master.renew_units(units)] == [True, False]
    asked = [options["lease_time"] for _, _, options in server.sent("update_work_units")[-1][0]]
    assert asked == [900, 86400]
    master.renew_units(units, 50)
    assert [unit.expires for unit in units] == [150, 1000]


def test_units_of_an_older_server_are_finished_one_by_one():
    """And told apart by their workers."""
    units, server = leased({"update_work_unit": (True, None)}, ("a", "b"), hello=HELLO)
    assert all(result.done for result in units[0].taskmaster.finish_units(units))
    sent = {"status": 4, "worker_id": "w"}
    assert server.sent("update_work_unit") == [["s", "a", sent], ["s", "b", sent]]


def test_units_are_finished_and_the_next_ones_leased_in_one_message(monkeypatch):
    """The next ones are a list always."""
    monkeypatch.setattr("time.time", lambda: 100.0)
    following: list = [("s", "c", {}, {"attempt": 8, "expires": 1.0})]
    answer = results_of(DONE, LOST, units=following, message="lease_time moved")
    units, server = leased({"update_work_units": answer}, ("a", "b"))
    master = units[0].taskmaster
    results, leased_next = master.finish_and_get_work(units, "w", 4, 60, ["s"], 2, ["python2"])
    assert [result.done for result in results] == [True, False]
    (unit,) = leased_next
    assert (unit.key, unit.attempt, unit.worker_id, unit.expires) == ("c", 8, "w", 160)
    asked = {"worker_id": "w", "max_jobs": 2, "lease_time": 60, "work_spec_names": ["s"]}
    asked |= {"available_gb": 4, "runtimes": ["python2"]}
    assert server.sent("update_work_units")[-1][1] == {"get_work": asked}
    assert len(server.sent("get_work")) == 1


def test_work_is_leased_with_nothing_to_finish():
    """And nothing may come of it."""
    master, server = master_of({"update_work_units": results_of(units=[])})
    assert master.finish_and_get_work([], "w") == ([], [])
    assert server.sent("update_work_units")[0][0] == []


def test_older_server_finishes_first_and_leases_then():
    """In as many calls as that takes."""
    units, server = leased({"update_work_unit": (True, None)}, ("a", "b"), hello=HELLO)
    server.answers["get_work"] = (("s", "c", {}), None)
    results, (unit,) = units[0].taskmaster.finish_and_get_work(units, "w")
    assert ([result.done for result in results], unit.key) == ([True, True], "c")
    methods = [method for method, _ in server.calls[-3:]]
    assert methods == ["update_work_unit", "update_work_unit", "get_work"]


def test_last_slice_asks_for_work():
    """When there is more to finish than goes into a message."""
    keys = [str(number) for number in range(1500)]
    units, server = leased({}, keys)
    server.answers["update_work_units"] = lambda params: results_of(
        *[DONE] * len(params[0]), units=[] if len(params) > 1 else None
    )
    results, following = units[0].taskmaster.finish_and_get_work(units, "w")
    assert (len(results), following) == (1500, [])
    assert [len(params) for params in server.sent("update_work_units")] == [1, 2]


def test_locks_go_with_the_unit():
    """Paths, or paths with a mode; on the wire each has its mode."""
    master, server = master_of({"add_work_units": (True, None)})
    locks = [("index", 3), (("a", "b"), "shared"), {"path": ("c",)}, [["d"], "exclusive"]]
    assert master.add_work_units("s", [("k", {}, {"locks": locks, "priority": 2})])
    sent = [
        {"path": ["index", 3], "mode": "exclusive"},
        {"path": ["a", "b"], "mode": "shared"},
        {"path": ["c"], "mode": "exclusive"},
        {"path": ["d"], "mode": "exclusive"},
    ]
    assert server.sent("add_work_units")[0][1] == [("k", {}, {"locks": sent, "priority": 2})]


@pytest.mark.parametrize(
    "locks", ["index", ["index"], [()], [("a", True)], [(("a",), "both")], [("a",), ("a", 1)], 5]
)
def test_locks_in_no_known_form_are_refused(locks):
    """Before anything is sent."""
    master, server = master_of({})
    with pytest.raises(ProgrammerError):
        master.add_work_units("s", [("k", {}, {"locks": locks})])
    assert server.calls == []


@pytest.mark.parametrize("hello", [HELLO, OLD_HELLO])
def test_locks_of_units_need_a_server_that_knows_them(hello):
    """It would run the units without; no locks at all are what it does anyway."""
    master, server = master_of({"add_work_units": (True, None)}, hello)
    with pytest.raises(Unsupported, match="'locks'"):
        master.add_work_units("s", [("k", {}, {"locks": [("index", 3)]})])
    assert server.sent("add_work_units") == []
    assert master.add_work_units("s", [("k", {}, {"locks": []})])
