"""Sessions: a changing call that is sent again is the same call; what cannot be told is said."""

import os

import pytest

from coordinate_client import CborRpcClient, ConnectionFailed, OutcomeUnknown, RpcError, TaskMaster
from tests.client.scripted import HELLO, OLD_HELLO, Break, Fail, Hello, ScriptedServer, Turn

LOST = Turn(Break(ConnectionResetError("reset")))


def client_of(answers, config=None, hello=None):
    """A client, its server, and what answers its greetings."""
    said = Hello() if hello is None else hello
    server = ScriptedServer(answers, hello=said)
    return server.client(CborRpcClient, config), server, said


def greetings(server):
    """What each greeting said of a session."""
    return [params[0].get("session") for params in server.sent("hello")]


def test_session_is_opened_for_the_first_changing_call():
    """Not for one that only reads; and once."""
    client, server, _ = client_of({"worker_stats": {}, "clear": 3})
    client._rpc("worker_stats")
    assert greetings(server) == [None]
    client._rpc("clear")
    client._rpc("clear")
    assert greetings(server) == [None, True]
    assert server.seqs("worker_stats") == [(None, 1)]
    assert server.seqs("clear") == [(1, 1), (2, 2)]
    assert len(server.connected) == 1


def test_session_is_opened_with_the_connection():
    """A call that begins it costs no further greeting."""
    client, server, _ = client_of({"clear": 3})
    client._rpc("clear")
    assert greetings(server) == [True]
    assert server.seqs("clear") == [(1, 1)]


def test_call_whose_answer_was_lost_keeps_its_number():
    """It goes on with its session, on the new connection; the next one has the next number."""
    client, server, _ = client_of({"clear": [LOST, LOST, Turn(3)]})
    assert client._rpc("clear") == 3
    assert client._rpc("clear") == 3
    name = b"%016d" % 1
    assert greetings(server) == [True, name, name]
    assert server.seqs("clear") == [(1, 1), (1, 1), (1, 1), (2, 2)]


def test_reading_call_is_made_again_without_a_number():
    """On a connection that is in the session all the same."""
    client, server, _ = client_of({"clear": 3, "worker_stats": [LOST, Turn({})]})
    client._rpc("clear")
    client._rpc("worker_stats")
    assert greetings(server) == [True, b"%016d" % 1]
    assert server.seqs("worker_stats") == [(None, 1), (None, 1)]


def test_method_of_a_plug_in_is_a_changing_call():
    """Nobody but the plug-in knows."""
    client, server, _ = client_of({"names.count": 3})
    client._rpc("names.count")
    assert server.seqs("names.count") == [(1, 1)]


def test_forgotten_session_makes_the_outcome_unknown():
    """The call may have been done; the next one has a new session."""
    client, server, said = client_of({"clear": [Turn(1), LOST, Turn(3)]})
    client._rpc("clear")
    forget = said.known.clear
    server.answers["clear"][0] = Turn(lambda _: forget() or Break(ConnectionResetError("reset")))
    with pytest.raises(OutcomeUnknown, match="may have been carried out") as caught:
        client._rpc("clear")
    assert (caught.value.code, isinstance(caught.value, RpcError)) == ("outcome_unknown", True)
    assert client._rpc("clear") == 3
    assert greetings(server) == [True, b"%016d" % 1, True]
    assert server.seqs("clear") == [(1, 1), (2, 2), (1, 1)]
    assert len(server.connected) == 2


def test_server_that_lost_its_sessions_makes_the_outcome_unknown():
    """As after a step back to an older one."""
    client, server, _ = client_of({"clear": [LOST, Turn(3)]})
    server.hello = [Turn(Hello()), Turn(HELLO)]
    with pytest.raises(OutcomeUnknown):
        client._rpc("clear")
    assert client._rpc("clear") == 3
    assert server.seqs("clear") == [(1, 1), (None, 1)]


def test_call_that_was_not_sent_is_no_unknown_outcome():
    """It goes into a new session where the server does not know the old one any more."""
    client, server, said = client_of({"clear": 3})
    client._rpc("clear")
    client.close()
    said.known.clear()
    assert client._rpc("clear") == 3
    assert greetings(server) == [True, b"%016d" % 1, True]
    assert server.seqs("clear") == [(1, 1), (1, 1)]


