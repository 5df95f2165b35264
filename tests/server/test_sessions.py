"""Sessions: a call that is sent again gets its first answer, and is not done again."""

import asyncio

import pytest

from coordinate_protocol.codec import encode
from coordinate_protocol.messages import Failure, Incoming, Request
from coordinate_server.model.sessions import KEPT_SECONDS
from coordinate_server.service.plugins import Plugin
from tests.server.house import House, result_of


@pytest.fixture
def house():
    return House()


@pytest.fixture
def client(house):
    """A client in a session, of a server with one spec."""
    client = house.client(session=True)
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    client.call("add_work_units", "s", [("a", {}), ("b", {})])
    return client


def again(house, client):
    """The same client on another connection."""
    session = client.greeting["session"]
    other = house.client(session=session)
    assert other.greeting["session"] == session
    return other


def test_a_session_is_sixteen_bytes_that_nobody_can_guess(house):
    """Each is another one."""
    names = {house.client(session=True).greeting["session"] for _ in range(100)}
    assert len(names) == 100
    assert all(isinstance(name, bytes) and len(name) == 16 for name in names)


def test_who_asks_for_none_gets_none(house):
    """A greeting without the option is answered as ever."""
    assert "session" not in house.client(protocol=[1]).greeting


def test_a_repeated_call_gets_its_first_answer(house, client):
    """A hand-out is the same hand-out, on the same connection or on another one."""
    first = client.call("get_work", "w", {"attempts": True}, seq=1)
    assert client.call("get_work", "w", {"attempts": True}, seq=1) == first
    assert again(house, client).call("get_work", "w", {"attempts": True}, seq=1) == first
    assert client.call("count_work_units", "s")[0] == {1: 1, 3: 1}


def test_a_repeated_call_gets_its_first_answer_from_the_next_server(house, client):
    """The answer is as durable as what it tells of."""
    first = client.call("get_work", "w", {"attempts": True}, seq=1)
    other = again(house.restarted(), client)
    assert other.call("get_work", "w", {"attempts": True}, seq=1) == first
    assert other.call("count_work_units", "s")[0] == {1: 1, 3: 1}


def test_an_answer_and_what_it_tells_of_are_one_commit(house, client):
    """Neither is there without the other."""
    house.loop.settle()
    commits = house.committer.commits
    client.call("get_work", "w", {}, seq=1)
    assert house.committer.commits == commits + 1


def test_a_call_without_a_number_is_done_each_time(client):
    """As ever, in a session too."""
    assert client.call("get_work", "w", {}) != client.call("get_work", "w", {})


def test_numbers_may_come_in_any_order(client):
    """Two connections of one client do not wait for each other."""
    second = client.call("get_work", "w", {}, seq=2)
    first = client.call("get_work", "w", {}, seq=1)
    assert first != second
    assert client.call("get_work", "w", {}, seq=2) == second


def test_reading_takes_no_number(client):
    """It is done each time: what it says may have changed."""
    before = client.call("count_work_units", "s", seq=1)
    client.call("add_work_units", "s", [("c", {})], seq=2)
    assert client.call("count_work_units", "s", seq=1) != before


def test_what_was_acknowledged_is_forgotten(client):
    """To ask for it again is answered with what is true: nobody knows."""
    client.call("get_work", "w", {}, seq=1)
    client.call("get_work", "w", {}, seq=2, low=2)
    answer = client.answer("get_work", "w", {}, seq=1, low=1)
    assert isinstance(answer, Failure)
    assert answer.code == "outcome_unknown"


def test_what_was_acknowledged_stays_forgotten_over_a_restart(house, client):
    """A slot that was written over says so itself."""
    for seq in range(1, 6):
        client.call("get_work", "w", {}, seq=seq, low=seq)
    other = again(house.restarted(), client)
    answer = other.answer("get_work", "w", {}, seq=4, low=1)
    assert isinstance(answer, Failure)
    assert answer.code == "outcome_unknown"
    assert other.call("get_work", "w", {}, seq=5, low=5)


def test_a_client_that_calls_one_by_one_needs_one_row(house, client):
    """However many calls it makes."""
    for seq in range(1, 50):
        client.call("update_work_unit", "s", "a", {"data": {"n": seq}}, seq=seq, low=seq)
    house.loop.settle()
    rows = [key for table, key, _ in house.store.load() if table == 7]
    assert len(rows) == 2


def test_an_old_answer_is_forgotten_and_the_call_not_done_again(house, client):
    """After ten minutes nobody knows what it was, only that it may have been."""
    client.call("get_work", "w", {}, seq=1)
    before = client.call("count_work_units", "s")
    house.move(KEPT_SECONDS + 1)
    house.move(1)
    answer = client.answer("get_work", "w", {}, seq=1)
    assert isinstance(answer, Failure)
    assert answer.code == "outcome_unknown"
    house.move(-1)
    assert client.call("count_work_units", "s")[0].get(3, 0) <= before[0][3]


