"""Frames out of any pieces, and sizes refused before their bytes have come."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinate_protocol.codec import encode
from coordinate_protocol.errors import DecodeError, LimitError
from coordinate_protocol.framing import Frame, Framer, sole_payload, wrap
from coordinate_protocol.limits import Limits
from coordinate_protocol.scanner import Scanner

PAYLOADS = (
    st.lists(st.integers() | st.text() | st.binary(max_size=400), max_size=6)
    | st.dictionaries(st.text(), st.lists(st.floats() | st.none()), max_size=6)
).map(encode)


def frames_of(framer, pieces):
    """The frames that come while the pieces are fed."""
    found = []
    for piece in pieces:
        framer.feed(piece)
        found.extend(framer.frames())
    return found


def cut(data, places):
    """The bytes in pieces, cut at the places."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


@given(
    st.lists(st.tuples(PAYLOADS, st.booleans()), max_size=6),
    st.lists(st.integers(0, 10_000), max_size=20),
)
def test_pieces_make_no_difference(messages, places):
    """However the stream is cut, the same frames come out, and nothing is left."""
    data = b"".join(wrap(payload) if wrapped else payload for payload, wrapped in messages)
    framer = Framer()
    found = frames_of(framer, cut(data, places))
    assert found == [Frame(payload, wrapped) for payload, wrapped in messages]
    assert framer.buffered == 0
    framer.eof()


@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=5))
def test_garbage_fails_alike_however_it_is_cut(data, places):
    """The same frames come before the same error, in one piece or many."""
    assert outcome([data]) == outcome(cut(data, places))


def outcome(pieces):
    """What comes out, and the error at the end, if any."""
    framer = Framer()
    found: list[Frame] = []
    try:
        for piece in pieces:
            framer.feed(piece)
            found.extend(framer.frames())
    except (DecodeError, LimitError) as error:
        return found, type(error)
    return found, framer.buffered


@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 65535, 65536, 70000])
def test_wrapper_is_as_short_as_it_can_be(size):
    """The head grows with the size, and every size comes back."""
    payload = bytes(size)
    data = wrap(payload)
    assert len(data) - size == 3 + (size > 23) + (size > 255) + 2 * (size > 65535)
    assert frames_of(Framer(), [data]) == [Frame(payload, wrapped=True)]


@pytest.mark.parametrize("wrapped", [True, False])
def test_message_of_the_largest_size_is_taken_and_one_more_is_not(wrapped):
    """The limit is on the message itself, in a wrapper or not, and it is exact."""
    limits = Limits(message_bytes=300)
    good, bad = encode([bytes(296)]), encode([bytes(297)])
    assert (len(good), len(bad)) == (300, 301)
    outer = wrap if wrapped else bytes
    assert frames_of(Framer(limits), [outer(good)]) == [Frame(good, wrapped)]
    framer = Framer(limits)
    with pytest.raises(LimitError) as caught:
        frames_of(framer, [outer(bad)[:6]])
    assert str(caught.value) == (
        "message of 301 bytes is over the limit of 300 (setting: server.limits.message_bytes)"
    )
    assert (caught.value.limit, caught.value.value) == (300, 301)


def test_default_limit_is_exact_too():
    """16 MiB are taken, one byte more is refused on its head alone."""
    size = 16 * 2**20
    framer = Framer()
    framer.feed(b"\xd8\x18\x5a" + size.to_bytes(4, "big"))
    assert list(framer.frames()) == []
    framer.feed(b"\xd8\x18\x5a" + bytes(size - 3))
    (frame,) = framer.frames()
    assert len(frame.payload) == size
    framer.feed(b"\xd8\x18\x5a" + (size + 1).to_bytes(4, "big"))
    with pytest.raises(LimitError, match="message of 16777217 bytes"):
        list(framer.frames())


def test_many_small_items_are_refused_by_their_number():
    """An array of more items than the message may have bytes cannot fit."""
    framer = Framer(Limits(message_bytes=100))
    with pytest.raises(LimitError, match="message of 103 bytes"):
        frames_of(framer, [b"\x98\x65"])


@pytest.mark.parametrize("wrapped", [True, False])
def test_stream_that_ends_within_a_message_is_noticed(wrapped):
    """A message cut off at any byte is an error at the end of the stream."""
    data = encode({"id": 1, "method": "clear", "params": []})
    data = wrap(data) if wrapped else data
    for size in range(1, len(data)):
        framer = Framer()
        assert frames_of(framer, [data[:size]]) == []
        with pytest.raises(DecodeError, match=f"after {size} bytes"):
            framer.eof()


def test_hundred_thousand_nested_arrays_are_refused_while_they_come():
    """A bare message is refused at the first level too many."""
    framer = Framer()
    framer.feed(b"\x81" * 32)
    assert list(framer.frames()) == []
    framer.feed(b"\x81" * 99_968)
    with pytest.raises(LimitError, match="nesting of 33"):
        list(framer.frames())


def test_scanner_looks_at_each_head_once():
    """A large bare message in single bytes costs one look a byte, not one at all that came."""

    class Counted(bytearray):
        looks = 0

        def __getitem__(self, key):
            Counted.looks += 1
            return super().__getitem__(key)

    data = encode([bytes(100)] * 100)
    buffer, scanner, ended = Counted(), Scanner(Limits()), False
    for byte in data:
        assert not ended
        buffer.append(byte)
        ended = scanner.advance(buffer)
    assert ended
    assert Counted.looks < 6 * 102


def test_buffered_counts_what_has_not_become_a_frame():
    """A message that has begun shows in `buffered` until it is complete."""
    framer = Framer()
    message = wrap(encode([1]))
    assert frames_of(framer, [message + message[:2]]) == [Frame(encode([1]), wrapped=True)]
    assert framer.buffered == 2
    assert frames_of(framer, [message[2:]]) == [Frame(encode([1]), wrapped=True)]
    assert framer.buffered == 0


def test_nothing_fed_is_nothing_found():
    """An empty piece is allowed."""
    assert frames_of(Framer(), [b"", b""]) == []


@given(PAYLOADS, st.booleans(), st.binary(max_size=3))
def test_a_message_that_is_alone_is_what_a_framer_makes_of_it(payload, wrapped, more):
    """Anything else is left to the framer."""
    data = (wrap(payload) if wrapped else payload) + more
    alone = sole_payload(data, Limits())
    if wrapped and not more:
        assert alone is not None
        assert frames_of(Framer(), [data]) == [Frame(alone, wrapped=True)]
    else:
        assert alone is None
    assert all(sole_payload(data[:end], Limits()) is None for end in range(len(data) - len(more)))
