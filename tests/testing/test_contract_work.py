"""The contract of the server in memory and the real one: handing out, leases, ends, retries."""

import pytest

from coordinate_client.exceptions import LostLease
from coordinate_protocol.constants import AVAILABLE, DELAYED, FAILED, FINISHED, PENDING


def define(master, name="s", **fields):
    master.set_work_spec({"name": name, "min_gb": 1, "module": "m", "run_function": "f", **fields})
    return name


def keys(units):
    return [unit.key for unit in units]


def statuses(master, *wanted, spec="s"):
    found = master.get_work_unit_status(spec, list(wanted))
    return [None if one is None else one["status"] for one in found]


# ---- the order of hand-outs ----


def test_an_empty_server_has_no_work(master):
    assert master.get_work("w") is None
    assert master.get_work("w", max_jobs=5) == []


def test_units_go_by_key(master):
    define(master)
    assert master.add_work_units("s", {"b": {"n": 2}, "a": {"n": 1}, "c": {}}) is True
    unit = master.get_work("w", lease_time=60)
    assert (unit.work_spec_name, unit.key, unit.data, unit.worker_id) == ("s", "a", {"n": 1}, "w")
    assert keys(master.get_work("w", max_jobs=10)) == ["b", "c"]
    assert master.get_work("w") is None


def test_higher_priorities_go_first(master):
    define(master)
    master.add_work_units("s", [("a", {}), ("b", {}, {"priority": 2}), ("c", {}, {"priority": -1})])
    assert keys(master.get_work("w", max_jobs=3)) == ["b", "a", "c"]


def test_priorities_can_be_set_and_moved(master):
    define(master)
    master.add_work_units("s", {"a": {}, "b": {}, "c": {}})
    assert master.prioritize_work_units("s", ["b", "none"], priority=5) is True
    assert master.prioritize_work_units("s", ["c", "c"], adjustment=7) is True
    assert master.prioritize_work_units("none", ["c"]) is False
    assert keys(master.get_work("w", max_jobs=3)) == ["c", "b", "a"]


def test_numbers_of_attempts_only_grow(master):
    define(master)
    master.add_work_units("s", {"a": {}, "b": {}})
    first, second = master.get_work("w"), master.get_work("w")
    first.retry()
    assert first.attempt < second.attempt < master.get_work("w").attempt


def test_a_spec_that_needs_more_memory_is_passed_over(master):
    define(master, "big", min_gb=8)
    define(master, "small", min_gb=1)
    master.add_work_units("big", {"a": {}})
    master.add_work_units("small", {"b": {}})
    assert master.get_work("w", available_gb=4).key == "b"
    assert master.get_work("w", available_gb=4) is None
    assert master.get_work("w", available_gb=8).key == "a"


def test_only_specs_that_are_named_are_handed_out(master):
    for name in ("r", "s"):
        define(master, name)
        master.add_work_units(name, {f"{name}1": {}})
    assert master.get_work("w", work_spec_names=["s"]).key == "s1"
    assert master.get_work("w", work_spec_names=["s"]) is None
    assert master.get_work("w", work_spec_names=["s", "r"]).key == "r1"


def test_runtimes_are_matched(master):
    define(master, "plain")
    define(master, "java", runtime="java", priority=1)
    master.add_work_units("plain", {"p": {}})
    master.add_work_units("java", {"j": {}})
    assert master.get_work("w", runtimes=["python"]).key == "p"
    assert master.get_work("w", runtimes=["python"]) is None
    assert master.get_work("w", runtimes=["python", "java"]).key == "j"


def test_specs_of_higher_priority_go_first(master):
    define(master, "a")
    define(master, "b", priority=3)
    for name in ("a", "b"):
        master.add_work_units(name, {f"{name}{n}": {} for n in range(2)})
    assert [master.get_work("w").key for _ in range(4)] == ["b0", "b1", "a0", "a1"]


@pytest.mark.parametrize("weights", [(20, 20), (10, 30), (7, 20), (1, 2)])
def test_specs_take_turns_by_weight(master, weights):
    for name, weight in zip("ab", weights, strict=True):
        define(master, name, weight=weight)
        master.add_work_units(name, {f"{name}{n:03}": {} for n in range(30)})
    turns = "".join(master.get_work("w").work_spec_name for _ in range(30))
    share = 30 * weights[0] / sum(weights)
    assert abs(turns.count("a") - share) <= 1
    assert turns.startswith("a" if weights[0] >= weights[1] else "b")


