"""Which spec the next hand-out comes from."""

import random

import pytest

from coordinate_server.model import Instant, WorkRequest


def served(house, number, worker="w", **options):
    """The specs of so many hand-outs, one by one."""
    return [house.get(worker, **options)[0].spec for _ in range(number)]


def fill(house, name, number=300, **fields):
    house.spec(name, **fields)
    house.add(name, *(f"{i:04}" for i in range(number)))


def test_highest_spec_priority_goes_first(house):
    """A spec of higher priority is emptied before others."""
    fill(house, "a", 2)
    fill(house, "b", 2, priority=1)
    assert served(house, 4) == ["b", "b", "a", "a"]


def test_unit_priority_decides_between_specs_of_one_priority(house):
    """Among specs of equal priority the best unit's priority counts."""
    fill(house, "a", 1)
    house.spec("b")
    house.add("b", "k", priority=2)
    assert served(house, 2) == ["b", "a"]


def test_negative_priority_is_handed_out(house):
    """A unit or spec below the standard waits for the others, and no longer."""
    house.spec("a", priority=-3)
    house.add("a", "k", priority=-5)
    fill(house, "b", 1)
    assert served(house, 2) == ["b", "a"]


def test_units_of_a_spec_go_by_priority_and_key(house):
    """The highest priority, then the lowest key."""
    house.spec("a")
    house.add("a", "b", "a")
    house.add("a", "d", priority=1)
    house.add("a", "c", priority=-1)
    assert house.keys(most=10) == ["d", "a", "b", "c"]


def test_paused_spec_is_skipped(house):
    """Nothing of a paused spec is handed out until it goes on."""
    fill(house, "a", 1)
    house.space.control_spec(house.at, "a", {"status": 2})
    assert house.get() == []
    house.space.control_spec(house.at, "a", {"status": 1})
    assert served(house, 1) == ["a"]


def test_memory_and_names_limit_the_choice(house):
    """A worker gets only what it asks for and what fits in its memory."""
    fill(house, "a", 1, min_gb=4)
    assert house.get(available_gb=2) == []
    assert house.get(specs=["b"]) == []
    assert served(house, 1, available_gb=4, specs=["a"]) == ["a"]


def test_max_running_and_max_getwork_bound_a_call(house):
    """No call gets more than the spec's limits, counting what is pending already."""
    fill(house, "a", 10, max_running=3, max_getwork=2)
    assert len(house.get(most=10)) == 2
    assert len(house.get(most=10)) == 1
    assert house.get(most=10) == []


def test_work_further_down_the_chain_goes_first(house):
    """A spec waits while its successor has work, also through an empty one between."""
    fill(house, "a", 2, then="b", priority=5)
    house.spec("b", then="c")
    fill(house, "c", 1)
    assert served(house, 2) == ["c", "a"]


def test_successor_that_this_worker_cannot_run_does_not_preempt(house):
    """Only work that this worker could be given now holds its predecessor back."""
    fill(house, "a", 3, then="b")
    fill(house, "b", 1, min_gb=8)
    assert served(house, 1, available_gb=2) == ["a"]
    assert served(house, 1, available_gb=8) == ["b"]


def test_then_preempts_false_lets_both_run(house):
    """A spec that says so does not wait for its successor."""
    fill(house, "a", 5, then="b", then_preempts=False)
    fill(house, "b", 5)
    assert set(served(house, 4)) == {"a", "b"}


def test_loop_does_not_preempt_itself_but_what_leads_to_it(house):
    """Specs of a loop share; a spec outside that leads into it waits."""
    fill(house, "outside", 2, then="a")
    fill(house, "a", 2, then="b")
    fill(house, "b", 2, then="a")
    assert sorted(served(house, 4)) == ["a", "a", "b", "b"]
    assert served(house, 2) == ["outside", "outside"]


def test_spec_that_is_its_own_successor_runs(house):
    """A loop of one is a loop."""
    fill(house, "a", 1, then="a")
    assert served(house, 1) == ["a"]


@pytest.mark.parametrize("number", range(30))
def test_shares_stay_within_one_hand_out(house, number, seed):
    """While the contenders stay, every spec is within one hand-out of its share, at any time."""
    rng = random.Random(seed + number)
    weights = {f"s{i}": rng.randint(1, 60) for i in range(rng.randint(2, 9))}
    for name, weight in weights.items():
        fill(house, name, 300, weight=weight)
    total = sum(weights.values())
    counts = dict.fromkeys(weights, 0)
    for turn in range(1, 300):
        counts[house.get()[0].spec] += 1
        for name, weight in weights.items():
            assert abs(counts[name] - turn * weight / total) <= 1 + 1e-6, (name, weights)


def test_light_spec_is_not_starved_by_few_workers(house):
    """A light spec gets its share though a heavy one always has work."""
    fill(house, "heavy", weight=20)
    fill(house, "light", weight=1)
    assert served(house, 210).count("light") == 10


def test_loops_and_continuous_specs_get_less(house):
    """A spec in a loop counts half, a continuous one a twentieth."""
    fill(house, "loop", then="loop")
    fill(house, "plain")
    assert served(house, 30).count("loop") == 10
    fill(house, "steady", continuous=True)
    found = served(house, 210, specs=["plain", "steady"])
    assert found.count("steady") == 10


def test_spec_that_gets_work_has_no_claim_on_the_past(house):
    """A spec that was empty while another ran shares from now on, and is not owed the rest."""
    fill(house, "a")
    house.spec("b")
    served(house, 100)
    fill(house, "b")
    assert abs(served(house, 20).count("b") - 10) <= 1


def test_workers_with_different_filters_do_not_starve_a_spec(house):
    """Calls that see other specs in between do not reset the shares."""
    fill(house, "x", weight=20)
    fill(house, "y", weight=5)
    fill(house, "z", weight=1)
    found = []
    for _ in range(100):
        found += served(house, 1, specs=["x", "y"])
        served(house, 1, specs=["z"])
    assert abs(found.count("y") - 20) <= 1


def test_batches_count_in_full(house):
    """A call for many units pays for all of them."""
    fill(house, "a", 2000)
    fill(house, "b", 2000)
    got = {"a": 0, "b": 0}
    for turn in range(200):
        handed = house.get(most=7 if turn % 2 else 1)
        got[handed[0].spec] += len(handed)
    assert abs(got["a"] - got["b"]) <= 14


def test_same_state_gives_the_same_choice(house):
    """A choice depends on nothing but the state and the arguments."""
    for name in ("a", "b", "c"):
        fill(house, name, 3)
    chooser = house.space._scheduler
    request, at = WorkRequest(), Instant(house.at.now, house.at.wall)
    first = chooser.choose(at, request)
    assert first is not None
    assert all(chooser.choose(at, request).roster is first.roster for _ in range(5))
