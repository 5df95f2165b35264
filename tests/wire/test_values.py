"""Names, keys and map keys as text or bytes; limits; what errors show."""

import pytest

from coordinate_protocol.errors import BadName, DecodeError, LimitError, ProtocolError, shown
from coordinate_protocol.limits import Limits, key_limit
from coordinate_protocol.values import as_text, byte_keys, key_bytes, key_value, text_keys


def test_name_is_text_or_its_bytes():
    """Both give the text."""
    assert as_text("caf\u00e9") == as_text("caf\u00e9".encode()) == "caf\u00e9"


@pytest.mark.parametrize("value", [None, 1, b"\xff", ["a"], ("a",), {}])
def test_what_is_no_name_is_refused(value):
    """The error shows the value."""
    with pytest.raises(BadName, match="is not a name"):
        as_text(value)


@pytest.mark.parametrize("key", ["a", "caf\u00e9", "", b"\xff\x00"])
def test_key_comes_back_as_it_was(key):
    """Text is text, and bytes that are no UTF-8 stay bytes."""
    assert key_value(key_bytes(key)) == key


def test_key_in_utf8_bytes_is_the_text():
    """A byte-string client means the same unit."""
    assert key_bytes(b"a") == key_bytes("a") == b"a"
    assert key_value(b"a") == "a"


@pytest.mark.parametrize("value", [None, 1, 1.5, [b"a"], "\ud800"])
def test_what_is_no_key_is_refused(value):
    """Only text and bytes are keys."""
    with pytest.raises(BadName, match="is not a key"):
        key_bytes(value)


def test_map_keys_become_text_at_any_depth():
    """Values stay, keys that are no UTF-8 stay, and containers keep their types."""
    value = {b"a": [{b"b": b"x"}, ({b"c": "y", 4: b"z"},)], b"\xff": None}
    assert text_keys(value) == {"a": [{"b": b"x"}, ({"c": "y", 4: b"z"},)], b"\xff": None}


def test_map_keys_become_bytes_at_any_depth():
    """The opposite, with numbers as they are."""
    value = {"a": [{"b": "x"}, ({"c": b"y", 4: 5},)], b"\xff": None}
    assert byte_keys(value) == {b"a": [{b"b": "x"}, ({b"c": b"y", 4: 5},)], b"\xff": None}


@pytest.mark.parametrize("value", [{"a": [1, (2, {"b": 3})]}, [1], (1,), "x", b"x", None, {}, []])
def test_value_that_needs_no_change_is_the_same_object(value):
    """Nothing is copied that need not be."""
    assert text_keys(value) is value


@pytest.mark.parametrize("convert", [text_keys, byte_keys])
def test_key_as_text_and_as_bytes_is_refused(convert):
    """Neither of the two could be kept."""
    for value in ({"a": 1, b"a": 2}, {b"a": 1, "a": 2}, [{"x": {b"a": 1, "a": 2}}]):
        with pytest.raises(DecodeError, match="as text and as bytes"):
            convert(value)


@pytest.mark.parametrize("name", ["message_bytes", "nesting", "batch", "key_bytes"])
@pytest.mark.parametrize("value", [0, -1, True, "1", None, 1.5])
def test_limit_that_is_no_whole_number_above_zero_is_refused(name, value):
    """The error names the limit."""
    with pytest.raises(ValueError, match=name):
        Limits(**{name: value})


def test_time_limit_may_be_a_fraction_and_depth_has_an_end():
    """Seconds are a float; the decoder goes no deeper than 400."""
    assert Limits(message_seconds=0.5).message_seconds == 0.5
    with pytest.raises(ValueError, match="at most 400"):
        Limits(nesting=401)


def test_key_is_as_long_as_it_may_be():
    """The limit is exact, and the error names its setting."""
    limits = Limits(key_bytes=3)
    assert key_limit(b"abc", limits) == b"abc"
    with pytest.raises(LimitError) as caught:
        key_limit(b"abcd", limits)
    assert str(caught.value) == (
        "key of 4 bytes is over the limit of 3 (setting: server.limits.key_bytes)"
    )
    assert caught.value.setting == "server.limits.key_bytes"


def test_value_in_a_message_is_short_and_on_one_line():
    """However big it is, and even where Python has no repr for it."""
    for value in ("x" * 10_000, "a\nb", list(range(1000)), {"k": "v" * 1000}, b"\xff" * 1000):
        assert len(shown(value)) < 500
        assert "\n" not in shown(value)
    assert shown(10**5000) == "<integer of 16610 bits>"
    assert shown([10**5000]) == "<list>"
    assert shown(5) == "5"


def test_errors_have_one_base_and_a_code_each():
    """Programs tell them by code."""
    kinds = ProtocolError.__subclasses__()
    codes = {kind.code for kind in kinds}
    assert codes == {"decode", "encode", "limit", "request", "parameters", "name"}
    assert len(kinds) == len(codes)