def test_a_paused_spec_hands_out_nothing(master):
    define(master)
    master.add_work_units("s", {"a": {}})
    master.pause_work_spec("s", paused=True)
    assert master.get_work("w") is None
    master.pause_work_spec("s", paused=False)
    assert master.get_work("w").key == "a"


def test_max_running_bounds_what_is_pending(master):
    define(master, max_running=2)
    master.add_work_units("s", {"a": {}, "b": {}, "c": {}})
    first, _ = master.get_work("w", max_jobs=5)
    assert master.get_work("w") is None
    first.finish()
    assert keys(master.get_work("w", max_jobs=5)) == ["c"]


def test_max_getwork_bounds_one_call(master):
    define(master, max_getwork=2)
    master.add_work_units("s", {"a": {}, "b": {}, "c": {}})
    assert keys(master.get_work("w", max_jobs=5)) == ["a", "b"]
    assert keys(master.get_work("w", max_jobs=5)) == ["c"]


# ---- leases ----


def test_a_lease_ends_by_the_clock(party, master):
    define(master)
    master.add_work_units("s", {"a": {}})
    unit = master.get_work("w", lease_time=60)
    expires = master.get_work_unit_status("s", "a")["expiration"]
    assert expires == pytest.approx(party.wall + 60)
    party.advance(59)
    assert statuses(master, "a") == [PENDING]
    party.advance(1)
    assert statuses(master, "a") == [AVAILABLE]
    assert master.get_work_unit_status("s", "a")["lost_leases"] == 1
    again = master.get_work("v")
    assert (again.key, again.worker_id) == ("a", "v")
    assert again.attempt > unit.attempt


def test_a_renewed_lease_goes_on(party, master):
    define(master)
    master.add_work_units("s", {"a": {"n": 1}})
    unit = master.get_work("w", lease_time=60)
    party.advance(50)
    unit.data["n"] = 2
    assert unit.update(60) is True
    party.advance(50)
    assert statuses(master, "a") == [PENDING]
    assert master.get_work_units("s", ["a"]) == [("a", {"n": 2})]
    party.advance(10)
    assert statuses(master, "a") == [AVAILABLE]


def test_a_lost_lease_ends_nothing_of_the_next_worker(party, master):
    define(master)
    master.add_work_units("s", {"a": {}})
    late = master.get_work("w", lease_time=60)
    party.advance(61)
    now = master.get_work("w", lease_time=60)
    for told in (late.finish, late.fail, late.update, late.retry):
        with pytest.raises(LostLease):
            told()
    assert statuses(master, "a") == [PENDING]
    assert now.finish() is True
    assert statuses(master, "a") == [FINISHED]


def test_a_lease_that_has_ended_cannot_be_renewed(party, master):
    define(master)
    master.add_work_units("s", {"a": {}})
    late = master.get_work("w", lease_time=60)
    party.advance(61)
    with pytest.raises(LostLease):
        late.update()
    assert statuses(master, "a") == [AVAILABLE]


def test_a_unit_fails_with_the_last_lease_that_it_may_lose(party, master):
    define(master, max_lost_leases=2)
    master.add_work_units("s", {"a": {}})
    for expected in (AVAILABLE, FAILED):
        master.get_work("w", lease_time=60)
        party.advance(61)
        assert statuses(master, "a") == [expected]
    assert "max_lost_leases" in master.get_work_unit_status("s", "a")["reason"]


# ---- ends ----


def test_finishing_and_failing_keep_the_data(master):
    define(master)
    master.add_work_units("s", {"a": {"n": 1}, "b": {}})
    first, second = master.get_work("w", max_jobs=2)
    first.data["n"] = 2
    assert first.finish() is True
    assert second.fail("too bad") is True
    assert statuses(master, "a", "b") == [FINISHED, FAILED]
    assert dict(master.get_work_units("s")) == {"a": {"n": 2}, "b": {"traceback": "too bad"}}
    assert master.get_work_unit_status("s", "b")["traceback"] == "too bad"


def test_an_end_said_twice_is_harmless(master):
    define(master)
    master.add_work_units("s", {"a": {}, "b": {}})
    first, second = master.get_work("w", max_jobs=2)
    assert first.finish() is True
    assert first.finish() is True
    assert first.fail() is True
    assert second.fail() is True
    assert second.fail() is True
    with pytest.raises(LostLease):
        second.finish()
    assert statuses(master, "a", "b") == [FINISHED, FAILED]


