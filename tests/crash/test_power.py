"""Power cuts: whatever was not synced is lost, kept or torn, and what was acknowledged is there."""

import random
from pathlib import Path

import pytest

from tests.crash.diary import read_diary
from tests.crash.points import told
from tests.crash.power import SECTOR, Disk
from tests.crash.recording import OPTIONS, Event, NotSimulated, read_recording
from tests.crash.scene import Scene
from tests.crash.test_kills import SHAPES
from tests.crash.verdict import check_file

pytestmark = [pytest.mark.crash, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("shape", SHAPES, ids=["mixed", "rows", "checkpoints"])
def test_a_power_cut_at_any_time_loses_nothing(
    shape, tmp_path, writers, counts, how_many, run_seed
):
    """The cuts are spread over recordings with seeds of their own, each cut a state of the disk."""
    for number in range(how_many(1, 5)):
        seed = run_seed + number
        scene = Scene.new(tmp_path / f"recorded{number}", seed, **shape)
        assert scene.play(writers, more=OPTIONS) == (0, "")
        events = read_recording(scene.trace.read_text(), scene.home)
        chance = random.Random(seed)
        for at in sorted(chance.choices(range(len(events)), k=how_many(35, 70))):
            cut(tmp_path / "cut", scene, events[:at], f"{seed}/{at}", shape)
            counts["power cuts"] += 1


def cut(home, scene, events, seed, shape):
    """Make the files as they are after a cut behind the events, and start from them."""
    disk = Disk(str(scene.home))
    for event in events:
        disk.take(event)
    known = read_diary(disk.appended.get(scene.run.diary, b"").decode())
    home.mkdir()
    with told(home, f"power cut, seed/event {seed}, {shape}"):
        for name, content in disk.after_cut(random.Random(seed)).items():
            Path(home, Path(name).name).write_bytes(content)
        check_file(home / "data", known)


def test_a_power_cut_while_the_file_is_made_leaves_one_to_start_from(tmp_path, writers, run_seed):
    """A file without its first page is taken back to nothing by the journal that lies beside it."""
    scene = Scene.new(tmp_path / "recorded", run_seed)
    assert scene.play(writers, more=OPTIONS) == (0, "")
    events = read_recording(scene.trace.read_text(), scene.home)
    made = next(at for at, event in enumerate(events) if event.path.endswith("-wal"))
    disk = Disk(str(scene.home))
    for at, event in enumerate(events[:made]):
        disk.take(event)
        for chance in range(10):
            home = tmp_path / f"cut{at}-{chance}"
            home.mkdir()
            for name, content in disk.after_cut(random.Random(chance)).items():
                Path(home, Path(name).name).write_bytes(content)
            check_file(home / "data", {})


# The disk itself


def disk_with(*events):
    """A disk on which these things happened."""
    disk = Disk("/d")
    for event in events:
        disk.take(event)
    return disk


def states(disk):
    """Many of the states that a cut can leave."""
    return [disk.after_cut(random.Random(seed)) for seed in range(200)]


CREATED = [Event("create", "/d/f"), Event("sync", "/d")]


def test_a_cut_keeps_what_was_synced():
    synced = [Event("write", "/d/f", 0, b"abc"), Event("sync", "/d/f")]
    disk = disk_with(*CREATED, *synced, Event("write", "/d/f", 600, b"def"))
    assert all(state["/d/f"].startswith(b"abc") for state in states(disk))
    assert {len(state["/d/f"]) for state in states(disk)} == {3, 603}


def test_a_cut_tears_a_write_between_sectors():
    disk = disk_with(*CREATED, Event("write", "/d/f", 0, b"x" * 2 * SECTOR))
    assert {state["/d/f"] for state in states(disk)} == {
        b"",
        b"x" * SECTOR,
        bytes(SECTOR) + b"x" * SECTOR,
        b"x" * 2 * SECTOR,
    }


def test_a_cut_may_bring_back_a_file_that_was_removed():
    disk = disk_with(*CREATED, Event("unlink", "/d/f"))
    assert {tuple(state) for state in states(disk)} == {(), ("/d/f",)}
    disk.take(Event("sync", "/d"))
    assert {tuple(state) for state in states(disk)} == {()}


def test_a_file_that_is_emptied_may_have_its_content_again():
    disk = disk_with(*CREATED, Event("write", "/d/f", 0, b"abc"), Event("sync", "/d/f"))
    disk.take(Event("truncate", "/d/f"))
    assert {state["/d/f"] for state in states(disk)} == {b"", b"abc"}


def test_a_call_that_is_not_simulated_is_an_error(tmp_path):
    path = "".join(f"\\x{byte:02x}" for byte in f"{tmp_path}/data".encode())
    with pytest.raises(NotSimulated):
        read_recording(f"1 pwritev(3<{path}>, [], 0, 0) = 0", tmp_path)
