"""A client written from the document alone, and input that the server must survive."""

import socket
import uuid

import cbor2
import pytest

from tests.server.independent_client import Closed, ServerError, pack, unpack, wrap

MESSAGE_BYTES = 2000
GREETING = {"id": 1, "method": "list_worker_modes", "params": []}


@pytest.fixture
def small(start, tmp_path):
    """A server with small limits, so that a test reaches them quickly."""
    config = tmp_path / "small.yaml"
    config.write_text(f"""
coordinate:
  server:
    limits: {{message_bytes: {MESSAGE_BYTES}, message_seconds: 1, connections: 5,
      requests_in_flight: 3, batch: 10}}
""")
    return start("--memory", "-c", config)


@pytest.fixture
def bystander(small, connect):
    """Another connection, which must notice nothing."""
    client = connect(small)
    client.call("set_work_spec", {"name": "kept", "min_gb": 1})
    yield client
    assert client.call("get_work_spec", "kept") == {"name": "kept", "min_gb": 1}


@pytest.mark.parametrize("wrapped", [True, False])
def test_lock_step(server, connect, wrapped):
    """One request, one answer, in the style of the request, bare or wrapped."""
    client = connect(server, wrapped=wrapped)
    assert client.call("set_work_spec", {"name": "s", "min_gb": 1}) == (True, None)
    assert client.call("add_work_units", "s", [("a", {"n": (1, b"x")})]) == (True, None)
    assert client.call("get_work", "w", {}) == (("s", "a", {"n": (1, b"x")}), None)


def test_call_by_keyword(client):
    """Parameters may be given by their names."""
    assert client.call("get_work_spec", work_spec_name="none") is None


def test_pipeline(client):
    """Requests may be sent without waiting; their answers come in order."""
    ids = [client.send("count_work_units", f"s{n}") for n in range(500)]
    answers = [client.receive() for _ in ids]
    assert [answer["id"] for answer in answers] == ids
    assert answers[7]["result"] == (False, "no such work_spec 's7'")


def test_pipeline_beyond_requests_in_flight(small, connect, bystander):
    """More requests than may be in flight are answered all the same, later."""
    client = connect(small)
    requests = [client.request("mode_counts") for _ in range(100)]
    client.sock.sendall(b"".join(client.message(request) for request in requests))
    assert [client.receive()["id"] for _ in requests] == [r["id"] for r in requests]


def test_batch(client):
    """An array of requests is answered by an array in its order; a failed one fails alone."""
    calls: list[tuple] = [
        ("set_work_spec", {"name": "s", "min_gb": 1}),
        ("add_work_units", "s", [("k", {})]),
        ("count_work_units", "s"),
    ]
    assert client.batch(*calls) == [(True, None), (True, None), ({1: 1}, None)]
    requests = [client.request("nonsense"), client.request("worker_stats")]
    client.sock.sendall(client.message(requests))
    first, second = client.receive()
    assert first["error"]["message"] == "No such method"
    assert second["result"]["num_workers"] == 0


def test_unknown_method(client):
    """A method that there is not gets exactly the words of the document."""
    with pytest.raises(ServerError, match=r"\ANo such method\Z"):
        client.call("no_such_method")


@pytest.mark.parametrize(
    "name", ["__init__", "_shown", "offers", "title", "limits", "call", "queue", "snapshot", ""]
)
def test_only_declared_operations_are_callable(client, name):
    """Neither private names nor other attributes can be reached, nor services not offered."""
    with pytest.raises(ServerError, match="No such method"):
        client.call(name)


