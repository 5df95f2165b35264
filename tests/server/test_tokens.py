"""Attempts as tokens: whoever has lost a unit can do no harm to who has it now."""

import pytest

from coordinate_protocol.constants import AVAILABLE, FAILED, FINISHED, PENDING
from coordinate_protocol.messages import Failure
from coordinate_server.model.settings import ModelSettings
from tests.server.house import House


def set_up(house, **spec):
    """A spec with two units, and a client that said hello."""
    client = house.client(protocol=[1])
    client.call("set_work_spec", {"name": "s", "min_gb": 1} | spec)
    client.call("add_work_units", "s", [("a", {}), ("b", {})])
    return client


@pytest.fixture
def house():
    return House()


@pytest.fixture
def client(house):
    return set_up(house)


def take(client, worker="w", **options):
    """Lease one unit; gives its key and its attempt."""
    (_, key, _, details), _ = client.call("get_work", worker, {"attempts": True} | options)
    return key, details["attempt"]


def status(client, key):
    (found,), _ = client.call("get_work_unit_status", "s", [key])
    return found["status"]


def test_a_hand_out_tells_its_attempt_and_its_end(house, client):
    """To whoever asks for them; the lease ends by the server's clock."""
    asked = {"attempts": True, "lease_time": 30, "max_jobs": 2}
    units, _ = client.call("get_work", "w", asked)
    first, second = (unit[3] for unit in units)
    assert first["attempt"] < second["attempt"]
    assert first["expires"] == house.clock.wall + 30


def test_a_hand_out_is_three_parts_unless_more_is_asked_for(client):
    """0.1.5's clients unpack three."""
    assert client.call("get_work", "w", {}) == (("s", "a", {}), None)


def test_a_stale_attempt_changes_nothing(house, client):
    """Not by finishing, failing, renewing, giving back or new data, by the same worker either."""
    key, stale = take(client, lease_time=10)
    house.move(11)
    assert take(client) == (key, stale + 1)
    before = client.call("get_work_unit_status", "s", [key])
    for change in (
        {"status": FINISHED},
        {"status": FAILED},
        {"lease_time": 100},
        {"lease_time": -1},
        {"data": {"late": True}},
        {"status": AVAILABLE},
    ):
        for who in ({}, {"worker_id": "w"}):
            done, why = client.call("update_work_unit", "s", key, change | who | {"attempt": stale})
            assert done is False
            assert f"attempt {stale}" in why
    assert client.call("get_work_unit_status", "s", [key]) == before
    assert client.call("get_work_units", "s", {"work_unit_keys": [key]}) == ([(key, {})], None)


def test_an_expired_attempt_is_over_though_nobody_has_the_unit(house, client):
    """The lease ended: the unit is nobody's, and its last owner's neither."""
    key, attempt = take(client, lease_time=10)
    house.move(11)
    done, why = client.call("update_work_unit", "s", key, {"status": FINISHED, "attempt": attempt})
    assert (done, status(client, key)) == (False, AVAILABLE)
    assert "it is nobody's" in why


def test_the_current_attempt_needs_no_worker_id(client):
    """The number alone says whose the unit is."""
    key, attempt = take(client)
    assert client.call("update_work_unit", "s", key, {"lease_time": 9, "attempt": attempt})[0]
    assert client.call("update_work_unit", "s", key, {"status": FINISHED, "attempt": attempt})[0]
    assert status(client, key) == FINISHED


def test_another_workers_name_does_not_go_with_the_attempt(client):
    """Both are said, so both have to be right."""
    key, attempt = take(client)
    wrong = {"status": FINISHED, "attempt": attempt, "worker_id": "other"}
    assert client.call("update_work_unit", "s", key, wrong)[0] is False
    assert status(client, key) == PENDING


@pytest.mark.parametrize("ending", [FINISHED, FAILED])
def test_ending_twice_under_one_attempt_is_fine(house, ending):
    """The second time it does nothing: no unit is chained twice, no retry is used up."""
    client = set_up(house, max_retries=5, then="t")
    client.call("set_work_spec", {"name": "t", "min_gb": 1})
    key, attempt = take(client)
    said = {"status": ending, "attempt": attempt, "data": {"output": {"next": {}}}}
    assert client.call("update_work_unit", "s", key, said) == (True, None)
    before = client.call("explain_work_spec", "s"), client.call("count_work_units", "t")
    again = {"status": ending, "attempt": attempt}
    assert client.call("update_work_unit", "s", key, again) == (True, None)
    assert (client.call("explain_work_spec", "s"), client.call("count_work_units", "t")) == before


def test_attempts_grow_over_a_restart(house, client):
    """Also where the clock was set back meanwhile."""
    _, attempt = take(client)
    house.clock.wall -= 7 * 86400
    again = house.restarted().client(protocol=[1])
    assert take(again)[1] > attempt


