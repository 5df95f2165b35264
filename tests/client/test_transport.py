"""The socket of the blocking half: its time limits, and what they cost."""

import socket

import pytest

from coordinate_client.transport_sync import Transport


class CountedSocket(socket.socket):
    """A socket that notes its time limits."""

    limits: list

    def settimeout(self, value):
        self.limits.append(value)
        super().settimeout(value)


@pytest.fixture
def ends():
    """A transport with its socket, and the other end."""
    ours, other = socket.socketpair()
    counted = CountedSocket(fileno=ours.detach())
    counted.limits = []
    with counted, other:
        yield Transport(counted, 30), counted, other


def test_the_same_limit_is_set_once(ends):
    """To set it is a call to the system."""
    transport, counted, other = ends
    for _ in range(3):
        transport.send(b"ask")
        assert other.recv(10) == b"ask"
        other.sendall(b"answer")
        assert transport.receive(30) == b"answer"
    assert counted.limits == [30]


def test_another_limit_holds_for_what_follows(ends):
    """And the first one again after that."""
    transport, counted, other = ends
    transport.send(b"ask")
    with pytest.raises(TimeoutError):
        transport.receive(0.001)
    transport.send(b"ask")
    other.sendall(b"answer")
    assert transport.receive(60) == b"answer"
    assert counted.limits == [30, 0.001, 30, 60]


def test_a_large_answer_comes_in_pieces(ends):
    """All of it."""
    transport, _, other = ends
    other.sendall(b"x" * 100_000)
    received = b""
    while len(received) < 100_000:
        received += transport.receive(30)
    assert received == b"x" * 100_000
