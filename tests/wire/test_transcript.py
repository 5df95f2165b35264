"""The recording of 0.1.5, as what its clients send and its servers answer."""

import pytest

from coordinate_protocol.catalogue import CATALOGUE
from coordinate_protocol.codec import decode, encode, encode_native_bytes
from coordinate_protocol.connection import ClientConnection, ServerConnection
from coordinate_protocol.framing import Framer
from coordinate_protocol.messages import Failure, Request, Response
from coordinate_protocol.values import Encoded
from tests.wire.notation import exchanges, recorded

EXCHANGES = exchanges()
ANSWERED = [each for each in EXCHANGES if each["response_hex"]]
FAILED = [each for each in EXCHANGES if not each["response_hex"]]


def ids(rows):
    """What pytest calls the exchanges."""
    return [f"{row['request'][repr(b'id')]} {row['request'][repr(b'method')]}" for row in rows]


def payload(hexadecimal):
    """The message in a wrapper."""
    framer = Framer()
    framer.feed(bytes.fromhex(hexadecimal))
    (frame,) = framer.frames()
    assert frame.wrapped
    return frame.payload


def test_recording_is_complete():
    """All exchanges are there, and only the two that raised have no bytes of the answer."""
    assert len(EXCHANGES) == 60
    assert len(FAILED) == 2


@pytest.mark.parametrize("row", EXCHANGES, ids=ids(EXCHANGES))
def test_recorded_request_means_what_the_recording_says(row):
    """Every request decodes to its text, byte strings and all."""
    assert recorded(decode(payload(row["request_hex"]))) == row["request"]


@pytest.mark.parametrize("row", EXCHANGES, ids=ids(EXCHANGES))
def test_recorded_request_is_a_request_of_a_byte_string_client(row):
    """The method is text, the parameters are as they were sent, and the catalogue knows them."""
    (incoming,) = ServerConnection().receive(bytes.fromhex(row["request_hex"]))
    (request,) = incoming.requests
    assert isinstance(request, Request)
    assert incoming.native_bytes
    assert request.native_bytes
    assert request.id == row["request"]["b'id'"]
    assert f"b'{request.method}'" == row["request"]["b'method'"]
    assert recorded(request.params) == row["request"]["b'params'"]
    if row in ANSWERED:
        assert list(CATALOGUE[request.method].bind(request.params).values()) == request.params


@pytest.mark.parametrize("row", ANSWERED, ids=ids(ANSWERED))
def test_recorded_answer_means_what_the_recording_says(row):
    """Every answer decodes to its text."""
    assert recorded(decode(payload(row["response_hex"]), integer_keys=True)) == row["response"]


@pytest.mark.parametrize("row", ANSWERED, ids=ids(ANSWERED))
def test_recorded_answer_is_written_alike(row):
    """What our client reads, our server writes again with the same meaning for a 0.1.5 client."""
    (answer,) = ClientConnection().receive(bytes.fromhex(row["response_hex"]))
    server = ServerConnection()
    (incoming,) = server.receive(bytes.fromhex(row["request_hex"]))
    written = server.reply(incoming, [answer])
    assert without_texts(decode(payload(written.hex()), integer_keys=True)) == without_texts(
        decode(payload(row["response_hex"]), integer_keys=True)
    )


def without_texts(value):
    """The value with its text as UTF-8 bytes: text among the values of a user is not told apart."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (list, tuple)):
        return type(value)(without_texts(item) for item in value)
    if isinstance(value, dict):
        return {without_texts(key): without_texts(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize("row", ANSWERED, ids=ids(ANSWERED))
def test_recorded_answer_embedded_keeps_text_and_bytes(row):
    """Data of users goes back to a byte-string client as the recording has it."""
    result = decode(payload(row["response_hex"]), integer_keys=True)[b"result"]
    again = decode(encode_native_bytes(Encoded(encode(result))), integer_keys=True)
    assert recorded(again) == recorded(result)


def test_client_reads_names_of_map_keys_as_text():
    """From a server of 0.1.5, map keys come as text, names as the bytes that they are."""
    row = next(each for each in ANSWERED if each["request"]["b'method'"] == "b'get_work_spec'")
    (answer,) = ClientConnection().receive(bytes.fromhex(row["response_hex"]))
    assert isinstance(answer, Response)
    assert answer.result["name"] == b"first"
    assert answer.result["desc"] == "caf\u00e9"


def test_byte_string_failure_is_read():
    """A failure in byte strings has its message as text."""
    server = ServerConnection()
    (incoming,) = server.receive(bytes.fromhex(FAILED[0]["request_hex"]))
    failure = Failure(FAILED[0]["request"]["b'id'"], "No such method")
    data = server.reply(incoming, [failure])
    assert b"\x45error" in data
    assert list(ClientConnection().receive(data)) == [failure]
