"""The golden bytes, for encoder and decoder: whole, in pieces, and with more bytes after them."""

import pytest

from coordinate_protocol.codec import decode, encode, encode_native_bytes
from coordinate_protocol.connection import ClientConnection, ServerConnection
from coordinate_protocol.errors import DecodeError, ProtocolError, RequestError
from coordinate_protocol.framing import Framer
from coordinate_protocol.limits import Limits
from coordinate_protocol.messages import Failure, Incoming, Response
from tests.wire.notation import names, value_of, vectors

VALUES = vectors("values", "values")
REQUESTS = vectors("messages", "requests")
ANSWERS = vectors("messages", "answers")
ITEMS = vectors("errors", "items")
STREAMS = vectors("errors", "streams")
REFUSED = vectors("errors", "requests")
EXAMPLES = vectors("operations", "operations")


def limits_of(row):
    """The limits that a row is under."""
    return Limits(**{name: row[name] for name in ("message_bytes", "batch") if name in row})


def same(one, other):
    """Equality that sees types: 1 is not 1.0, nor True; a tuple is no list."""
    return one == other and repr(one) == repr(other)


def requests_of(row):
    """What the requests of a row say."""
    return [(int(each["id"]), each["method"], value_of(each["params"])) for each in row["requests"]]


def said(incoming):
    """What an Incoming says, in the form of `requests_of`."""
    return [(each.id, each.method, each.params) for each in incoming.requests]


def answers_of(row):
    """The answers that a row stands for."""
    return [
        Failure(each["id"], each["error"])
        if "error" in each
        else Response(each["id"], value_of(each["result"]))
        for each in row["answers"]
    ]


@pytest.mark.parametrize("row", VALUES, ids=names(VALUES))
def test_value_decodes_to_its_text_form(row):
    """Each value's bytes mean what the vector says."""
    found = decode(bytes.fromhex(row["hex"]), integer_keys=row.get("integer_keys", False))
    assert same(found, value_of(row["value"]))


@pytest.mark.parametrize("row", VALUES, ids=names(VALUES))
def test_value_encodes_to_its_bytes(row):
    """Each value is written in its one form; the other forms are read only."""
    found = encode(value_of(row["value"])).hex()
    assert (found == row["hex"]) is not row.get("decode_only", False)


@pytest.mark.parametrize("row", VALUES, ids=names(VALUES))
def test_value_with_a_byte_more_or_less_is_refused(row):
    """An item is all of the bytes it is given in."""
    data = bytes.fromhex(row["hex"])
    for other in (data[:-1], data + b"\x00", data + data, data + b"\xff"):
        with pytest.raises(DecodeError):
            decode(other, integer_keys=row.get("integer_keys", False))


@pytest.mark.parametrize("row", REQUESTS, ids=names(REQUESTS))
def test_request_is_read_whole(row):
    """A request's bytes say what the vector says, and how it is to be answered."""
    (incoming,) = ServerConnection().receive(bytes.fromhex(row["hex"]))
    assert same(said(incoming), requests_of(row))
    style = (incoming.wrapped, incoming.batch, incoming.native_bytes)
    assert style == (row["wrapped"], row["batch"], row["native_bytes"])


@pytest.mark.parametrize("row", REQUESTS, ids=names(REQUESTS))
def test_request_is_read_byte_by_byte(row):
    """Pieces make no difference, and nothing comes before the last byte."""
    data = bytes.fromhex(row["hex"])
    connection = ServerConnection()
    for index in range(len(data) - 1):
        assert list(connection.receive(data[index : index + 1])) == []
        assert connection.buffered == index + 1
    (incoming,) = connection.receive(data[-1:])
    assert same(said(incoming), requests_of(row))
    assert connection.buffered == 0


@pytest.mark.parametrize("row", REQUESTS, ids=names(REQUESTS))
def test_request_is_read_with_others_in_one_segment(row):
    """Two and a half messages in one segment give two, and the third when its end comes."""
    data = bytes.fromhex(row["hex"])
    connection = ServerConnection()
    assert len(list(connection.receive(data + data + data[:2]))) == 2
    (incoming,) = connection.receive(data[2:])
    assert same(said(incoming), requests_of(row))


