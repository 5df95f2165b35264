"""The board: what children say, what parents ask, and what has no room."""

import math
import os

import pytest

from coordinate_client.workers.board import Board, Request, Running


def running(**changes):
    """A unit that runs."""
    given = {
        "work_spec_name": "spéc",
        "key": b"k\xff\0",
        "attempt": 2**60,
        "began": 1.5,
        "lease": 300.0,
        "expires": 400.0,
    }
    return Running(**{**given, **changes})


@pytest.fixture
def slot():
    """The second of two slots."""
    return Board(2).slots[1]


@pytest.mark.parametrize(
    "said",
    [
        running(),
        running(attempt=None),
        running(attempt=0, limit=3.0, until=50.0),
        running(key=b"", work_spec_name=""),
        running(key=b"x" * 1800),
    ],
)
def test_what_a_child_says_is_what_its_parent_reads(slot, said):
    """Whatever the names are, and whether there is a limit or not."""
    assert slot.begin(said)
    assert slot.running == said


def test_what_a_child_says_is_read_in_another_process():
    """That is what a board is for."""
    board = Board(1)
    pid = os.fork()
    if not pid:
        board.slots[0].begin(running())
        os._exit(0)
    os.waitpid(pid, 0)
    assert board.slots[0].running == running()


def test_nothing_runs_at_first_and_after_the_end(slot):
    """And of a unit that has ended nothing is left."""
    assert slot.running is None
    slot.begin(running())
    slot.progress({"done": 1})
    slot.end()
    assert slot.running is None
    slot.begin(running(key=b"next"))
    assert slot.running == running(key=b"next")


def test_names_without_room_are_not_said(slot):
    """The unit runs all the same; nobody sees it on the board."""
    slot.begin(running())
    assert not slot.begin(running(key=b"x" * 4000))
    assert slot.running is None


def test_renewals_and_progress_are_said(slot):
    """They leave the rest as it is."""
    slot.begin(running())
    slot.renew(60.0, 1000.0)
    slot.progress(0.5)
    assert slot.running == running(lease=60.0, expires=1000.0, progress=0.5)
    slot.progress({"pages": 3})
    assert slot.running == running(lease=60.0, expires=1000.0, progress={"pages": 3})


@pytest.mark.parametrize("progress", ["x" * 2000, object()])
def test_progress_without_room_is_left_out(slot, progress):
    """What was said before stays; the unit does not mind."""
    slot.begin(running())
    slot.progress(0.25)
    slot.progress(progress)
    assert slot.running == running(progress=0.25)


def test_limits_are_far_away_where_there_are_none(slot):
    """Infinity is a number like any other."""
    slot.begin(running())
    assert slot.running == running(until=math.inf, limit=math.inf)


@pytest.mark.parametrize("attempt", [None, 7])
def test_a_request_is_read_by_the_child(slot, attempt):
    """With the hand-out that it is about."""
    assert slot.request is None
    slot.ask(Request(attempt, "no longer néeded"))
    assert slot.request == Request(attempt, "no longer néeded")


def test_a_long_reason_is_cut(slot):
    """Its beginning says enough."""
    slot.ask(Request(1, "é" * 4000))
    assert slot.request is not None
    assert slot.request.reason.startswith("é" * 400)


def test_a_slot_begins_anew_for_another_child(slot):
    """Nothing of the child before is left."""
    slot.give("a" * 32)
    assert slot.owner == "a" * 32
    slot.begin(running())
    slot.ask(Request(1, "why"))
    slot.give("b")
    assert (slot.owner, slot.running, slot.request) == ("b", None, None)
    slot.give("")
    assert slot.owner == ""


def test_slots_do_not_touch_each_other():
    """Each child has its own."""
    first, second = Board(2).slots
    first.begin(running(key=b"x" * 1800))
    first.progress("y" * 1000)
    first.ask(Request(1, "z" * 1000))
    assert (second.owner, second.running, second.request) == ("", None, None)
