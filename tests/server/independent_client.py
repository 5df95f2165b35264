"""A client written from docs/protocol.md alone, with a CBOR library and nothing of the project."""

import cbor2

WRAPPER = 24
TUPLE = 128


class ServerError(Exception):
    """The server's answer was an error; its message is the text."""


class Closed(Exception):
    """The server closed the connection."""


def _tuple(value, immutable):
    return tuple(value)


def _encode_tuple(encoder, value):
    encoder.encode(cbor2.CBORTag(TUPLE, list(value)))


def pack(value):
    """Encode a value, tuples as tag 128."""
    return cbor2.dumps(value, encoders={tuple: _encode_tuple})


def unpack(data):
    """Decode a value, tag 128 as tuples."""
    return cbor2.loads(data, semantic_decoders={TUPLE: _tuple})


def as_bytes(value):
    """What a Python 2 program sends: every string a byte string, map keys too."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict):
        return {as_bytes(key): as_bytes(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(as_bytes(inner) for inner in value)
    return value


def wrap(payload):
    """Put an encoded message into its wrapper."""
    return cbor2.dumps(cbor2.CBORTag(WRAPPER, payload))


class Client:
    """Speaks to one server over one socket."""

    def __init__(self, sock, *, wrapped=True, native_bytes=False):
        self.sock = sock
        self.wrapped = wrapped
        self.native_bytes = native_bytes
        self._next = 0
        self._buffer = b""

    def close(self):
        self.sock.close()

    # ---- lock-step, pipeline, batch ----

    def call(self, method, *params, **keywords):
        """Send one request and wait for its answer."""
        sent = self.send(method, *params, **keywords)
        answer = self.receive()
        assert answer[self._name("id")] == sent
        return self._result(answer)

    def send(self, method, *params, **keywords):
        """Send one request and give its id."""
        request = self.request(method, *params, **keywords)
        self.sock.sendall(self.message(request))
        return request["id"]

    def batch(self, *calls):
        """Send many requests in one message; give their results in order."""
        requests = [self.request(method, *params) for method, *params in calls]
        self.sock.sendall(self.message(requests))
        answers = self.receive()
        assert isinstance(answers, list)
        assert [a[self._name("id")] for a in answers] == [r["id"] for r in requests]
        return [self._result(answer) for answer in answers]

    def request(self, method, *params, **keywords):
        """Make a request with the next id."""
        self._next += 1
        return {"id": self._next, "method": method, "params": keywords or list(params)}

    def message(self, value):
        """Encode a message in this client's style."""
        payload = pack(as_bytes(value) if self.native_bytes else value)
        return wrap(payload) if self.wrapped else payload

    # ---- what comes ----

    def receive(self):
        """Wait for one message; checks that it comes in the style that was sent."""
        value = self._item()
        if isinstance(value, cbor2.CBORTag) and value.tag == WRAPPER:
            assert self.wrapped
            return unpack(value.value)
        assert not self.wrapped
        return unpack(pack(value))

    def error(self):
        """Wait for an answer that is an error and give its message."""
        return self.receive()["error"]["message"]

    def rest(self):
        """Read until the server closes, and give what came."""
        while data := self.sock.recv(65536):
            self._buffer += data
        return self._buffer

    def _item(self):
        while True:
            size = _item_size(self._buffer, 0)
            if size is not None:
                item, self._buffer = self._buffer[:size], self._buffer[size:]
                return _outer(item)
            data = self.sock.recv(1 << 20)
            if not data:
                raise Closed
            self._buffer += data

    def _result(self, answer):
        error = answer.get(self._name("error"))
        if error is not None:
            message = error[self._name("message")]
            raise ServerError(message.decode() if isinstance(message, bytes) else message)
        return answer[self._name("result")]

    def _name(self, name):
        return name.encode() if self.native_bytes else name


def _outer(item):
    if item[:2] == b"\xd8\x18":
        return cbor2.CBORTag(WRAPPER, cbor2.loads(item[2:]))
    return unpack(item)


def _item_size(data, start):
    """Give where the item that starts there ends, or None if it is not all there (RFC 8949, 3)."""
    waiting, position = 1, start
    while waiting:
        if position >= len(data):
            return None
        major, minor = data[position] >> 5, data[position] & 31
        width = {24: 1, 25: 2, 26: 4, 27: 8}.get(minor, 0)
        argument = minor if not width else int.from_bytes(data[position + 1 : position + 1 + width])
        position += 1 + width
        waiting -= 1
        if major in {2, 3}:
            position += argument
        waiting += {4: argument, 5: 2 * argument, 6: 1}.get(major, 0)
        if position > len(data):
            return None
    return position