@pytest.mark.parametrize("row", ANSWERS, ids=names(ANSWERS))
def test_answer_is_written_in_the_style_of_the_request(row):
    """The server writes exactly the vector's bytes."""
    marks = {key: row[key] for key in ("wrapped", "batch", "native_bytes")}
    request = RequestError("whatever it was")
    incoming = Incoming((request,) * len(row["answers"]), **marks)
    written = ServerConnection().reply(incoming, answers_of(row))
    assert written.hex() == row["hex"]


@pytest.mark.parametrize("row", ANSWERS, ids=names(ANSWERS))
def test_answer_is_read_whole_and_in_pieces(row):
    """A client reads what the server wrote, however it comes; byte strings stay such as values."""
    data = bytes.fromhex(row["hex"])
    whole = list(ClientConnection().receive(data))
    connection = ClientConnection()
    pieces = [answer for byte in data for answer in connection.receive(bytes([byte]))]
    assert whole == pieces
    if not row["native_bytes"]:
        assert same(whole, answers_of(row))
    assert [encode_native_bytes(answer_value(each)) for each in whole] == [
        encode_native_bytes(answer_value(each)) for each in answers_of(row)
    ]


def answer_value(answer):
    """The parts of an answer, as a value."""
    return [answer.id, getattr(answer, "result", None), getattr(answer, "message", None)]


@pytest.mark.parametrize("row", ITEMS, ids=names(ITEMS))
def test_item_is_refused_with_its_code(row):
    """What is no allowed item is refused, and the error says why."""
    with pytest.raises(ProtocolError) as caught:
        decode(bytes.fromhex(row["hex"]))
    assert caught.value.code == row["code"]
    assert row["says"] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("row", STREAMS, ids=names(STREAMS))
def test_stream_is_refused_at_the_byte_that_makes_it_certain(row):
    """The bytes before are taken; the error comes with the one that leaves no doubt."""
    data = bytes.fromhex(row["hex"])
    framer = Framer(limits_of(row))
    for byte in data[: row["at"] - 1]:
        framer.feed(bytes([byte]))
        assert list(framer.frames()) == []
    framer.feed(data[row["at"] - 1 : row["at"]])
    with pytest.raises(ProtocolError) as caught:
        list(framer.frames())
    assert caught.value.code == row["code"]
    assert row["says"] in str(caught.value)


@pytest.mark.parametrize("row", STREAMS, ids=names(STREAMS))
def test_stream_is_refused_after_the_messages_before(row):
    """A good message is given before the bad one in the same segment is complained of."""
    good = encode([])
    framer = Framer(limits_of(row))
    framer.feed(good + bytes.fromhex(row["hex"]))
    frames = framer.frames()
    assert next(frames).payload == good
    with pytest.raises(ProtocolError):
        next(frames)


@pytest.mark.parametrize("row", REFUSED, ids=names(REFUSED))
def test_message_that_is_no_request_is_answerable(row):
    """It comes as a RequestError with the id that can be told, and the next message is read."""
    connection = ServerConnection(limits_of(row))
    good = bytes.fromhex(REQUESTS[0]["hex"])
    first, second = connection.receive(bytes.fromhex(row["hex"]) + good)
    (error,) = first.requests
    assert isinstance(error, RequestError)
    assert (error.code, error.request_id) == (row["code"], row["id"])
    assert row["says"] in str(error)
    assert not first.batch
    assert said(second) == requests_of(REQUESTS[0])


@pytest.mark.parametrize("row", EXAMPLES, ids=names(EXAMPLES))
def test_example_of_an_operation_is_written_and_read(row):
    """The examples are the bytes that our client and our server write."""
    client, server = ClientConnection(), ServerConnection()
    _, sent = client.request(row["name"], value_of(row["params"]))
    assert sent.hex() == row["request_hex"]
    (incoming,) = server.receive(sent)
    assert same(said(incoming)[0][2], value_of(row["params"]))
    answer = Response(1, value_of(row["result"]))
    written = server.reply(incoming, [answer])
    assert written.hex() == row["answer_hex"]
    assert same(list(client.receive(written)), [answer])
