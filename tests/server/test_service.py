"""The service in this process: a clock that the test moves, a store in memory."""

import pytest
from attrs import evolve

from coordinate_protocol.messages import Failure
from coordinate_protocol.values import Encoded
from coordinate_server.model.changes import PUT, UNIT
from coordinate_server.service.clock import Clock
from tests.server.house import House


@pytest.fixture
def house():
    """A server with one spec that has two units."""
    house = House()
    house.call("set_work_spec", {"name": "s", "min_gb": 1})
    house.call("add_work_units", "s", [("a", {}), ("b", {})])
    return house


def test_expiration_is_of_the_wall_clock(house):
    """On the wire, a lease ends at wall + (deadline - now); an ended unit's is when it ended."""
    house.call("get_work", "w", {"lease_time": 100})
    house.clock.now += 40
    house.clock.wall += 5000  # a wall clock that was set changes no lease
    ((status,), _) = house.call("get_work_unit_status", "s", ["a"])
    assert status == {"status": 3, "expiration": house.clock.wall + 60, "worker_id": "w"}
    house.call("update_work_unit", "s", "a", {"status": 4})
    ((status,), _) = house.call("get_work_unit_status", "s", ["a"])
    assert status["expiration"] == house.clock.wall


def test_expired_lease_makes_the_unit_available(house):
    """After the lease another worker gets the unit, and the first one owns nothing any more."""
    house.call("get_work", "w", {"lease_time": 100})
    house.clock.move(101)
    assert house.call("get_work", "v", {})[0][1] == "a"
    done, message = house.call("update_work_unit", "s", "a", {"status": 4, "worker_id": "w"})
    assert done is False
    assert "'w'" in message


def test_data_alone_is_an_update(house):
    """New data without a status or lease is taken."""
    assert house.call("update_work_unit", "s", "a", {"data": {"n": 1}}) == (True, None)
    assert house.call("get_work_units", "s", {"work_unit_keys": ["a"]}) == ([("a", {"n": 1})], None)


def test_data_comes_back_as_its_bytes(house):
    """A reply embeds the stored bytes; nobody decodes them on the way."""
    answer = house.answer("get_work", "w", {})
    assert answer.result[0][2] == Encoded(b"\xa0")


def test_none_is_the_same_as_no_option(house):
    """0.1.5 sends None for options it does not mean."""
    options = {"work_unit_keys": None, "state": None, "limit": None, "start": None}
    assert len(house.call("get_work_units", "s", options)[0]) == 2


@pytest.mark.parametrize(
    "method, params, message",
    [
        ("get_work", ("w", {"max_jobs": -1}), "max_jobs is -1, out of the range 1 to 10000"),
        ("get_work", ("w", {"lease_time": "x"}), "lease_time should be a number, not 'x'"),
        ("get_work", (7, {}), "worker_id should be text, not 7"),
        ("get_work", ("w", []), r"options should be a map, not \[\]"),
        ("get_work_units", ("s", {"state": 9}), r"state 9 is none of \[1, 2, 3, 4, 5, 6\]"),
        ("get_work_units", ("s", {"work_unit_keys": "a"}), "work_unit_keys should be an array"),
        ("update_work_unit", ("s", "a", {"status": 9}), "status 9 is none of"),
        ("add_work_units", ("s", [("k",)]), r"a unit should be \(key, data\)"),
        ("add_work_units", ("s", [("k", {}, {"delay": -1})]), "delay is -1, out of the range"),
        ("add_work_units", ("s", 5), "units should be an array, not 5"),
        ("set_work_spec", (5,), "work_spec should be a map, not 5"),
        ("set_work_spec", ({"min_gb": 1},), "name"),
        ("worker_heartbeat", ("w", 5, 60, {}, None), "mode should be text, not 5"),
        ("list_work_specs", ({"limit": 0},), "limit is 0, out of the range"),
    ],
)
def test_bad_value_is_named(house, method, params, message):
    """A value of the wrong kind or out of range is an error that names it and what is right."""
    answer = house.answer(method, *params)
    assert isinstance(answer, Failure)
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(answer.message.partition("\n")[0])


