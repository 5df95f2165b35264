"""Both ends of a connection, over bytes that are handed across by the test."""

import pytest

from coordinate_protocol.codec import decode, encode, encode_native_bytes
from coordinate_protocol.connection import ClientConnection, ServerConnection
from coordinate_protocol.errors import DecodeError, EncodeError, LimitError, RequestError
from coordinate_protocol.framing import Framer, wrap
from coordinate_protocol.limits import Limits
from coordinate_protocol.messages import Failure, Request, Response
from coordinate_protocol.values import Encoded


def native(value):
    """A message of a client whose strings are byte strings."""
    return wrap(encode_native_bytes(value))


def test_request_and_answer_cross():
    """What the client asks the server reads, and what it answers the client reads."""
    client, server = ClientConnection(), ServerConnection()
    request_id, sent = client.request("get_work_spec", {"work_spec_name": "s"})
    (incoming,) = server.receive(sent)
    assert incoming.requests == (Request(1, "get_work_spec", {"work_spec_name": "s"}),)
    written = server.reply(incoming, [Response(1, {"name": "s"})])
    assert list(client.receive(written)) == [Response(request_id, {"name": "s"})]


def test_ids_count_from_one_and_a_failed_request_takes_none():
    """A request that cannot be sent leaves no hole."""
    client = ClientConnection()
    assert client.request("clear", [])[0] == 1
    with pytest.raises(EncodeError):
        client.request("clear", [{1}])
    assert client.batch([("clear", []), ("clear", [])])[0] == [2, 3]
    assert client.request("clear", [])[0] == 4


def test_batch_is_answered_in_its_order():
    """Answers of a batch come as one array."""
    client, server = ClientConnection(), ServerConnection()
    ids, sent = client.batch([("clear", []), ("mode_counts", [])])
    (incoming,) = server.receive(sent)
    assert incoming.batch
    answers: list[Response | Failure] = [Response(ids[0], 0), Failure(ids[1], "no")]
    assert list(client.receive(server.reply(incoming, answers))) == answers


def test_empty_batch_is_the_callers_mistake():
    """A client does not send what a server refuses."""
    with pytest.raises(ValueError, match="batch of 0"):
        ClientConnection().batch([])


def test_pipelined_answers_are_told_by_their_ids():
    """Answers may come in any order, and a batch's answer may stand among them."""
    client, server = ClientConnection(), ServerConnection()
    first, second = client.request("clear", [])[1], client.request("clear", [])[1]
    one, two = server.receive(first + second)
    data = server.reply(two, [Response(2, "b")]) + server.reply(one, [Response(1, "a")])
    assert list(client.receive(data)) == [Response(2, "b"), Response(1, "a")]


def test_item_of_a_batch_that_is_no_request_is_answered_alone():
    """The others in the batch are requests as ever."""
    server = ServerConnection()
    batch = [{"id": 1, "method": "clear", "params": []}, 5, {"id": 3, "params": []}]
    (incoming,) = server.receive(wrap(encode(batch)))
    good, bad, nameless = incoming.requests
    assert good == Request(1, "clear", [])
    assert isinstance(bad, RequestError)
    assert isinstance(nameless, RequestError)
    assert (bad.request_id, nameless.request_id) == (None, 3)
    assert incoming.batch


def test_batch_to_the_limit_is_taken():
    """The limit itself is allowed."""
    one = {"id": 1, "method": "clear", "params": []}
    server = ServerConnection(Limits(batch=3))
    full, over = server.receive(wrap(encode([one] * 3)) + wrap(encode([one] * 4)))
    assert len(full.requests) == 3
    assert str(over.requests[0]) == (
        "batch of 4 requests is over the limit of 3 (setting: server.limits.batch)"
    )


def test_refusal_is_wrapped_text_without_an_id():
    """The last word of a server is one every client can read."""
    server = ServerConnection()
    with pytest.raises(DecodeError) as caught:
        list(server.receive(b"GET / HTTP/1.1\r\n"))
    data = server.refusal(caught.value)
    assert data[:2] == b"\xd8\x18"
    assert list(ClientConnection().receive(data)) == [Failure(None, str(caught.value))]
    assert "GET / HTTP/1.1" in str(caught.value)


def test_refusal_names_the_request_where_it_is_known():
    """An id makes the failure an answer."""
    data = ServerConnection().refusal(LimitError("{} requests", "requests_in_flight", 1, 2), 9)
    (failure,) = ClientConnection().receive(data)
    assert isinstance(failure, Failure)
    assert failure.id == 9
    assert "server.limits.requests_in_flight" in failure.message


def test_messages_before_the_bad_one_are_given():
    """The error comes when the iteration reaches it."""
    server = ServerConnection()
    coming = server.receive(ClientConnection().request("clear", [])[1] + b"\x00")
    assert next(coming).requests == (Request(1, "clear", []),)
    with pytest.raises(DecodeError, match="begins no message"):
        next(coming)