def test_a_unit_that_is_given_back_can_wait(party, master):
    define(master)
    master.add_work_units("s", {"a": {}})
    assert master.get_work("w").retry(delay=30) is True
    assert statuses(master, "a") == [DELAYED]
    assert master.get_work("w") is None
    party.advance(30)
    assert statuses(master, "a") == [AVAILABLE]
    assert "failures" not in master.get_work_unit_status("s", "a")


def test_finishing_and_the_next_units_go_in_one_call(master):
    define(master)
    master.add_work_units("s", {"a": {}, "b": {}, "c": {}})
    unit = master.get_work("w")
    results, following = master.finish_and_get_work([unit], "w", max_jobs=2)
    assert [result.done for result in results] == [True]
    assert keys(following) == ["b", "c"]
    assert statuses(master, "a", "b", "c") == [FINISHED, PENDING, PENDING]


def test_each_of_many_updates_has_its_own_result(party, master):
    define(master)
    master.add_work_units("s", {"a": {}, "b": {}, "c": {}})
    late, gone, kept = master.get_work("w", max_jobs=3, lease_time=60)
    master.del_work_units("s", ["b"])
    kept.update(300)
    party.advance(61)
    results = master.finish_units([late, gone, kept])
    assert [(result.done, result.lost) for result in results] == [
        (False, True),
        (False, results[1].lost),
        (True, False),
    ]


# ---- retries ----


def test_a_unit_that_fails_is_tried_again(master):
    define(master, max_retries=1)
    master.add_work_units("s", {"a": {}})
    master.get_work("w").fail()
    assert statuses(master, "a") == [AVAILABLE]
    assert master.get_work_unit_status("s", "a")["failures"] == 1
    unit = master.get_work("w")
    unit.fail()
    assert unit.fail() is True
    assert statuses(master, "a") == [FAILED]
    assert master.get_work_unit_status("s", "a")["failures"] == 2


def test_retries_wait_longer_each_time(party, master):
    define(master, max_retries=3, retry_delay=10, retry_backoff=3, retry_jitter=0)
    master.add_work_units("s", {"a": {}})
    for seconds in (10, 30, 90):
        master.get_work("w").fail()
        party.advance(seconds - 1)
        assert statuses(master, "a") == [DELAYED]
        party.advance(1)
        assert statuses(master, "a") == [AVAILABLE]


def test_a_retry_can_say_its_own_delay(party, master):
    define(master, max_retries=1, retry_delay=10)
    master.add_work_units("s", {"a": {}})
    master.get_work("w").fail(delay=100)
    party.advance(99)
    assert statuses(master, "a") == [DELAYED]
    party.advance(1)
    assert statuses(master, "a") == [AVAILABLE]


def test_attempts_are_remembered(party, master):
    define(master, max_retries=1)
    master.add_work_units("s", {"a": {}})
    master.get_work("w1").fail("first")
    master.get_work("w2", lease_time=10)
    party.advance(11)
    master.get_work("w3").finish()
    attempts = master.get_work_unit_attempts("s", "a")
    assert [(one["worker_id"], one["outcome"]) for one in attempts] == [
        ("w1", "failed"),
        ("w2", "lost"),
        ("w3", "finished"),
    ]
    assert attempts[0]["traceback"] == "first"
    assert attempts[2]["ended"] == pytest.approx(party.wall)


# ---- waiting ----


def test_who_waits_gets_what_becomes_available_meanwhile(party, master):
    define(master)
    master.add_work_units("s", [("a", {}, {"delay": 20})])
    began = party.wall
    assert master.get_work("w", wait=5) is None
    assert master.get_work("w", wait=60).key == "a"
    assert 20 <= party.wall - began < 40


def test_a_unit_can_be_forced_by_who_does_not_say_who_it_is(master):
    define(master)
    master.add_work_units("s", {"a": {}})
    unit = master.get_work("w")
    assert master.update_work_unit("s", "a", status=AVAILABLE) is True
    with pytest.raises(LostLease):
        unit.finish()
    assert master.update_work_unit("s", "a", status=FINISHED) is True
    assert master.update_work_unit("s", "a", status=FAILED) is True
    assert statuses(master, "a") == [FINISHED]
    assert master.update_work_unit("s", "none", status=FAILED) is False
