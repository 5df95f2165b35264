"""Snapshots: how they are called, when they are made, which go, and starts from them."""

import asyncio
import logging
import shutil
from pathlib import Path

import pytest

from coordinate_protocol.configuration import ConfigError
from coordinate_server.backups import BackupReport
from coordinate_server.config import server_config
from coordinate_server.model import Instant, Model, NewUnit
from coordinate_server.old_snapshots import sum_path
from coordinate_server.recovery import recover
from coordinate_server.snapshot_names import SnapshotNames
from coordinate_server.snapshots import Snapshots, SnapshotSettings
from coordinate_server.store import MemoryStore, SqliteStore
from coordinate_server.store.interface import StoreError
from tests.server.running import RunningServer, run

OLD = next(
    path for path in Path(__file__).with_name("old_snapshots").iterdir() if path.suffix != ".md5"
)
WALL = 1_700_000_000.25  # 2023-11-14 22:13:20.250


def data_file(path, *keys):
    """Make a data file with a spec and units of these keys."""
    at = Instant(0.0, WALL)
    model = Model.load([], at)
    model.namespace("default").set_spec(at, {"name": "s"})
    units = [NewUnit(key.encode(), b"\xa0") for key in keys]
    model.namespace("default").add_units(at, "s", units)
    store = SqliteStore(path)
    store.commit(model.take_changes(at))
    store.close()


def units_in(path):
    """The keys of all units in a data file."""
    store = SqliteStore(path)
    try:
        space = Model.load(store.load(), Instant(0.0, WALL)).namespace("default")
        return [
            key.decode(errors="replace") for key, _ in space.list_units(Instant(0.0, WALL), "s")
        ]
    finally:
        store.close()


# ---- names ----


def test_names_are_those_of_0_1_5(tmp_path):
    """The moment is UTC, to the millisecond."""
    names = SnapshotNames.of(f"{tmp_path}/a-{{timestamp}}.db")
    assert names.path(WALL) == tmp_path / "a-20231114_221320.250.db"
    assert SnapshotNames.inside(str(tmp_path)).path(WALL).name == "snapshot_20231114_221320.250"


def test_the_newest_is_found_first_and_others_not_at_all(tmp_path):
    """By the moment in the name; a sum or half a copy is no snapshot."""
    names = SnapshotNames.of(f"{tmp_path}/a-{{timestamp}}.db")
    found = [names.path(WALL + seconds) for seconds in (5, 100_000, 0)]
    for path in found:
        path.touch()
        sum_path(path).touch()
    for name in ("a-.db", "a-20231114_221320.250.db.part", "b-20231114_221320.250.db", "x"):
        (tmp_path / name).touch()
    assert names.found() == [found[1], found[0], found[2]]
    assert names.interrupted() == [tmp_path / "a-20231114_221320.250.db.part"]


def test_ours_are_not_called_compressed(tmp_path):
    """A format that had 0.1.5 compress goes on finding those, and names ours by what they are."""
    names = SnapshotNames.of(f"{tmp_path}/a{{timestamp}}.cbor.gz")
    assert names.path(WALL).name == "a20231114_221320.250.cbor"
    old = tmp_path / "a20231114_221321.250.cbor.gz"
    for path in (old, names.path(WALL)):
        path.touch()
    assert names.found() == [old, names.path(WALL)]


def test_a_directory_that_is_not_there_has_none(tmp_path):
    """It is made when the first is."""
    assert SnapshotNames.inside(str(tmp_path / "none")).found() == []


# ---- settings ----


def settings(server=None, **queue):
    """What the configuration says of snapshots."""
    block = {"server": {"data": "x.db", **(server or {})}, "job_queue": queue}
    return server_config({"coordinate": block}, environ={}).snapshots


def test_nothing_is_said_of_snapshots():
    """Then there are none."""
    assert settings() is None


def test_0_1_5s_settings_are_read(tmp_path):
    """As they are named there."""
    found = settings(
        snapshot_path_format=f"{tmp_path}/{{timestamp}}",
        snapshot_period_seconds=60,
        delete_snapshots_beyond=3,
        do_recover=True,
    )
    assert found == SnapshotSettings(SnapshotNames(tmp_path, "", ""), 60, 3, recover=True)


