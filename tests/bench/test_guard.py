"""What is counted, and what the guard says of it."""

import pytest

FOUND = {"add": 1000, "finish": 500}


@pytest.fixture
def guard(bench):
    return bench("guard")


def test_instructions_are_the_same_number_each_time(bench):
    executed = bench("instructions").executed

    def work():
        return sorted(str(number) for number in range(10))

    assert executed(work) == executed(work)


def test_twice_the_work_is_twice_the_instructions(bench):
    executed = bench("instructions").executed

    def work(times):
        for _ in range(times):
            FOUND.get("add")

    one, two, three = (executed(lambda times=times: work(times)) for times in (1, 2, 3))
    assert 0 < two - one == three - two


def test_a_server_in_the_process_costs_the_same_each_time(bench, guard):
    with bench("in_process").in_process() as first, bench("in_process").in_process() as second:
        costs = [guard.Worker(server, 1000).hand_out() for server in (first, second)]
    assert costs[0] == costs[1] > 0


def test_a_refused_call_has_no_cost(bench):
    with (
        bench("in_process").in_process() as server,
        pytest.raises(RuntimeError, match="the server answered"),
    ):
        server.call("no_such_method")


def test_what_costs_what_it_did_is_well(guard):
    assert guard.too_dear(FOUND, FOUND, FOUND) == []


def test_a_tenth_more_than_is_kept_is_told(guard):
    (fault,) = guard.too_dear(FOUND | {"add": 1101}, FOUND, FOUND)
    assert fault.startswith("add: 1,101 instructions, 1,000 are kept")


def test_a_tenth_more_among_many_units_is_told_where_nothing_is_kept(guard):
    (fault,) = guard.too_dear(FOUND, FOUND | {"finish": 551}, {})
    assert fault.startswith("finish: 551 instructions among 20,000 units, 500 among 1,000")
