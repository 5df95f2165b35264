"""Snapshots of 0.1.5: one that it made itself, and what is refused.

The one that it made is in ``old_snapshots``; ``tests/old/snapshot.py`` is the program for it.
"""

import bz2
import gzip
import hashlib
import lzma
from pathlib import Path
from tempfile import TemporaryDirectory

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinate_protocol.codec import encode
from coordinate_server.checking import damaged_row
from coordinate_server.model import Instant, Model, UnitUpdate, WorkRequest
from coordinate_server.old_snapshots import read_old_snapshot, sum_path
from coordinate_server.store.interface import DamagedStore, StoreError

MADE = Path(__file__).with_name("old_snapshots") / "snapshot_20261125_125659.941"
WALL = 1795611421.0  # some seconds after it was made
AVAILABLE, PENDING, FINISHED, FAILED = 1, 3, 4, 5


def loaded(path, wall=WALL):
    """The namespace of a server that starts from the snapshot, and the moment."""
    at = Instant(0.0, wall)
    return Model.load(read_old_snapshot(path, "n", wall), at).namespace("n"), at


@pytest.fixture
def written(tmp_path):
    """Write a snapshot of items as they are, with the right sum, and give its path."""

    def written(*items, name="snapshot", pack=bytes, extra=b""):
        content = b"".join(map(cbor2.dumps, items)) + extra
        path = tmp_path / name
        path.write_bytes(pack(content))
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        sum_path(path).write_text(f"{digest}\n", encoding="ascii")
        return path

    return written


def item(**units):
    """A spec ``s`` with units, as 0.1.5 writes it."""
    fields = {b"data": {}, b"priority": 0, b"worker_id": None, b"lease_time": None}
    pairs = [[key.encode(), {**fields, **unit}] for key, unit in units.items()]
    return [{b"name": b"s"}, 20, 1, False, pairs, {}, None, 0, None]


def test_all_of_it_is_there():
    """Specs with their control fields, units with their data, and what was archived."""
    space, at = loaded(MADE)
    specs, _ = space.list_specs()
    assert [spec.name for spec in specs] == ["s", "t"]
    assert specs[0].definition["config"] == {"a": [1, 2.5, None]}
    assert (specs[0].weight, specs[0].then) == (7, "t")
    assert (specs[1].status, specs[1].interval, specs[1].max_running) == (2, 60, 3)
    assert space.count_units(at, "s") == {AVAILABLE: 3, PENDING: 1, FINISHED: 2, FAILED: 1}
    data = {"raw": b"\xff\x00", "text": "é", "n": 1}
    assert space.units_by_key(at, "s", [b"free"]) == [(b"free", encode(data))]
    states = space.unit_status(at, "s", [b"\xff\xfe", b"preferred", b"older", b"newer"])
    assert [state and state.priority for state in states] == [0, 5, None, 0]
    assert states[3].ended == pytest.approx(1795611419.93, abs=0.01)


def test_what_was_leased_stays_with_its_worker_for_as_long():
    """A worker that 0.1.5 gave a unit for 5000 seconds may finish it."""
    space, at = loaded(MADE)
    taken = space.unit_status(at, "s", [b"taken"])[0]
    assert (taken.status, taken.worker_id) == (PENDING, "w1")
    assert taken.deadline == pytest.approx(5000, abs=2)
    space.update_unit(at, "s", b"taken", UnitUpdate(status=FINISHED, worker_id="w1"))
    assert space.unit_status(at, "s", [b"taken"])[0].status == FINISHED


def test_a_lease_that_is_over_has_the_grace_period():
    """As after any start."""
    space, at = loaded(MADE, WALL + 1_000_000)
    assert space.unit_status(at, "s", [b"taken"])[0].deadline == 60


def test_work_goes_on_in_its_order():
    """The highest priority first, then the keys."""
    space, at = loaded(MADE)
    got = space.get_work(at, "w", WorkRequest(max_jobs=9, available_gb=1))
    assert [unit.key for unit in got] == [b"preferred", b"free", b"\xff\xfe"]