def test_a_directory_alone_means_one_each_hour(tmp_path):
    """--snapshot-dir says that snapshots are to be made; none is deleted."""
    found = settings({"snapshot_dir": str(tmp_path)}, delete_snapshots_beyond=0)
    assert found == SnapshotSettings(SnapshotNames(tmp_path, "snapshot_", ""), 3600, None)


def test_a_format_alone_means_none(tmp_path):
    """As with 0.1.5: without a period it is only where a start looks."""
    found = settings(snapshot_path_format=f"{tmp_path}/{{timestamp}}")
    assert (found.period, found.recover) == (None, False)


@pytest.mark.parametrize(
    "server,queue,message",
    [
        ({}, {"snapshot_path_format": "snap"}, r"'snap' should have \{timestamp\} once"),
        ({}, {"snapshot_path_format": "{timestamp}/snap"}, "in the name of the file"),
        ({}, {"snapshot_path_format": "{timestamp}{timestamp}"}, "once"),
        ({}, {"snapshot_path_format": "{time}"}, r"no other field than \{timestamp\}"),
        ({}, {"snapshot_path_format": "{timestamp"}, "no other field"),
        ({}, {"snapshot_path_format": "{timestamp.x}"}, "no other field"),
        ({}, {"snapshot_period_seconds": 0}, "snapshot_period_seconds is 0, out of the range"),
        ({}, {"delete_snapshots_beyond": -1}, "delete_snapshots_beyond is -1, out of the range"),
        ({"data": ":memory:", "snapshot_dir": "d"}, {}, "leave out --memory"),
        (
            {"data": "a20231114_221320.250"},
            {"snapshot_path_format": "a{timestamp}", "do_recover": True},
            "called as a snapshot is",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused(server, queue, message):
    """At the start, and not when the first snapshot is due."""
    with pytest.raises(ConfigError, match=message):
        settings(server, **queue)


# ---- making and deleting ----


class Copies:
    """Makes files that look like copies, and counts commits; time moves by a second each."""

    def __init__(self, directory, **options):
        self.names = SnapshotNames.inside(str(directory))
        self.commits, self.seconds, self.error = 0, 0, None
        told = SnapshotSettings(self.names, **options)
        self.snapshots = Snapshots(told, MemoryStore(), lambda: self.commits, self.wall, self.copy)

    def wall(self):
        self.seconds += 1
        return WALL + self.seconds

    async def copy(self, _, path):
        if self.error is not None:
            raise self.error
        data_file(path)
        return BackupReport(path, 1, 0, 0.0)

    def take(self):
        asyncio.run(self.snapshots.take())
        return [path.name[-5] for path in self.names.found()]


def test_nothing_new_is_not_copied_again(tmp_path):
    """The first is made in any case: what was committed before the start may be in none."""
    copies = Copies(tmp_path)
    assert copies.take() == ["1"]
    assert copies.take() == ["1"]
    copies.commits += 1
    assert copies.take() == ["2", "1"]


def test_the_oldest_beyond_the_number_are_deleted(tmp_path):
    """Only ours: a snapshot of 0.1.5, a strange file and the sums stay."""
    copies = Copies(tmp_path, keep=2)
    old, strange, empty = (copies.names.path(WALL - seconds) for seconds in (90, 80, 70))
    shutil.copy(OLD, old)
    strange.write_bytes(b"SQLite format 3\0" + bytes(200))
    empty.touch()
    for _ in range(4):
        copies.commits += 1
        copies.take()
    left = [copies.names.path(WALL + seconds) for seconds in (4, 3)]
    assert copies.names.found() == [*left, empty, strange, old]


def test_what_was_interrupted_long_ago_is_deleted_with_the_oldest(tmp_path):
    """But not one that somebody may be writing."""
    copies = Copies(tmp_path, keep=1)
    before, after = (copies.names.path(WALL + s).with_suffix(".250.part") for s in (-9, 9))
    for path in (before, after):
        path.touch()
    copies.take()
    assert not before.exists()
    assert after.exists()


def test_all_stay_where_no_number_is_said(tmp_path):
    """Nothing is deleted then, half a copy neither."""
    copies = Copies(tmp_path)
    part = copies.names.path(WALL - 9).with_suffix(".250.part")
    part.touch()
    for _ in range(3):
        copies.commits += 1
        copies.take()
    assert len(copies.names.found()) == 3
    assert part.exists()


def test_one_that_fails_is_told_and_tried_again(tmp_path, caplog):
    """With the next period, also if nothing is committed meanwhile."""
    copies = Copies(tmp_path)
    copies.error = StoreError("no space left on device")
    assert copies.take() == []
    assert "no snapshot was made: no space left on device" in caplog.text
    copies.error = None
    assert copies.take() == ["2"]


def test_one_is_made_after_each_period(tmp_path):
    """Until it is cancelled."""
    copies = Copies(tmp_path, period=0.001)

    async def two():
        second = asyncio.Event()

        async def copy(store, path):
            copies.commits += 1
            if copies.commits > 1:
                second.set()
            return await copies.copy(store, path)

        copies.snapshots.copy = copy
        task = asyncio.get_running_loop().create_task(copies.snapshots.run())
        await asyncio.wait_for(second.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(two())
    assert copies.commits > 1


def test_without_a_period_none_is_made(tmp_path):
    """There is nothing to wait for then."""
    asyncio.run(Copies(tmp_path).snapshots.run())


def test_a_real_copy_is_a_sound_data_file(tmp_path):
    """It has what the store has, and nothing is written over."""
    data_file(tmp_path / "x.db", "a", "b")
    store = SqliteStore(tmp_path / "x.db")
    names = SnapshotNames.inside(str(tmp_path))
    snapshots = Snapshots(SnapshotSettings(names), store, lambda: 0, lambda: WALL)
    asyncio.run(snapshots.take())
    store.close()
    assert units_in(names.path(WALL)) == ["a", "b"]


# ---- a start from one ----


@pytest.fixture
def kept(tmp_path):
    """Three snapshots, the newest with one unit more than the one before; and their names."""
    names = SnapshotNames.inside(str(tmp_path / "kept"))
    names.directory.mkdir()
    for number, keys in enumerate(("a", "ab", "abc")):
        data_file(names.path(WALL + number), *keys)
    return names


def test_a_start_takes_the_newest(kept, tmp_path):
    """And says which that was; the snapshot stays as it is."""
    said: list[str] = []
    before = kept.path(WALL + 2).read_bytes()
    recover(kept, tmp_path / "x.db", "default", said.append)
    assert units_in(tmp_path / "x.db") == ["a", "b", "c"]
    assert said == [f"no data in {tmp_path / 'x.db'}: begun from snapshot {kept.path(WALL + 2)}"]
    assert kept.path(WALL + 2).read_bytes() == before
    assert sorted(kept.directory.iterdir()) == sorted(kept.found())


def test_one_that_is_damaged_is_refused_with_the_reason(kept, tmp_path, caplog):
    """The next newest is looked at then."""
    newest = kept.path(WALL + 2)
    content = bytearray(newest.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    newest.write_bytes(content)
    kept.path(WALL + 3).write_bytes(b"nothing of the kind")
    recover(kept, tmp_path / "x.db", "default", print)
    assert units_in(tmp_path / "x.db") == ["a", "b"]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert "has no 'snapshot_20231114_221323.250.md5' beside it" in told[0]
    assert f"snapshot refused: {str(newest)!r} is damaged" in told[1]


@pytest.mark.parametrize("name", ["x.db", "x.db-wal"])
def test_where_there_is_a_file_nothing_is_done(kept, tmp_path, name):
    """Not for an empty one either, and not for a log without its file."""
    (tmp_path / name).touch()
    said: list[str] = []
    recover(kept, tmp_path / "x.db", "default", said.append)
    assert said == []
    assert (tmp_path / name).read_bytes() == b""


def test_no_snapshots_are_a_first_start(tmp_path):
    """The server begins with nothing then."""
    recover(SnapshotNames.inside(str(tmp_path)), tmp_path / "x.db", "default", print)
    assert not (tmp_path / "x.db").exists()


def test_no_sound_one_is_no_start(tmp_path):
    """To begin with nothing, where there was something, is for somebody to decide."""
    names = SnapshotNames.inside(str(tmp_path))
    names.path(WALL).write_bytes(b"nothing of the kind")
    with pytest.raises(StoreError, match=r"none of 1 snapshots .* can be used; to begin with"):
        recover(names, tmp_path / "x.db", "default", print)


def test_what_fails_afterwards_is_not_blamed_on_the_snapshot(kept, tmp_path):
    """An older one must not be taken because something is in the way of the newest."""
    (tmp_path / "x.db.part").touch()
    with pytest.raises(StoreError, match=r"x\.db\.part' exists"):
        recover(kept, tmp_path / "x.db", "default", print)
    assert not (tmp_path / "x.db").exists()


def test_a_snapshot_of_0_1_5_is_one_of_them(kept, tmp_path):
    """The newest moment counts, whoever made it."""
    shutil.copy(OLD, kept.path(WALL + 9))
    shutil.copy(sum_path(OLD), sum_path(kept.path(WALL + 9)))
    said: list[str] = []
    recover(kept, tmp_path / "x.db", "default", said.append)
    assert "begun from 0.1.5's snapshot" in said[0]
    assert "preferred" in units_in(tmp_path / "x.db")


def test_a_server_begins_with_what_0_1_5_left(tmp_path):
    """The whole way: 0.1.5's own settings, its snapshot, and no data file yet."""
    for path in (OLD, sum_path(OLD)):
        shutil.copy(path, tmp_path)
    config = tmp_path / "c.yaml"
    queue = f"{{snapshot_path_format: '{tmp_path}/snapshot_{{timestamp}}', do_recover: true}}"
    config.write_text(f"coordinate: {{job_queue: {queue}}}", encoding="utf-8")
    server = RunningServer(tmp_path, "--config", config, "--data", tmp_path / "x.db")
    server.terminate()
    assert f"begun from 0.1.5's snapshot {tmp_path / OLD.name}" in server.lines[0]
    assert "preferred" in units_in(tmp_path / "x.db")
    again = RunningServer(tmp_path, "--config", config, "--data", tmp_path / "x.db")
    again.terminate()
    assert "begun from" not in "".join(again.lines)


def test_memory_and_snapshots_exclude_each_other(tmp_path):
    """0.1.5 kept all in memory and made snapshots of it; here they are copies of a file."""
    done = run(tmp_path, "--memory", "--snapshot-dir", tmp_path)
    assert done.returncode == 1
    assert "snapshots are copies of a data file" in done.stderr
    assert done.stderr.count("\n") == 1


def test_settings_without_a_place_say_so(tmp_path):
    """0.1.5 ignored them silently."""
    config = tmp_path / "c.yaml"
    config.write_text("coordinate: {job_queue: {snapshot_period_seconds: 60}}", encoding="utf-8")
    server = RunningServer(tmp_path, "--config", config, "--data", tmp_path / "x.db")
    server.terminate()
    assert "there are no snapshots: job_queue.snapshot_path_format" in server.errors


def test_a_server_makes_its_directory_at_the_start(tmp_path, caplog):
    """So that one that cannot be made is told then."""
    caplog.set_level(logging.WARNING)
    where = tmp_path / "deep" / "snapshots"
    server = RunningServer(tmp_path, "--data", tmp_path / "x.db", "--snapshot-dir", where)
    server.terminate()
    assert where.is_dir()
    (tmp_path / "file").touch()
    blocked = tmp_path / "file" / "snapshots"
    done = run(tmp_path, "--port", 0, "--data", tmp_path / "y.db", "--snapshot-dir", blocked)
    assert "cannot keep snapshots in" in done.stderr
