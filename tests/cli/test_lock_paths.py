"""Paths of locks as people write them."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinate_client.written_paths import path_text, read_path
from tests.cli.fakes import run

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**64), 2**64) | st.floats(allow_nan=False)
PARTS = TEXT | NUMBERS | st.recursive(TEXT | NUMBERS, lambda inner: st.tuples(inner, inner))


@pytest.mark.parametrize(
    "text, path",
    [
        ("/index/shard/3", ("index", "shard", 3)),
        ("index/shard/3", ("index", "shard", 3)),
        ("index/", ("index",)),
        ("/", ()),
        ("[]", ()),
        ("-3/0", (-3, 0)),
        ("-0/007/+1/1.5/1e3/٣", ("-0", "007", "+1", "1.5", "1e3", "٣")),
        ('"3"', ("3",)),
        (r'/"a/b"/c/"\""', ("a/b", "c", '"')),
        ('a/""/b', ("a", "", "b")),
        ('don"t', ('don"t',)),
        ("/[a", ("[a",)),
        ('["a", 3, 1.5, ["b", 1], "3"]', ("a", 3, 1.5, ("b", 1), "3")),
        ("größe 3/x y", ("größe 3", "x y")),
        (os.fsdecode(b"a/\xff"), ("a", b"\xff")),
    ],
)
def test_paths_are_read(text, path):
    """By slash; whole numbers are numbers; quotes make text; JSON for the rest."""
    assert read_path(text) == path


@pytest.mark.parametrize(
    "text, why",
    [
        ("", "it is empty"),
        ("a//b", "a part without a name"),
        ("//", "a part without a name"),
        ('"a"b', "must come a slash"),
        ('"a', "no text of JSON"),
        ("[a", "not JSON"),
        ('{"a": 1}/"x', "no text of JSON"),
        ("[true]", "part True of path"),
        ('[{"a": 1}]', "is not usable"),
        ("[null]", "is not usable"),
        ("[NaN]", "is not usable"),
        (r'["\ud800"]', "half of a surrogate pair"),
        (r'"\ud800"', "half of a surrogate pair"),
    ],
)
def test_what_is_no_path_is_refused(text, why):
    """With what is wrong about it."""
    with pytest.raises(ValueError, match=why):
        read_path(text)


@given(st.lists(PARTS).map(tuple))
def test_a_path_is_shown_as_it_can_be_written(path):
    """On one line, with nothing that could do something to a terminal."""
    shown = path_text(path)
    assert shown.isprintable()
    assert read_path(shown) == path


def test_bytes_are_shown_as_python_has_them():
    """There is no other form; text that looks the same stands in quotes."""
    assert path_text(("a", b"\xff")) == r"/a/b'\xff'"
    assert path_text(("b'x'",)) == """/"b'x'\""""


@pytest.mark.parametrize("paths", [["/"], [""], ["a//b"], ["a", "/a"], ["a", "b", "a/1/2"]])
def test_paths_that_cannot_be_locked_are_wrong_usage(paths):
    """Before a server is asked."""
    result = run("lock", *paths, "--", "true")
    assert (result.exit_code, result.stdout) == (64, "")
    assert len(result.stderr.splitlines()) == 1
