"""The check itself: what is lost, invented or other is found."""

import copy

import pytest

from coordinate_protocol.constants import PENDING
from tests.crash.diary import Known, read_diary
from tests.crash.oracle import Oracle, Unit
from tests.crash.scene import Scene
from tests.crash.verdict import Wrong, check_clients, check_file
from tests.crash.writer import write

pytestmark = pytest.mark.crash

GET = {
    "method": "get_work",
    "params": ["client0", {"max_jobs": 1, "work_spec_names": ["client0-0"], "lease_time": 9}],
}


@pytest.fixture
def scene(tmp_path, run_seed):
    """A writer that was not disturbed."""
    scene = Scene.new(tmp_path / "scene", run_seed)
    assert write(scene.run) == 0
    return scene


@pytest.fixture
def one():
    """A client that has one unit, and asks for it."""
    oracle = Oracle({("client0-0", "unit1"): Unit({"number": 1})}, {"client0-0": 1.0})
    return Known(oracle, GET)


def test_what_was_acknowledged_is_right(scene):
    assert scene.check() > 50


def test_an_answer_whose_change_is_not_there_is_found(scene):
    known = scene.known()
    known[0].oracle.locks["client0-lock999"] = 1
    with pytest.raises(Wrong, match="client0-lock999 is lost"):
        check_file(scene.data, known)


def test_what_nobody_asked_for_is_found(scene):
    known = scene.known()
    known[1].oracle.units.popitem()
    with pytest.raises(Wrong, match="is invented"):
        check_file(scene.data, known)


def test_a_token_that_was_given_before_is_found(scene):
    known = scene.known()
    known[2].oracle.top = 10**18
    with pytest.raises(Wrong, match="was given after"):
        check_file(scene.data, known)


def test_a_session_that_is_lost_is_found(scene):
    known = scene.known()
    known[2].oracle.session = "00" * 16
    with pytest.raises(Wrong, match="session of client 2"):
        check_file(scene.data, known)


def test_the_call_under_way_may_be_done_or_not(one):
    before = one.oracle.view()
    after = copy.deepcopy(before)
    after["unit client0-0/unit1"] |= {
        "status": PENDING,
        "attempt": 7,
        "worker_id": "client0",
        "lease": 9,
    }
    check_clients(before, {0: one})
    check_clients(after, {0: one})
    one.asked = None
    with pytest.raises(Wrong):
        check_clients(after, {0: one})


def test_half_of_the_call_under_way_is_found(one):
    half = one.oracle.view()
    half["unit client0-0/unit1"] |= {"status": PENDING, "attempt": 7}
    with pytest.raises(Wrong):
        check_clients(half, {0: one})


def test_a_line_of_the_diary_that_is_not_whole_is_none():
    asked = '{"client": 0, "asked": {"method": "set_work_spec", "params": [{"name": "a"}]}}\n'
    known = read_diary(asked + '{"client": 0, "answ')
    assert known[0].asked["method"] == "set_work_spec"
    assert known[0].oracle.view() == {}
