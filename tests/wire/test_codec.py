"""The codec beyond the vectors: any value, any bytes, and what only Python has."""

import enum
import math
from collections import OrderedDict, namedtuple
from uuid import UUID

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinate_protocol.codec import decode, encode, encode_native_bytes, request_id_of
from coordinate_protocol.errors import DecodeError, EncodeError, LimitError, ProtocolError
from coordinate_protocol.limits import ANSWER_LIMITS, Limits
from coordinate_protocol.scanner import Scanner
from coordinate_protocol.values import Encoded

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.uuids()
)
KEYS = st.text() | st.binary()


def containers(inner):
    """Values one level up."""
    return (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=5)
    )


ANY_VALUE = st.recursive(SCALARS, containers, max_leaves=20)


def contains(value, kind):
    """Whether a value of a type is in there, as a value or a map key."""
    if isinstance(value, dict):
        return any(contains(item, kind) for pair in value.items() for item in pair)
    if isinstance(value, (list, tuple)):
        return any(contains(item, kind) for item in value)
    return isinstance(value, kind)


@given(ANY_VALUE)
def test_value_comes_back_as_it_was(value):
    """Encoding and decoding changes neither value nor type."""
    found = decode(encode(value), ANSWER_LIMITS)
    assert found == value
    assert repr(found) == repr(value)


@given(ANY_VALUE)
def test_native_bytes_have_no_text_left(value):
    """A byte-string peer gets no text at all outside data of users."""
    data = encode_native_bytes(value)
    if ambiguous(value):
        with pytest.raises(DecodeError, match="uplicate"):
            decode(data, ANSWER_LIMITS)
    else:
        assert not contains(decode(data, ANSWER_LIMITS), str)


def ambiguous(value):
    """Whether a map in there has one key both as text and as bytes."""
    if isinstance(value, dict):
        keys = {key.encode() if isinstance(key, str) else key for key in value}
        return len(keys) != len(value) or any(ambiguous(item) for item in value.values())
    return isinstance(value, (list, tuple)) and any(ambiguous(item) for item in value)


@given(ANY_VALUE)
def test_embedded_value_is_the_value(value):
    """`Encoded` bytes stand in a message as if they had been encoded there."""
    assert encode([1, Encoded(encode(value)), (2,)]) == encode([1, value, (2,)])


@given(st.dictionaries(st.text(), SCALARS, max_size=5))
def test_embedded_map_changes_only_its_keys_for_native_bytes(value):
    """Data of users keeps its text values; a byte-string peer gets byte-string keys."""
    found = decode(encode_native_bytes(["x", Encoded(encode(value))]))
    assert found == [b"x", {key.encode(): item for key, item in value.items()}]


@given(ANY_VALUE)
def test_scanner_ends_where_the_item_ends(value):
    """What the decoder takes, the scanner takes too, and to the same byte."""
    data = encode(value)
    scanner = Scanner(ANSWER_LIMITS)
    assert scanner.advance(data + b"more")
    assert scanner.position == len(data)


@given(st.binary(max_size=64))
def test_garbage_is_decoded_or_refused(data):
    """Any bytes are one item or a protocol error; nothing else gets out."""
    try:
        value = decode(data)
    except ProtocolError as error:
        refused = str(error)
    else:
        refused = ""
        assert decode(encode(value)) == value or contains(value, float)
    assert "\n" not in refused


@given(st.binary(max_size=64))
def test_garbage_decoded_is_an_item_for_the_scanner_too(data):
    """Scanner and decoder agree on where the item ends and on what it is made of."""
    try:
        decode(data)
    except ProtocolError:
        return
    scanner = Scanner(Limits())
    assert scanner.advance(data)
    assert scanner.position == len(data)


def test_nan_goes_and_comes():
    """Not a number is a float like others."""
    assert math.isnan(decode(encode(math.nan)))


@pytest.mark.parametrize(
    "value", [{1}, frozenset(), 1j, object(), range(2), memoryview(b"a"), cbor2.undefined, len]
)
def test_type_without_a_form_is_named(value):
    """An unsupported type is refused wherever it stands, with its name."""
    for place in (value, [value], {"a": (value,)}):
        with pytest.raises(EncodeError, match=type(value).__name__):
            encode(place)


def test_tag_cannot_be_sent():
    """Not even a tag that is allowed goes out by hand: tuples and UUIDs have types."""
    with pytest.raises(EncodeError, match="CBORTag"):
        encode(cbor2.CBORTag(128, [1]))