def test_code_of_the_server_makes_the_outcome_unknown():
    """The session goes on; other codes are those of plain errors."""
    client, server, _ = client_of(
        {"clear": [Turn(Fail("forgotten", "outcome_unknown")), Turn(Fail("no", "teapot")), Turn(3)]}
    )
    with pytest.raises(OutcomeUnknown, match="forgotten"):
        client._rpc("clear")
    with pytest.raises(RpcError, match="no") as caught:
        client._rpc("clear")
    assert (type(caught.value), caught.value.code) == (RpcError, "teapot")
    assert client._rpc("clear") == 3
    assert server.seqs("clear") == [(1, 1), (2, 2), (3, 3)]
    assert greetings(server) == [True]


def test_call_that_was_given_up_is_never_asked_for_again():
    """The next one says that it waits for no answer to it."""
    client, server, _ = client_of({"clear": [Turn(Break(KeyboardInterrupt())), Turn(3)]})
    with pytest.raises(KeyboardInterrupt):
        client._rpc("clear")
    assert client._rpc("clear") == 3
    assert server.seqs("clear") == [(1, 1), (2, 2)]


@pytest.mark.parametrize("hello", [HELLO, OLD_HELLO])
def test_server_without_sessions_is_asked_as_ever(hello):
    """Calls are made again, and may be done twice."""
    client, server, _ = client_of({"clear": [LOST, Turn(3)]}, hello=hello)
    assert client._rpc("clear") == 3
    assert server.seqs("clear") == [(None, 1), (None, 1)]


def test_sessions_can_be_turned_off():
    """By a setting."""
    client, server, _ = client_of({"clear": [LOST, Turn(3)]}, {"address": "a:1", "sessions": False})
    assert client._rpc("clear") == 3
    assert greetings(server) == [None, None]
    assert server.seqs("clear") == [(None, 1), (None, 1)]


def test_server_that_opens_no_session_is_asked_without():
    """Whatever it says of what it can."""
    able = HELLO | {"capabilities": ["sessions"]}
    client, server, _ = client_of({"clear": 3}, hello=able)
    assert client._rpc("clear") == 3
    assert greetings(server) == [True, True]
    assert server.seqs("clear") == [(None, 1)]


def test_forked_child_has_a_session_of_its_own(monkeypatch):
    """The parent's numbers are the parent's."""
    client, server, _ = client_of({"clear": 3})
    client._rpc("clear")
    pid = os.getpid() + 1
    monkeypatch.setattr("coordinate_client.transport_sync.os.getpid", lambda: pid)
    client._rpc("clear")
    assert greetings(server) == [True, True]
    assert server.seqs("clear") == [(1, 1), (1, 1)]


def test_greeting_that_breaks_is_tried_again():
    """Nothing was sent yet, so the outcome is no question."""
    said = Hello()
    client, server, _ = client_of({"clear": 3})
    server.hello = [LOST, Turn(said)]
    assert client._rpc("clear") == 3
    assert server.seqs("clear") == [(1, 1)]


def test_second_greeting_that_breaks_is_tried_again():
    """The one that opens a session on a connection that is there."""
    said = Hello()
    client, server, _ = client_of({"worker_stats": {}, "clear": 3})
    server.hello = [Turn(said), LOST, Turn(said)]
    client._rpc("worker_stats")
    assert client._rpc("clear") == 3
    assert (len(server.connected), said.opened) == (2, 1)


def test_retries_that_are_used_up_are_a_failed_connection():
    """As ever: whether it was done then, is not known either."""
    client, server, _ = client_of({"clear": [LOST]}, {"address": "one:1", "retries": 1})
    with pytest.raises(ConnectionFailed, match="reset"):
        client._rpc("clear")
    assert server.seqs("clear") == [(1, 1), (1, 1)]
    server.answers["clear"] = 3
    assert client._rpc("clear") == 3
    assert server.seqs("clear")[-1] == (2, 2)


def test_unit_is_finished_once_over_two_connections():
    """What callers see of it all: nothing."""
    server = ScriptedServer(
        {"get_work": (("s", "k", {}), None), "update_work_unit": [LOST, Turn((True, None))]},
        hello=Hello(),
    )
    assert server.client(TaskMaster).get_work("w").finish()
    assert server.seqs("update_work_unit") == [(2, 2), (2, 2)]