def test_a_session_is_kept_while_somebody_is_in_it(house, client):
    """However long it is idle."""
    house.move(10 * KEPT_SECONDS)
    assert client.call("get_work", "w", {}, seq=1)
    again(house, client)


def test_a_session_that_nobody_is_in_is_forgotten(house, client):
    """It is said to be unknown, and leaves no row behind."""
    client.call("get_work", "w", {}, seq=1)
    client.peer.closed()
    house.move(KEPT_SECONDS + 1)
    other = house.client(session=client.greeting["session"])
    assert other.greeting["session"] is None
    assert not [key for table, key, _ in house.store.load() if table == 7]
    answer = other.answer("get_work", "w", {}, seq=1)
    assert isinstance(answer, Failure)
    assert "session" in answer.message


def test_a_session_is_of_its_namespace(house, client):
    """In another one it is unknown: what it was told is not for there."""
    other = house.client(session=client.greeting["session"], namespace="elsewhere")
    assert other.greeting["session"] is None


@pytest.mark.parametrize("session", ["text", 7, [], b"", b"x" * 16, b"y" * 20])
def test_what_is_no_session_is_refused_or_unknown(house, session):
    """Neither makes one."""
    answer = house.client().answer("hello", {"session": session})
    if isinstance(session, bytes):
        assert result_of(answer)["session"] is None
    else:
        assert isinstance(answer, Failure)


def test_a_call_that_failed_fails_again(client):
    """With the same words; nothing was done."""
    first = client.answer("get_work", "w", {"max_jobs": 0}, seq=1)
    assert isinstance(first, Failure)
    second = client.answer("get_work", "w", {"max_jobs": 1}, seq=1)
    assert isinstance(second, Failure)
    assert first.message == second.message


def test_answers_that_nobody_acknowledges_have_a_bound(house, client):
    """Beyond it, further calls are refused, and none is done."""
    most = house.settings.session_replies
    for seq in range(1, most + 1):
        client.call("update_work_unit", "s", "a", {"data": {}}, seq=seq)
    answer = client.answer("update_work_unit", "s", "a", {"data": {"x": 1}}, seq=most + 1)
    assert isinstance(answer, Failure)
    assert "not acknowledged" in answer.message
    assert client.call("update_work_unit", "s", "a", {"data": {}}, seq=most + 2, low=most)


def test_a_hand_out_that_could_not_be_written_is_undone(house, client):
    """Its connection was gone: the unit is free, and the call sent again hands out anew."""
    answer = client.answer("get_work", "w", {"attempts": True}, seq=1)
    first = result_of(answer)
    answer.undelivered()
    house.loop.settle()
    assert client.call("count_work_units", "s")[0] == {1: 2}
    second = again(house, client).call("get_work", "w", {"attempts": True}, seq=1)
    assert second[0][1] == first[0][1]
    assert second[0][3]["attempt"] > first[0][3]["attempt"]


def test_what_a_call_did_besides_an_undone_hand_out_stays_done(house, client):
    """Sent again it has the same results and no units, and the updates are not done twice."""
    client.call("set_work_spec", {"name": "s", "min_gb": 1, "max_retries": 1})
    (_, key, _, details), _ = client.call("get_work", "w", {"attempts": True})
    updates = [("s", key, {"status": 5, "attempt": details["attempt"]})]
    more = {"get_work": {"worker_id": "w"}}
    answer = client.answer("update_work_units", updates, more, seq=1)
    assert [unit[1] for unit in result_of(answer)[1]] == ["a"]
    answer.undelivered()
    house.loop.settle()
    again_ = again(house, client)
    assert again_.call("update_work_units", updates, more, seq=1) == ([{"done": True}], [], None)
    (status,), _ = client.call("get_work_unit_status", "s", [key])
    assert (status["status"], status["failures"]) == (1, 1)


def test_what_was_acknowledged_stays_so_when_a_hand_out_is_undone(house, client):
    """Over a restart too: the row of the answer that is gone still says it."""
    client.call("add_work_units", "s", [("c", {})], seq=1)
    client.answer("get_work", "w", {}, seq=2, low=2).undelivered()
    other = again(house.restarted(), client)
    answer = other.answer("clear", seq=1, low=1)
    assert isinstance(answer, Failure)
    assert answer.code == "outcome_unknown"


