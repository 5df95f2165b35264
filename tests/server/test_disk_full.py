"""A disk without room: new work is refused, the rest can be ended, and it goes on by itself."""

import contextlib
import subprocess

import pytest
from attrs import evolve

from coordinate_protocol.constants import DISK_FULL, FINISHED
from coordinate_protocol.messages import Failure, Response
from coordinate_server.store.interface import Shortage
from tests.server.house import FailingStore, House
from tests.server.independent_client import ServerError

MIB = 2**20
FULL = Shortage("the disk of 'data' is full", dire=False)
DIRE = evolve(FULL, dire=True)
SPEC = {"name": "s", "min_gb": 1}


class SmallStore(FailingStore):
    """Has as little room as it is told."""

    told: Shortage | None = None

    @property
    def shortage(self):
        return self.told


@pytest.fixture
def house():
    house = House(store=SmallStore())
    house.call("set_work_spec", SPEC)
    house.call("add_work_units", "s", [["one", {}], ["two", {}]])
    house.call("lock", "me", 60, [["a"]])
    house.call("get_work", "w", {})
    return house


def refused(house, method, *params):
    answer = house.answer(method, *params)
    return isinstance(answer, Failure) and (answer.message, answer.code) == (FULL.text, DISK_FULL)


NEW_WORK = [
    ("set_work_spec", SPEC),
    ("add_work_units", "s", [["three", {}]]),
    ("add_dependent_work_units", ["s", "one", {}], ["s", "three", {}]),
    ("add_dependencies", []),
]
ENDING_WORK = [
    ("update_work_unit", "s", "one", {"status": FINISHED, "worker_id": "w"}),
    ("update_work_units", [["s", "one", {"status": FINISHED}]], {"get_work": {"worker_id": "w"}}),
    ("get_work", "w", {}),
    ("prioritize_work_units", "s", {"work_unit_keys": ["two"], "priority": 5}),
    ("renew", "me", 60, [["a"]]),
]
MAKING_ROOM = [
    ("del_work_units", "s", {"work_unit_keys": ["two"]}),
    ("del_work_spec", "s"),
    ("unlock", "me", [["a"]]),
    ("clear",),
    ("archive",),
]
READING = [("get_work_spec", "s"), ("get_work_unit_status", "s", ["one"]), ("readlock", [["a"]])]


@pytest.mark.parametrize("call", NEW_WORK, ids=lambda call: call[0])
def test_new_work_is_refused_with_the_reason_and_nothing_is_done(house, call):
    house.store.told = FULL
    before = house.model.unit_count
    assert refused(house, *call)
    assert house.model.unit_count == before


@pytest.mark.parametrize("call", [*ENDING_WORK, *MAKING_ROOM, *READING], ids=lambda call: call[0])
def test_all_else_goes_on(house, call):
    house.store.told = FULL
    assert isinstance(house.answer(*call), Response)


@pytest.mark.parametrize("call", [*NEW_WORK, *ENDING_WORK], ids=lambda call: call[0])
def test_with_next_to_no_room_nothing_is_begun_or_changed(house, call):
    house.store.told = DIRE
    assert refused(house, *call)


@pytest.mark.parametrize("call", [*MAKING_ROOM, *READING], ids=lambda call: call[0])
def test_with_next_to_no_room_it_can_be_made_and_all_can_be_read(house, call):
    house.store.told = DIRE
    assert isinstance(house.answer(*call), Response)


def test_when_there_is_room_again_new_work_is_taken(house):
    house.store.told = FULL
    assert refused(house, *NEW_WORK[1])
    house.store.told = None
    house.call(*NEW_WORK[1])
    assert house.call("count_work_units", "s") == ({1: 2, 3: 1}, None)


def test_a_numbered_call_that_was_refused_is_done_when_it_is_made_again(house):
    client = house.client(protocol=1, session=True)
    house.store.told = FULL
    assert isinstance(client.answer(*NEW_WORK[1], seq=1, low=1), Failure)
    house.store.told = None
    client.call(*NEW_WORK[1], seq=1, low=1)
    assert house.model.unit_count == 3


# ---- a real one ----


@pytest.fixture
def disk(tmp_path):
    """A disk of 80 MiB: what the server holds back, and a little more."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", str(place)]
    try:
        told = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here: no disk was filled")
    if told.returncode:
        pytest.skip(f"no disk can be mounted here, and so none was filled: {told.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_disk_that_fills_and_is_emptied_again(start, connect, disk):
    server = start("--data", disk / "data")
    client = connect(server)
    client.call("set_work_spec", SPEC)
    client.call("add_work_units", "s", [[f"unit {number}", {}] for number in range(100)])
    held = client.call("get_work", "w", {"max_jobs": 50})[0]

    filled = fill(disk / "filled")
    with pytest.raises(ServerError, match=r"the disk of 'data' is full \(\d+\.\d MiB left\)"):
        until_refused(client)
    for _, key, _ in held:
        told = client.call("update_work_unit", "s", key, {"status": FINISHED, "worker_id": "w"})
        assert told == (True, None)
    assert client.call("del_work_units", "s", {"work_unit_keys": ["unit 99"]})[0] == 1

    filled.unlink()
    until_taken(client)
    assert server.kill() == -9
    again = connect(start("--data", disk / "data"))
    counts = again.call("count_work_units", "s")[0]
    assert counts[FINISHED] == 50


def fill(path):
    """Take all the room that there is."""
    with pytest.raises(OSError, match="No space left"):
        write_for_ever(path)
    return path


def write_for_ever(path):
    with path.open("wb", buffering=0) as file:
        while file.write(bytes(MIB // 4)):
            pass


def until_refused(client):
    """Add work until that is refused: a commit sees how much room the next one has."""
    for number in range(10_000):
        client.call("add_work_units", "s", [[f"more {number}", {}]])


def until_taken(client):
    """Add work until that is done: the server looks for room once a second."""
    for _ in range(1_000_000):
        with contextlib.suppress(ServerError):
            return client.call("add_work_units", "s", [["last", {}]])
    raise AssertionError("the server takes no work though there is room")
