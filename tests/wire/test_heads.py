"""Heads of items, beside those that cbor2 makes."""

import cbor2
import pytest

from coordinate_protocol.heads import ARRAY, BYTES, TAG, TEXT, UNSIGNED, head

EDGES = sorted({0, 1, *(end + near for end in (24, 2**8, 2**16, 2**32) for near in (-1, 0, 1))})


@pytest.mark.parametrize("number", [*EDGES, 2**64 - 1])
def test_number_is_as_short_as_it_can_be(number):
    """The same bytes as those of a library."""
    assert head(UNSIGNED, number) == cbor2.dumps(number)


@pytest.mark.parametrize("size", [size for size in EDGES if size < 2**17])
def test_string_or_array_begins_with_its_size(size):
    """What follows is the string, or the items."""
    assert head(BYTES, size) + bytes(size) == cbor2.dumps(bytes(size))
    assert head(TEXT, size) + b"x" * size == cbor2.dumps("x" * size)
    assert head(ARRAY, size) + bytes(size) == cbor2.dumps([0] * size)


def test_tag_stands_before_its_item():
    """A tag's number is in its head."""
    assert head(TAG, 128) + b"\x80" == cbor2.dumps(cbor2.CBORTag(128, []))


@pytest.mark.parametrize("number", [-1, 2**64])
def test_number_that_no_head_holds_is_refused(number):
    """The message says which number, and what would be right."""
    with pytest.raises(ValueError, match=f"{number} is out of the range"):
        head(UNSIGNED, number)