def test_one_commit_for_all_of_a_turn(house):
    """Everything applied between two turns is one group, before all its replies."""
    sent = []
    commits = house.committer.commits
    for number in range(5):
        house.call("add_work_units", "s", [(f"k{number}", {})])
        house.backend.after_commit(lambda number=number: sent.append(number))
    assert sent == []
    house.loop.turn()
    assert sent == []
    house.loop.turn()
    assert sent == [0, 1, 2, 3, 4]
    assert house.committer.commits == commits + 1


def test_what_comes_while_a_group_is_applied_is_of_it(house):
    """As long as each turn brings something, but not for ever."""
    house.move(0)
    sent: list[int] = []
    turns = 0
    commits = house.committer.commits
    while not sent:
        house.call("add_work_units", "s", [(f"k{turns}", {})])
        house.backend.after_commit(lambda number=turns: sent.append(number))
        house.loop.turn()
        turns += 1
    assert sent == list(range(turns))
    assert turns == 5
    assert house.committer.commits == commits + 1


def test_a_group_that_takes_long_is_put_off_no_more(house):
    """Large messages one after the other must not keep the first of them waiting."""
    house.move(0)
    sent: list[int] = []
    for number in range(2):
        house.call("add_work_units", "s", [(f"k{number}", {})])
        house.backend.after_commit(lambda number=number: sent.append(number))
        house.clock.move(0.003)
        house.loop.turn()
        assert sent == list(range(number + 1))


def test_a_group_without_replies_ends_at_once(house):
    """Nobody waits for it, and nothing is to be waited for."""
    house.move(0)
    commits = house.committer.commits
    house.call("add_work_units", "s", [("k", {})])
    house.committer.request_flush()
    house.loop.turn()
    assert house.committer.commits == commits + 1


def test_failed_commit_acknowledges_nothing_ever_again(house):
    """After a CommitError no reply leaves, not of this group and not of a later one."""
    house.loop.turn()
    sent = []
    house.store.failing = True
    house.call("add_work_units", "s", [("c", {})])
    house.backend.after_commit(lambda: sent.append(1))
    house.move(0)
    house.store.failing = False
    house.backend.after_commit(lambda: sent.append(2))
    house.move(0)
    assert sent == []
    assert [str(error) for error in house.failures] == ["disk I/O error"]


def test_a_row_that_cannot_be_read_is_as_a_failed_commit(house):
    """A call that needed it may have done half of something, so nothing more is acknowledged."""
    house.move(0)
    house.settings = evolve(house.settings, ended_kept=0)
    house = house.restarted()
    house.call("update_work_unit", "s", "a", {"status": 4})
    house.move(0)
    house.model.shelve(10)
    (row,) = (key for key, _ in house.store.scan(UNIT) if key.endswith(b"a"))
    house.store.commit([(PUT, UNIT, row, b"\x84")])
    sent, commits = [], house.committer.commits
    house.call("add_work_units", "s", [("c", {})])
    house.answer("update_work_unit", "s", "a", {"status": 1})
    house.backend.after_commit(lambda: sent.append(1))
    house.loop.settle()
    assert (sent, house.committer.commits) == ([], commits)
    assert ["does not hold what was written" in str(error) for error in house.failures] == [True]


def test_committed_state_comes_back_from_the_store(house):
    """A model loaded from the store's rows alone answers the same."""
    house.call("get_work", "w", {"lease_time": 500})
    before = house.call("get_work_unit_status", "s", ["a", "b"])
    house.backend.after_commit(lambda: None)
    house.loop.turn()
    again = house.restarted()
    assert again.call("get_work_unit_status", "s", ["a", "b"]) == before


def test_clock_goes_on_from_the_last_commit():
    """Time that rules leases does not run backwards over a restart."""
    clock = Clock(resume=5e9)
    first, second = clock.instant(), clock.instant()
    assert 5e9 <= first.now <= second.now < 5e9 + 1000