def test_subclass_is_sent_as_what_it_is():
    """An enum's member is its number, an ordered dict a map, a named tuple a tuple."""
    point = namedtuple("point", "x y")  # noqa: PYI024 - what programs of 0.1.5 have
    number = enum.IntEnum("number", "one")
    value = [number.one, OrderedDict(a=1), point(1, 2), bytearray(b"a")]
    assert decode(encode(value)) == [1, {"a": 1}, (1, 2), b"a"]


def test_value_within_itself_is_refused():
    """A list that holds itself has no end."""
    value: list[object] = []
    value.append(value)
    with pytest.raises(EncodeError, match="cyclic"):
        encode(value)


def test_text_that_is_no_unicode_is_refused():
    """Half a surrogate pair has no UTF-8, in either style."""
    for encoder in (encode, encode_native_bytes):
        with pytest.raises(EncodeError, match="surrogates"):
            encoder("\ud800")


def test_hundred_thousand_nested_arrays_are_refused():
    """Depth is refused at the limit, without recursion."""
    with pytest.raises(LimitError) as caught:
        decode(b"\x81" * 100_000 + b"\x01")
    assert caught.value.setting == "server.limits.nesting"
    assert (caught.value.limit, caught.value.value) == (32, 33)


@pytest.mark.parametrize("deepest", [1, 2, 7, 32, 100])
def test_nesting_is_allowed_to_the_limit_exactly(deepest):
    """Arrays, maps and tags count one each; decoder and scanner count alike."""
    limits = Limits(nesting=deepest)
    for level, levels in ((b"\x81", 1), (b"\xa1\x61a", 1), (b"\xd8\x80\x81", 2)):
        good = level * (deepest // levels) + b"\x01"
        bad = level * (deepest // levels + 1) + b"\x01"
        decode(good, limits)
        assert Scanner(limits).advance(good)
        with pytest.raises(LimitError, match="nesting"):
            decode(bad, limits)
        with pytest.raises(LimitError, match="nesting"):
            Scanner(limits).advance(bad)


def test_embedded_item_counts_where_it_stands():
    """An item under tag 24 cannot get past the limit on depth."""
    inner = b"\x81" * 20 + b"\x01"
    shallow = b"\x81" * 10 + b"\xd8\x18\x55" + inner
    deep = b"\x81" * 20 + b"\xd8\x18\x55" + inner
    assert decode(shallow) == decode(b"\x81" * 30 + b"\x01")
    with pytest.raises(LimitError, match="nesting"):
        decode(deep)


def test_many_colliding_integer_keys_are_refused_at_once():
    """Integers that hash alike are no map keys of a request."""
    count = 2000
    step = 2**61 - 1
    pairs = b"".join(cbor2.dumps(index * step % 2**64) + b"\x00" for index in range(count))
    with pytest.raises(DecodeError, match="map key"):
        decode(b"\xb9" + count.to_bytes(2, "big") + pairs)


def test_mark_after_the_item_does_not_pass_for_its_end():
    """Bytes that imitate how the decoder finds the end are still bytes after the item."""
    mark = cbor2.dumps(b"\x01coordinate:end\x02")
    for data in (b"\x01" + mark, b"\x01" + mark + mark, b"\x01" + mark + b"\x01"):
        with pytest.raises(DecodeError, match="after the end"):
            decode(data)
    assert decode(mark) == b"\x01coordinate:end\x02"
    assert decode(b"\x82" + mark + mark) == [b"\x01coordinate:end\x02"] * 2


def test_id_of_what_cannot_be_decoded_is_found():
    """A foreign tag, a duplicate key or bad text does not hide whose request it was."""
    for params in (b"\x81\xc1\x00", b"\x81\x61\xff", b"\x81\xf7", b"\x81\xa2\x61a\x01\x61a\x02"):
        data = b"\xa2\x62id\x07\x66params" + params
        with pytest.raises(DecodeError):
            decode(data)
        assert request_id_of(data) == 7
    assert request_id_of(b"\xff") is None
    assert request_id_of(b"\x81\x01") is None
    assert request_id_of(b"\xa1\x62id\x61x") is None


def test_uuid_is_a_value_not_a_key():
    """UUIDs stand where values stand."""
    value = {"id": UUID(int=2**128 - 1)}
    assert decode(encode(value)) == value
    with pytest.raises(DecodeError, match="map key"):
        decode(b"\xa1" + encode(UUID(int=1)) + b"\x01")