@pytest.mark.parametrize(
    "name,pack",
    [("s.gz", gzip.compress), ("s.bz2", bz2.compress), ("s.XZ", lzma.compress), ("s", bytes)],
)
def test_compressed_ones_are_read_by_their_names(written, name, pack):
    """The sum is that of what is inside."""
    space, at = loaded(written(item(k={b"status": 1}), name=name, pack=pack))
    assert space.count_units(at, "s") == {AVAILABLE: 1}


@pytest.mark.parametrize("size", [5, 6])
def test_items_of_older_versions_are_shorter(written, size):
    """They end after the units, or after the counts."""
    space, at = loaded(written(item(k={b"status": 1})[:size]))
    assert space.count_units(at, "s") == {AVAILABLE: 1}


def test_a_snapshot_of_nothing_is_nothing(written):
    """0.1.5 without specs writes an empty file."""
    space, _ = loaded(written())
    assert space.list_specs() == ([], None)


def test_another_sum_is_refused_with_both(written):
    """The file was changed, or is not all there."""
    path = written(item())
    path.write_bytes(path.read_bytes() + b"\x00")
    with pytest.raises(
        DamagedStore, match=r"the MD5 of '.*snapshot' is \w{32}, its .* says \w{32}"
    ):
        read_old_snapshot(path)


def test_one_without_a_sum_is_refused(written):
    """0.1.5 writes the sum last: a snapshot without it was not finished."""
    path = written(item())
    sum_path(path).unlink()
    with pytest.raises(DamagedStore, match=r"has no 'snapshot\.md5' beside it"):
        read_old_snapshot(path)


@pytest.mark.parametrize(
    "state",
    [
        {},
        [],
        [{b"name": b"s"}, 20],
        [{b"name": b"\xff"}, 20, 1, False, []],
        [{b"name": b"s"}, 20, 7, False, []],
        [{b"name": b"s"}, 20, 1, True, []],
        [{b"name": b"s"}, 20, 1, False, 5],
        item(k={b"status": 9}),
        item(k={b"status": 1, b"priority": b"x"}),
        item(k={b"status": 3, b"lease_time": b"x"}),
        item(k={}),
        [{b"name": b"s"}, 20, 1, False, [[5, {}]]],
    ],
)
def test_what_is_none_is_refused_whole(written, state):
    """Nothing of a snapshot is used if any part of it makes no sense; the spec's place is named."""
    with pytest.raises(DamagedStore, match="work spec 2: "):
        read_old_snapshot(written(item(), state))


def test_bytes_after_the_last_item_are_refused(written):
    """Half an item is no item."""
    with pytest.raises(DamagedStore, match="work spec 1: "):
        read_old_snapshot(written(item(), extra=b"\x82\x01"))


def test_units_that_are_in_a_database_are_missed(written):
    """Where 0.1.5 kept them in SQLite or PostgreSQL, its snapshots have none or only some."""
    with pytest.raises(
        StoreError, match="has no work units: they are where its setting sqlite_path"
    ):
        read_old_snapshot(written([b"sws", item(), []]))
    with pytest.raises(StoreError, match="postgres_connect"):
        read_old_snapshot(written([b"pws", b"s", {}]))


@pytest.mark.parametrize("name", ["s.gz", "s.bz2", "s.xz"])
def test_what_cannot_be_decompressed_is_refused(written, name):
    """The name says that it is compressed, and it is not."""
    with pytest.raises(DamagedStore, match="cannot be decompressed"):
        read_old_snapshot(written(item(), name=name))


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    """One line, with the name."""
    with pytest.raises(StoreError, match=r"cannot read '.*none': no such file or directory"):
        read_old_snapshot(tmp_path / "none")


@given(st.lists(st.tuples(st.integers(0, 617), st.integers(0, 255)), min_size=1, max_size=4))
def test_whatever_the_bytes_are_rows_hold_together_or_there_are_none(changes):
    """With the sum of what is there: a server that starts from them never stumbles."""
    content = bytearray(MADE.read_bytes())
    for place, byte in changes:
        content[place % len(content)] = byte
    with TemporaryDirectory() as directory:
        path = Path(directory, "snapshot")
        path.write_bytes(content)
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        sum_path(path).write_text(digest, encoding="ascii")
        try:
            rows = read_old_snapshot(path)
        except StoreError:
            return
    assert damaged_row(rows) is None
