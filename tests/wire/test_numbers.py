"""The numbers that a request has within a session, and the codes that a failure may have."""

import pytest

from coordinate_protocol.codec import encode
from coordinate_protocol.connection import ClientConnection, ServerConnection
from coordinate_protocol.errors import RequestError
from coordinate_protocol.messages import Failure, Request


def requests(value):
    """What a server reads of a message."""
    (incoming,) = ServerConnection().receive(encode(value))
    return incoming.requests


def test_a_request_carries_its_number_and_the_lowest_unanswered_one():
    """What a client sends as seq and low, a server reads as that."""
    client, server = ClientConnection(), ServerConnection()
    _, data = client.request("clear", [], seq=7, low=5)
    (incoming,) = server.receive(data)
    (request,) = incoming.requests
    assert isinstance(request, Request)
    assert (request.seq, request.low) == (7, 5)


def test_a_request_without_a_number_is_as_it_always_was():
    """Not a byte more goes out, and nothing is read from what is not there."""
    _, data = ClientConnection().request("clear", [])
    assert b"seq" not in data
    assert b"low" not in data
    (request,) = requests({"id": 1, "method": "clear", "params": []})
    assert (request.seq, request.low) == (None, 1)


def test_a_client_of_byte_strings_may_number_its_calls():
    """Its envelope's keys are byte strings, these two among them."""
    (request,) = requests({b"id": 1, b"method": b"clear", b"params": [], b"seq": 2, b"low": 2})
    assert (request.seq, request.low) == (2, 2)


@pytest.mark.parametrize("seq", [0, -1, 1.5, True, "1", 2**64])
def test_a_number_that_is_none_is_refused_with_its_request(seq):
    """The failure has the request's id, and the connection goes on."""
    (refusal,) = requests({"id": 9, "method": "clear", "params": [], "seq": seq})
    assert isinstance(refusal, RequestError)
    assert refusal.request_id == 9
    assert "seq" in str(refusal)


@pytest.mark.parametrize("low", [0, 4, "1", None])
def test_the_lowest_number_is_not_above_that_of_the_call(low):
    """A client that has the answer to a call does not make it."""
    (refusal,) = requests({"id": 9, "method": "clear", "params": [], "seq": 3, "low": low})
    assert isinstance(refusal, RequestError)
    assert "low" in str(refusal)


def test_a_failure_carries_its_code():
    """It is there for programs, beside the text for people."""
    server, client = ServerConnection(), ClientConnection()
    (incoming,) = server.receive(encode({"id": 1, "method": "clear", "params": []}))
    failure = Failure(1, "who knows", "outcome_unknown")
    assert list(client.receive(server.reply(incoming, [failure]))) == [failure]


def test_a_code_that_is_no_text_is_no_code():
    """Whatever a server says there, the text is what counts."""
    data = encode({"id": 1, "error": {"message": "no", "code": 7}})
    assert list(ClientConnection().receive(data)) == [Failure(1, "no")]