@pytest.mark.parametrize(
    "params, keywords, message",
    [
        ([], {}, "get_work_spec: missing parameter 'work_spec_name'"),
        (["a", "b"], {}, "get_work_spec: 2 parameters given"),
        ([], {"name": "a"}, "get_work_spec: "),
    ],
)
def test_parameters_that_do_not_fit(client, params, keywords, message):
    """Wrong parameters are a TypeError of one line."""
    with pytest.raises(ServerError) as caught:
        client.call("get_work_spec", *params, **keywords)
    assert str(caught.value).startswith("TypeError(")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_exception_is_repr_and_traceback_without_paths(client):
    """An exception in a method is its repr, a newline, and a traceback that shows no paths."""
    with pytest.raises(ServerError) as caught:
        client.call("get_work", "w", {"max_jobs": 0})
    first, _, rest = str(caught.value).partition("\n")
    assert first == "ValueError('max_jobs is 0, out of the range 1 to 10000')"
    assert rest.startswith("Traceback (most recent call last):\n")
    assert "/" not in rest


def test_tracebacks_can_be_turned_off(start, connect, tmp_path):
    """With server.tracebacks off, only the repr is sent."""
    path = tmp_path / "off.yaml"
    path.write_text("coordinate: {server: {tracebacks: false}}")
    client = connect(start("--memory", "--config", path))
    with pytest.raises(ServerError, match=r"\AValueError\('max_jobs is 0[^\n]*\Z"):
        client.call("get_work", "w", {"max_jobs": 0})


def test_one_byte_pieces(client):
    """A message that comes byte by byte is a message."""
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for wrapped in (True, False):
        client.wrapped = wrapped
        message = client.message(client.request("mode_counts"))
        for position in range(len(message)):
            client.sock.sendall(message[position : position + 1])
        assert client.receive()["result"] == ({}, None)


def test_two_messages_in_one_segment(client):
    """Two messages that come together are answered both."""
    first, second = client.request("mode_counts"), client.request("worker_stats")
    client.sock.sendall(client.message(first) + client.message(second))
    assert [client.receive()["id"], client.receive()["id"]] == [first["id"], second["id"]]


def _of_size(size):
    """Give a request whose payload has this many bytes."""
    filler = size - len(pack(GREETING | {"method": ""})) - 2
    payload = pack(GREETING | {"method": "x" * filler})
    assert len(payload) == size
    return payload


@pytest.mark.parametrize("wrapped", [True, False])
def test_largest_message_and_one_byte_more(small, connect, bystander, wrapped):
    """The largest size allowed is a message; one byte more is refused by name of the setting."""
    client = connect(small, wrapped=wrapped)
    for size in (MESSAGE_BYTES, MESSAGE_BYTES + 1):
        payload = _of_size(size)
        client.sock.sendall(wrap(payload) if wrapped else payload)
        if size == MESSAGE_BYTES:
            assert client.receive()["error"]["message"] == "No such method"
    client.wrapped = True
    assert f"over the limit of {MESSAGE_BYTES}" in (message := client.error())
    assert "server.limits.message_bytes" in message
    assert client.rest() == b""


def test_declared_size_is_refused_before_its_bytes(small, connect, bystander):
    """A message that only says it is huge is refused at once."""
    client = connect(small)
    client.sock.sendall(bytes.fromhex("d8185a7fffffff"))
    assert "server.limits.message_bytes" in client.error()
    assert client.rest() == b""


def test_truncated_message(small, connect, bystander):
    """A message cut short by the end of the stream is told so."""
    client = connect(small)
    client.sock.sendall(client.message(client.request("mode_counts"))[:-3])
    client.sock.shutdown(socket.SHUT_WR)
    assert "the stream ends" in client.error()
    assert client.rest() == b""


def test_message_that_takes_too_long(small, connect, bystander):
    """A message once begun has to end in time; a connection without one may stay."""
    client = connect(small)
    client.sock.sendall(client.message(client.request("mode_counts"))[:-3])
    assert "server.limits.message_seconds" in client.error()
    assert client.rest() == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff\xfe\x00garbage",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x9f\x01\xff",
        b"\xd8\x2a\x41\x00",
    ],
    ids=["garbage", "HTTP", "TLS", "indefinite length", "foreign tag"],
)
def test_bytes_that_begin_no_message(small, connect, bystander, sent):
    """What cannot be followed is told so, then the connection is closed, and only that one."""
    client = connect(small)
    client.sock.sendall(sent)
    assert "message" in client.error()
    assert client.rest() == b""