def test_attempts_are_above_the_wall_clock_after_a_restart(house, client):
    """A copy of old data hands out no number again that was handed out since it was made."""
    take(client)
    house.clock.wall += 10
    again = house.restarted()
    assert take(again.client(protocol=[1]))[1] >= house.clock.wall * 1_000_000


def test_many_updates_have_a_result_each(house, client):
    """Each is done or not by itself, and says why not in a word for programs."""
    key, attempt = take(client)
    updates = [
        ("s", key, {"status": FINISHED, "attempt": attempt}),
        ("s", "b", {"status": FINISHED, "attempt": attempt}),
        ("s", "c", {"status": FINISHED, "attempt": attempt}),
        ("t", key, {"status": FINISHED, "attempt": attempt}),
        ("s", "b", {}),
        ("s", "b", {"lease_time": 1e6, "status": PENDING}),
    ]
    results, units, message = client.call("update_work_units", updates)
    codes = [(result["done"], result.get("code")) for result in results]
    assert codes == [
        (True, None),
        (False, "lost_lease"),
        (False, "no_such_work_unit"),
        (False, "no_such_work_spec"),
        (False, "refused"),
        (True, None),
    ]
    assert "out of the range" in results[-1]["message"]
    assert (units, message) == (None, None)


def test_finish_and_next_is_one_commit(house, client):
    """What is finished and what is handed out instead are durable together."""
    key, attempt = take(client)
    house.loop.settle()
    commits = house.committer.commits
    updates = [("s", key, {"status": FINISHED, "attempt": attempt})]
    more = {"get_work": {"worker_id": "w", "max_jobs": 5}}
    results, units, _ = client.call("update_work_units", updates, more)
    assert results == [{"done": True}]
    assert [unit[:3] for unit in units] == [("s", "b", {})]
    assert units[0][3]["attempt"] == attempt + 1
    assert house.committer.commits == commits + 1


def test_a_value_of_a_wrong_type_undoes_none_of_the_updates(client):
    """They are all read before the first is done."""
    key, attempt = take(client)
    good = ("s", key, {"status": FINISHED, "attempt": attempt})
    for bad in (("s", key), "s", ("s", key, {"status": 99}), ("s", key, {"attempt": "1"})):
        assert isinstance(client.answer("update_work_units", [good, bad]), Failure)
    assert isinstance(client.answer("update_work_units", [good], {"get_work": {}}), Failure)
    assert isinstance(client.answer("update_work_units", [good] * 10_001), Failure)
    assert status(client, key) == PENDING


def test_a_unit_forced_out_of_a_hand_is_lost(client):
    """A call without a token may end any unit; who had it learns that it is not its own."""
    key, attempt = take(client)
    client.call("update_work_unit", "s", key, {"status": AVAILABLE})
    results, *_ = client.call(
        "update_work_units", [("s", key, {"lease_time": 5, "attempt": attempt})]
    )
    assert results[0]["code"] == "lost_lease"


def test_added_anew_a_unit_is_lost_to_who_had_it(client):
    """It is another piece of work from then on."""
    key, attempt = take(client)
    client.call("add_work_units", "s", [(key, {"new": True})])
    results, *_ = client.call(
        "update_work_units", [("s", key, {"status": FINISHED, "attempt": attempt})]
    )
    assert results[0]["code"] == "lost_lease"
    assert status(client, key) == AVAILABLE


@pytest.fixture
def strict():
    """A server that asks for tokens."""
    return House(settings=ModelSettings(require_token=True))


def test_tokens_can_be_required(strict):
    """Then nobody gets a unit without one, or changes one that somebody has."""
    client = set_up(strict)
    refused = client.answer("get_work", "w", {})
    assert isinstance(refused, Failure)
    assert "job_queue.require_token" in refused.message
    key, attempt = take(client)
    changes: list = [{"status": FINISHED}, {"lease_time": 5}, {"data": {}}, {"status": AVAILABLE}]
    for change in changes:
        for who in ({}, {"worker_id": "w"}):
            done, why = client.call("update_work_unit", "s", key, change | who)
            assert done is False
            assert "job_queue.require_token" in why
    assert client.call("update_work_unit", "s", "b", {"status": PENDING})[0] is False
    assert client.call("update_work_unit", "s", "b", {"status": FINISHED})[0] is False
    said = {"status": FAILED, "attempt": attempt}
    assert client.call("update_work_unit", "s", key, said) == (True, None)


def test_where_tokens_are_required_a_retry_needs_none(strict):
    """To take up again what nobody has is not the owner's business."""
    client = set_up(strict)
    key, attempt = take(client)
    client.call("update_work_unit", "s", key, {"status": FAILED, "attempt": attempt})
    assert client.call("update_work_unit", "s", key, {"status": AVAILABLE}) == (True, None)
    assert status(client, key) == AVAILABLE
