"""Calls: connecting, greeting, trying again, and what is not tried again."""

import os
import threading

import pytest

from coordinate_client import (
    CborRpcClient,
    ConnectionFailed,
    InvalidAnswer,
    ProgrammerError,
    RpcError,
    Unsupported,
)
from tests.client.scripted import OLD_HELLO, Break, ScriptedServer, Turn


def test_first_call_connects_and_greets_with_the_namespace():
    """Nothing is connected before the first call; that says hello first, once."""
    server = ScriptedServer({"clear": 3})
    client = server.client(CborRpcClient, {"address": "one:1", "namespace": "mine"})
    assert server.connected == []
    assert [client._rpc("clear"), client._rpc("clear")] == [3, 3]
    assert [method for method, _ in server.calls] == ["hello", "clear", "clear"]
    assert server.calls[0][1][0]["namespace"] == "mine"
    assert client.server is not None
    assert client.server.namespace == "n"


@pytest.mark.parametrize("words", [OLD_HELLO, Exception("No such method")])
def test_old_server_is_spoken_to_without_a_greeting(words):
    """Either way of not knowing hello means 0.1.5, whatever namespace is configured."""
    server = ScriptedServer({"clear": 3}, hello=words)
    client = server.client(CborRpcClient, {"address": "one:1", "namespace": "mine"})
    assert client._rpc("clear") == 3
    assert client.server is None


def test_refused_greeting_is_an_error():
    """A server that knows hello and says no is not taken for an old one."""
    server = ScriptedServer({"clear": 3}, hello=Exception("no protocol in common"))
    with pytest.raises(RpcError, match="no protocol in common"):
        server.client(CborRpcClient)._rpc("clear")


def test_new_method_is_not_sent_to_an_old_server():
    """What came after 0.1.5 is refused with a word on why."""
    server = ScriptedServer(hello=OLD_HELLO)
    with pytest.raises(Unsupported, match=r"0\.1\.5 server"):
        server.client(CborRpcClient)._rpc("hello", [{}])


def test_unknown_method_is_unsupported():
    """The documented answer to an unknown method has a type of its own."""
    server = ScriptedServer({"nope": Exception("No such method")})
    with pytest.raises(Unsupported, match="No such method") as caught:
        server.client(CborRpcClient)._rpc("nope")
    assert caught.value.method == "nope"


def test_error_of_the_server_is_not_tried_again():
    """An answer is an answer, also when it is an error."""
    server = ScriptedServer({"clear": Exception("ValueError('x')")})
    with pytest.raises(RpcError, match="ValueError"):
        server.client(CborRpcClient)._rpc("clear")
    assert server.pauses == []
    assert len(server.connected) == 1


def test_pauses_double_until_the_retries_are_used_up():
    """Retries 5: six attempts, with 0.5, 1, 2, 4 and 8 seconds between them, as in 0.1.5."""
    server = ScriptedServer(refused={"one:1"})
    with pytest.raises(
        ConnectionFailed, match=r"clear: no server at one:1: one:1 refused"
    ) as caught:
        server.client(CborRpcClient)._rpc("clear")
    assert server.pauses == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert len(server.connected) == 6
    assert isinstance(caught.value, OSError)


def test_next_address_is_tried_at_once():
    """The pause comes after a whole round; the error names every address."""
    config = {"address": "one:1", "addresses": ["two:2", "three:3"], "retries": 1}
    server = ScriptedServer({"clear": 1}, refused={"one:1", "two:2"})
    client = server.client(CborRpcClient, config)
    assert client._rpc("clear") == 1
    assert (server.connected, server.pauses) == (["one:1", "two:2", "three:3"], [])
    client.close()
    server.refused.add("three:3")
    with pytest.raises(ConnectionFailed) as caught:
        client._rpc("clear")
    assert caught.value.addresses == ("one:1", "two:2", "three:3")
    assert server.pauses == [0.5]


@pytest.mark.parametrize("error", [ConnectionResetError("reset"), TimeoutError("silent")])
def test_call_whose_connection_broke_is_made_again(error):
    """Over a new connection, which is greeted too."""
    server = ScriptedServer({"clear": [Turn(Break(error)), Turn(7)]})
    assert server.client(CborRpcClient)._rpc("clear") == 7
    assert [method for method, _ in server.calls] == ["hello", "clear", "hello", "clear"]
    assert server.pauses == [0.5]


@pytest.mark.parametrize(
    "raw", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xa2\x62id\x18\x63\x66result\x01"]
)
def test_nonsense_from_the_server_is_an_error_and_drops_the_connection(raw):
    """Bytes that are no answer, and an answer to another call."""
    server = ScriptedServer({"clear": 1}, raw=raw)
    client = server.client(CborRpcClient)
    with pytest.raises(InvalidAnswer):
        client._rpc("clear")
    server.raw = None
    assert client._rpc("clear") == 1
    assert len(server.connected) == 2


def test_last_word_of_the_server_is_its_error():
    """A failure without an id is why the server closes; the next call connects again."""
    server = ScriptedServer({"clear": 1}, raw=b"\xa2\x62id\xf6\x65error\xa1\x67message\x63bad")
    client = server.client(CborRpcClient)
    with pytest.raises(RpcError, match="bad"):
        client._rpc("clear")
    server.raw = None
    client._rpc("clear")
    assert len(server.connected) == 2


def test_interrupted_call_drops_its_connection():
    """The answer nobody waited for does not meet the next call."""
    server = ScriptedServer({"clear": [Turn(Break(KeyboardInterrupt())), Turn(2)]})
    client = server.client(CborRpcClient)
    with pytest.raises(KeyboardInterrupt):
        client._rpc("clear")
    assert client._rpc("clear") == 2
    assert len(server.connected) == 2


def test_parameter_that_cannot_be_sent_leaves_the_connection_alone():
    """A value without a form on the wire is the caller's error."""
    server = ScriptedServer({"clear": 1})
    client = server.client(CborRpcClient)
    with pytest.raises(ProgrammerError, match="clear"):
        client._rpc("clear", [object()])
    assert client._rpc("clear") == 1
    assert len(server.connected) == 1


def test_forked_child_gets_a_connection_of_its_own(monkeypatch):
    """The parent's connection is not used under another process id."""
    server = ScriptedServer({"clear": 1})
    client = server.client(CborRpcClient)
    client._rpc("clear")
    pid = os.getpid() + 1
    monkeypatch.setattr("coordinate_client.transport_sync.os.getpid", lambda: pid)
    client._rpc("clear")
    assert len(server.connected) == 2


def test_threads_take_turns():
    """Calls of several threads share one connection and get their own answers."""
    server = ScriptedServer({"echo": lambda params: params[0]})
    client = server.client(CborRpcClient)
    client._rpc("echo", [0])
    found = {}

    def work(number):
        found[number] = [client._rpc("echo", [number]) for _ in range(50)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [number] * 50 for number in range(4)}
    assert len(server.connected) == 1


def test_close_is_not_the_end():
    """A context manager closes; the next call opens another connection."""
    server = ScriptedServer({"clear": 1})
    with server.client(CborRpcClient) as client:
        client._rpc("clear")
    client._rpc("clear")
    assert len(server.connected) == 2