def test_answers_before_garbage_still_come(small, connect, bystander):
    """What came before the garbage is answered."""
    client = connect(small)
    client.sock.sendall(client.message(client.request("mode_counts")) + b"\xff" * 100)
    assert client.receive()["result"] == ({}, None)
    assert "begins no message" in client.error()
    assert client.rest() == b""


@pytest.mark.parametrize(
    "payload",
    [
        b"\xa1\x81\x01\x02",
        b"\xa3\x62id\x01\x66method\x61x\x66params\x81\xa1\x81\x01\x02",
        b"\xa2\x61a\x01\x61a\x02",
        b"\x81" * 1000 + b"\x00",
        b"\xd8\x2a\x01",
        b"\x63abc",
        b"\x80",
        b"\xa1\x62id\x07",
        pack([GREETING] * 11),
    ],
    ids=[
        "list as map key",
        "list as map key in params",
        "duplicate key",
        "too deep",
        "foreign tag",
        "not a map",
        "empty batch",
        "no method",
        "batch too long",
    ],
)
def test_item_that_is_no_request_is_answered(small, connect, bystander, payload):
    """Inside a wrapper the end is known, so the connection goes on after the answer."""
    client = connect(small)
    client.sock.sendall(wrap(payload))
    answer = client.receive()
    assert answer["error"]["message"]
    assert client.call("mode_counts") == ({}, None)


def test_hundred_thousand_nested_arrays(server, connect):
    """Nesting costs neither the stack nor the server."""
    wrapped, bare, other = connect(server), connect(server), connect(server)
    wrapped.sock.sendall(wrap(b"\x81" * 100_000 + b"\x00"))
    assert "server.limits.nesting" in wrapped.error()
    bare.sock.sendall(b"\x81" * 100_000 + b"\x00")
    assert "server.limits.nesting" in bare.error()
    assert bare.rest() == b""
    assert other.call("mode_counts") == ({}, None)


def test_one_connection_too_many(small, connect, bystander):
    """The connection over the limit is told so and closed; the others stay."""
    clients = [connect(small) for _ in range(4)]
    for client in clients:
        assert client.call("mode_counts") == ({}, None)
    refused = connect(small)
    assert "server.limits.connections" in refused.error()
    with pytest.raises(Closed):
        refused.receive()


def test_peer_that_does_not_read_stops_nobody(server, connect):
    """A client that asks much and reads nothing is not read from; the others go on."""
    greedy, other = connect(server), connect(server)
    other.call("set_work_spec", {"name": "s", "min_gb": 1, "desc": "x" * 100_000})
    greedy.sock.settimeout(1)
    message = greedy.message(greedy.request("get_work_spec", "s"))
    with pytest.raises(TimeoutError):
        _send_for_ever(greedy.sock, message * 100)
    assert other.call("mode_counts") == ({}, None)


def _send_for_ever(sock, data):
    while True:
        sock.sendall(data)


def test_half_close_is_answered(client):
    """A client that sends all it has and closes its half gets every answer."""
    for _ in range(50):
        client.send("mode_counts")
    client.sock.shutdown(socket.SHUT_WR)
    assert len([client.receive() for _ in range(50)]) == 50
    assert client.rest() == b""


def test_tags_of_the_document_pass_and_come_back(client):
    """Big integers, UUIDs and tuples in unit data come back as they were sent."""
    data = {"big": 2**80, "less": -(2**80), "id": uuid.UUID(int=5), "t": ((1,), [b"\xff"])}
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    client.call("add_work_units", "s", [("k", data)])
    assert client.call("get_work_units", "s", {}) == ([("k", data)], None)
    assert unpack(cbor2.dumps(1)) == 1
