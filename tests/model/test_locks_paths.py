"""Paths of locks: what is one, what is the same, how it is shown."""

import math
import uuid

import pytest

from coordinate_protocol.errors import ProtocolError
from coordinate_server.model.errors import Refused
from coordinate_server.model.locks.paths import (
    path_bytes,
    path_from,
    path_of,
    path_text,
    path_value,
    require_apart,
    require_distinct,
)

MOST = 8192


@pytest.mark.parametrize(
    "one, other",
    [
        (["a"], ("a",)),
        (["ü"], ["ü".encode()]),
        ([3], [3.0]),
        ([0], [-0.0]),
        ([2**70], [float(2**70)]),
        ([(1, "a")], [[1.0, b"a"]]),
    ],
)
def test_paths_that_mean_the_same_are_one(one, other):
    """Text and its bytes, a number whole and as a float, a tuple and an array."""
    assert path_of(one, MOST) == path_of(other, MOST)


@pytest.mark.parametrize(
    "one, other",
    [
        (["1"], [1]),
        (["a", "b"], ["ab"]),
        (["a", "b"], [("a", "b")]),
        ([b"\xff"], ["\xff"]),
        ([2**53], [2**53 + 1]),
        ([0.1], [0.2]),
        ([math.inf], [-math.inf]),
        ([(1,)], [((1,),)]),
        ([()], [""]),
    ],
)
def test_paths_that_differ_are_two(one, other):
    """Nothing is taken for what it only resembles."""
    assert path_of(one, MOST) != path_of(other, MOST)


@pytest.mark.parametrize(
    "value",
    [
        [True],
        [False],
        [math.nan],
        [None],
        [{}],
        [uuid.UUID(int=1)],
        [("a", True)],
        [[("a", math.nan)]],
        [],
        (),
        ["a"] * 65,
        "a",
        None,
        7,
        {"a": 1},
        b"abc",
    ],
)
def test_what_is_no_path_is_refused(value):
    """Booleans and NaN are no numbers here, and a path has 1 to 64 parts."""
    with pytest.raises(ValueError, match="path"):
        path_of(value, MOST)


def test_path_of_64_parts_is_the_longest():
    """Its row can be read again."""
    longest = path_of(["a"] * 64, MOST)
    assert path_from(path_bytes(longest)) == longest


def test_path_over_the_limit_names_the_setting():
    """The limit is on the encoded path, however it is made up."""
    assert path_of(["a" * 95], 98)
    with pytest.raises(
        ValueError, match=r"path of 99 bytes is over the limit of 98 \(setting: ser"
    ):
        path_of(["a" * 96], 98)
    with pytest.raises(ValueError, match="over the limit"):
        path_of([10**9000], 98)


@pytest.mark.parametrize(
    "value, shown",
    [
        (["a", "b", 3], "/a/b/3"),
        ([], "/"),
        (["a/b", ""], "/'a/b'/''"),
        ([b"\xff", 1.5], "/b'\\xff'/1.5"),
        ([("x", 1)], "/('x', 1)"),
        (["new\nline", "ü x"], "/'new\\nline'/ü x"),
        ([2**300], "/<integer of 301 bits>"),
    ],
)
def test_path_is_shown_as_people_read_it(value, shown):
    """Parts that could be misread, or are no text, are shown by their repr."""
    assert path_text(path_of(value, MOST, empty=True)) == shown


def test_long_path_is_shortened_in_the_middle():
    """A message stays a line that can be read."""
    shown = path_text(path_of(["x" * 500, "end"], MOST))
    assert len(shown) < 210
    assert shown.startswith("/xxx")
    assert shown.endswith("x/end")


def test_path_goes_out_as_it_means():
    """Numbers as the whole ones that they are, arrays as tuples."""
    assert path_value(path_of([b"a", 3.0, ["b", 1.5], b"\xff"], MOST)) == [
        "a",
        3,
        ("b", 1.5),
        b"\xff",
    ]


@pytest.mark.parametrize("count", [0, 1, 23, 24, 64])
def test_encoded_path_is_read_again(count):
    """Whatever its number of parts."""
    value = path_of([("a", n) for n in range(count)], MOST, empty=True)
    assert path_from(path_bytes(value)) == value


@pytest.mark.parametrize("data", [b"", b"\x82aa", b"\x81\xf5", b"\xa0", b"aa"])
def test_bytes_that_are_no_path_are_refused(data):
    """A damaged row is noticed."""
    with pytest.raises((ProtocolError, ValueError)):
        path_from(data)


@pytest.mark.parametrize(
    "paths, why",
    [
        ([["a"], ["b"], ["a"]], "/a is asked for twice"),
        ([["a", 1, 2], ["b"], ["a"], ["aa"]], "/a is asked for and /a/1/2, which is under it"),
        ([["a", 1], ["a"], ["a", 1.0, "x"]], "which is under it"),
    ],
)
def test_paths_of_one_call_must_be_apart(paths, why):
    """The message names two that are not."""
    with pytest.raises(Refused, match=why):
        require_apart([path_of(path, MOST) for path in paths])


def test_paths_that_are_apart_are_taken():
    """A part that begins like another one is not above it."""
    found = [path_of(path, MOST) for path in (["a"], ["ab"], ["b", 1], ["b", 2], [1], ["1"])]
    require_apart(found)
    require_distinct([*found, path_of(["a", 1], MOST)])
    with pytest.raises(Refused, match="/b/1 is asked for twice"):
        require_distinct([*found, found[2]])