def test_byte_string_client_is_answered_in_byte_strings():
    """Every string of ours is bytes; text among the values of a user stays text."""
    server = ServerConnection()
    (incoming,) = server.receive(native({"id": 1, "method": "get_work", "params": ["w", {}]}))
    assert incoming.requests == (Request(1, "get_work", [b"w", {}], native_bytes=True),)
    data = Encoded(encode({"title": "text"}))
    written = server.reply(incoming, [Response(1, (("s", "k", data), None))])
    (answer,) = decode_wrapped(written)
    assert answer == {b"id": 1, b"result": ((b"s", b"k", {b"title": "text"}), None)}


def decode_wrapped(data):
    """The messages in wrappers."""
    framer = Framer()
    framer.feed(data)
    return [decode(frame.payload) for frame in framer.frames()]


def test_style_is_decided_for_each_message():
    """A connection may carry both, through a proxy, say."""
    server = ServerConnection()
    call = {"id": 1, "method": "clear", "params": []}
    text, raw = server.receive(wrap(encode(call)) + native(call))
    assert (text.native_bytes, raw.native_bytes) == (False, True)


def test_result_that_cannot_be_sent_becomes_a_failure():
    """A plug-in's set takes nothing else down, in a batch either."""
    client, server = ClientConnection(), ServerConnection()
    (incoming,) = server.receive(client.batch([("a", []), ("b", [])])[1])
    written = server.reply(incoming, [Response(1, {1}), Response(2, "fine")])
    bad, good = client.receive(written)
    assert isinstance(bad, Failure)
    assert "set cannot be sent" in bad.message
    assert good == Response(2, "fine")


def test_failure_text_with_half_a_surrogate_pair_is_sent():
    """Messages hold what Python put there, file names included."""
    client, server = ClientConnection(), ServerConnection()
    (incoming,) = server.receive(client.request("a", [])[1])
    (failure,) = client.receive(server.reply(incoming, [Failure(1, "file \udcff")]))
    assert failure == Failure(1, "file ?")


def test_wrong_number_of_answers_is_a_mistake():
    """Each request has one answer."""
    client, server = ClientConnection(), ServerConnection()
    (incoming,) = server.receive(client.batch([("a", []), ("b", [])])[1])
    with pytest.raises(ValueError, match="1 answers to 2 requests"):
        server.reply(incoming, [Response(1, None)])


def test_answer_that_is_none_is_refused_by_the_client():
    """A client reads maps with a usable id only."""
    for value in (5, [5], {"id": "x", "result": 1}):
        with pytest.raises(DecodeError):
            list(ClientConnection().receive(encode([value])))


def test_error_of_another_shape_is_still_a_failure():
    """Other servers have sent the message alone, as bytes, or something else."""
    client = ClientConnection()
    for error, text in (("no", "no"), (b"no", "no"), ({"code": 1}, "{'code': 1}"), (None, "None")):
        assert list(client.receive(encode([{"id": 1, "error": error}]))) == [Failure(1, text)]


def test_end_of_the_stream_within_a_message_is_noticed():
    """Both ends say so."""
    for connection in (ClientConnection(), ServerConnection()):
        assert list(connection.receive(b"\xd8\x18\x45")) == []
        assert connection.buffered == 3
        with pytest.raises(DecodeError, match="ends after 3 bytes"):
            connection.eof()


def test_answer_may_be_nested_deeper_than_a_request():
    """Data as deep as a request may carry it comes back in every answer."""
    data = decode(b"\x81" * 27 + b"\x01")
    client, server = ClientConnection(), ServerConnection()
    _, sent = client.request("add_work_units", ["s", [("k", data)]])
    (incoming,) = server.receive(sent)
    assert incoming.requests == (Request(1, "add_work_units", ["s", [("k", data)]]),)
    child = {"w": [{"work_unit_data": data}]}
    (answer,) = client.receive(server.reply(incoming, [Response(1, (child, None))]))
    assert answer == Response(1, (child, None))


@pytest.mark.parametrize("style", [wrap, bytes])
@pytest.mark.parametrize("result", [None, "x" * 20, "x" * 300])
def test_one_answer_is_the_same_whole_and_in_pieces(style, result):
    """`answer` says None until it is complete, and nothing of it is left for the next one."""
    data = style(encode({"id": 1, "result": result}))
    client = ClientConnection()
    assert client.answer(data) == Response(1, result)
    for place in range(1, len(data)):
        assert client.answer(data[:place]) is None
        assert client.answer(data[place:]) == Response(1, result)
    assert not client.buffered


def test_an_answer_that_is_too_large_is_refused_before_all_of_it_is_there():
    """And where all of it is."""
    data = wrap(encode({"id": 1, "result": "x" * 100}))
    for part in (data[:10], data):
        with pytest.raises(LimitError, match="message of 114 bytes"):
            ClientConnection(Limits(message_bytes=50)).answer(part)


def test_an_empty_list_answers_nothing():
    """What comes after it may."""
    client = ClientConnection()
    assert client.answer(wrap(encode([]))) is None
    assert client.answer(wrap(encode([{"id": 3, "result": 1}]))) == Response(3, 1)
