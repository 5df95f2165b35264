"""The recording of 0.1.5's client and server, replayed byte for byte against this server."""

import json
from pathlib import Path

import cbor2
import pytest

from tests.server.independent_client import unpack

EXCHANGES = json.loads((Path(__file__).parents[1] / "wire" / "transcript-0.1.5.json").read_text())
# Keys whose values are moments of the day of the recording.
MOMENTS = (b"expiration", b"expires")
# What this server adds: the recorded one meant to send it, and sent another map.
ADDED = (b"age_seconds",)


def content(data):
    """The message in its wrapper, keeping byte strings, texts and tuples apart."""
    outer = cbor2.loads(data)
    assert outer.tag == 24
    return unpack(outer.value)


def moments_hidden(value):
    """The value with a word in place of each moment, and without what may be added."""
    if isinstance(value, dict):
        return {
            key: f"a {type(inner).__name__}" if key in MOMENTS else moments_hidden(inner)
            for key, inner in value.items()
            if key not in ADDED
        }
    if isinstance(value, list | tuple):
        return type(value)(moments_hidden(inner) for inner in value)
    return value


def typed(value):
    """The value with the type of everything in it, so that 1, 1.0 and True are three things."""
    if isinstance(value, dict):
        return {typed(key): typed(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([type(value).__name__, *[typed(inner) for inner in value]])
    return (type(value).__name__, value)


def test_recording_is_complete():
    """There are sixty exchanges."""
    assert len(EXCHANGES["exchanges"]) == 60


@pytest.mark.parametrize("data", ["--memory", "--data"])
def test_every_exchange_is_answered_alike(start, connect, tmp_path, data):
    """Each answer means what the recorded one means, to the type; errors are errors."""
    arguments = ("--memory",) if data == "--memory" else ("--data", tmp_path / "q.db")
    client = connect(start(*arguments), native_bytes=True)
    for number, exchange in enumerate(EXCHANGES["exchanges"]):
        client.sock.sendall(bytes.fromhex(exchange["request_hex"]))
        answer = client.receive()
        if exchange["response_hex"] is None:
            # The recording leaves out the bytes of errors: they have paths of its machine.
            assert "b'error'" in exchange["response"]
            assert set(answer) == {b"id", b"error"}
            assert answer[b"id"] == exchange["response"]["b'id'"]
            assert isinstance(answer[b"error"][b"message"], bytes)
            continue
        recorded = content(bytes.fromhex(exchange["response_hex"]))
        shown = typed(moments_hidden(answer))
        assert shown == typed(moments_hidden(recorded)), (number, exchange["request"])