def test_large_answers_that_nobody_acknowledges_have_a_bound(client):
    """So many bytes are kept of one session, and then no further call is done."""
    client.call("add_work_units", "s", [("big", {"x": b"x" * 4_000_000}, {"priority": 9})])
    for seq in range(1, 6):
        client.call("get_work", "w", {}, seq=seq)
        client.call("update_work_unit", "s", "big", {"status": 1})
    refused = client.answer("get_work", "w", {}, seq=6)
    assert isinstance(refused, Failure)
    assert "server.limits.message_bytes" in refused.message
    assert client.call("get_work", "w", {}, seq=6, low=6)


def test_a_client_of_byte_strings_cannot_number_its_calls(house, client):
    """Its answers are other ones than those that are kept."""
    incoming = Incoming(
        (Request(1, "get_work", ["w", {}], native_bytes=True, seq=1),),
        batch=False,
        wrapped=True,
        native_bytes=True,
    )
    (answer,) = client.peer.answers(incoming)
    assert isinstance(answer, Failure)
    assert "text" in answer.message


def test_a_hello_that_fails_has_no_effect(house):
    """Neither on the namespace nor on anything else."""
    client = house.client()
    assert isinstance(client.answer("hello", {"namespace": "n", "session": "text"}), Failure)
    assert client.call("hello", {})["namespace"] == "default"


def test_a_call_that_goes_on_is_answered_where_it_was_asked_for_last(house, client):
    """The connection before is told so; the wait is one wait, and its unit one unit."""
    client.call("get_work", "w", {"max_jobs": 5})
    waiting, first = client.later("get_work", "w", {"wait": 60}, seq=1)
    other = again(house, client)
    _, second = other.later("get_work", "w", {"wait": 60}, seq=1)
    assert isinstance(first[0], Failure)
    waiting.abandon()
    house.client().call("add_work_units", "s", [("c", {}), ("d", {})])
    house.loop.settle()
    assert result_of(second[0])[0][1] == "c"
    assert client.call("count_work_units", "s")[0] == {1: 1, 3: 3}
    assert other.call("get_work", "w", {"wait": 60}, seq=1)[0][1] == "c"


def test_an_awaited_hand_out_is_durable_with_its_answer(house, client):
    """The next server has the answer of a wait that the last one ended."""
    client.call("get_work", "w", {"max_jobs": 5})
    _, results = client.later("get_work", "w", {"wait": 60}, seq=1)
    house.client().call("add_work_units", "s", [("c", {})])
    house.loop.settle()
    other = again(house.restarted(), client)
    assert other.call("get_work", "w", {"wait": 60}, seq=1) == result_of(results[0])


def test_a_wait_that_was_abandoned_was_not_done(house, client):
    """Sent again it waits again."""
    client.call("get_work", "w", {"max_jobs": 5})
    waiting, _ = client.later("get_work", "w", {"wait": 60}, seq=1)
    waiting.abandon()
    house.client().call("add_work_units", "s", [("c", {})])
    house.loop.settle()
    assert again(house, client).call("get_work", "w", {"wait": 60}, seq=1)[0][1] == "c"


def test_another_namespace_is_another_session(house, client):
    """A connection that goes elsewhere is in no session until it asks for one."""
    client.call("hello", {"namespace": "elsewhere"})
    answer = client.answer("set_work_spec", {"name": "s", "min_gb": 1}, seq=1)
    assert isinstance(answer, Failure)
    assert "session" in answer.message


class Slow:
    """A plug-in whose operation takes until it is let go, and counts how often it was begun."""

    operations = ("work",)

    def __init__(self):
        self.begun = 0
        self.let_go = asyncio.Event()

    async def work(self):
        self.begun += 1
        await self.let_go.wait()
        return "done"


def test_a_plugged_in_call_goes_on_when_its_connection_is_gone():
    """It is done once; whoever asks again, before it has ended or after, gets its answer."""

    async def scenario():
        slow = Slow()
        house = House(plugins=[Plugin("slow", slow, lambda function: function())])
        client = house.client(session=True)
        first = client.answer("work", seq=1)
        await asyncio.sleep(0)
        first.abandon()
        client.peer.closed()
        second = again(house, client).answer("work", seq=1)
        slow.let_go.set()
        assert (await second).result.data == encode("done")
        house.loop.settle()
        third = again(house, client).answer("work", seq=1)
        assert third.result.data == encode("done")
        assert slow.begun == 1

    asyncio.run(scenario())


def test_a_plugged_in_call_that_a_crash_cut_off_is_not_begun_again():
    """It may have changed something: nobody knows."""

    async def scenario():
        slow = Slow()
        house = House(plugins=[Plugin("slow", slow, lambda function: function())])
        client = house.client(session=True)
        client.answer("work", seq=1)
        await asyncio.sleep(0)
        house.committer.request_flush()
        other = again(house.restarted(), client)
        answer = other.answer("work", seq=1)
        assert answer.code == "outcome_unknown"
        slow.let_go.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(scenario())
