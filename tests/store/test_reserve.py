"""The room that is held back for when the disk is full, with a disk that the test fills."""

import os

import pytest

from coordinate_server.model.changes import PUT, UNIT
from coordinate_server.store import SqliteStore, StoreError
from coordinate_server.store.sqlite.reserve import Reserve

MIB = 2**20
SIZE = 4 * MIB


class Disk:
    """Says how much is free: what the test left, and what the reserve does not take."""

    def __init__(self, path, free=100 * MIB):
        self.file = path.with_name(f"{path.name}.reserve")
        self.left = free

    def __call__(self, directory):
        assert directory == self.file.parent
        taken = self.file.stat().st_blocks * 512 if self.file.exists() else 0
        return self.left - taken


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path / "data")


@pytest.fixture
def reserve(tmp_path, disk):
    return Reserve(tmp_path / "data", SIZE, disk)


def test_a_disk_with_room_is_no_shortage_and_some_of_it_is_taken(reserve):
    reserve.look()
    assert reserve.shortage is None
    assert reserve.file.stat().st_blocks * 512 >= SIZE


def test_only_the_owner_may_read_the_file_that_takes_the_room(reserve):
    reserve.look()
    assert reserve.file.stat().st_mode & 0o777 == 0o600


def test_with_less_left_than_is_held_back_no_new_work_is_taken(reserve, disk):
    reserve.look()
    disk.left = SIZE + SIZE - MIB
    reserve.look()
    assert not reserve.shortage.dire
    assert reserve.shortage.text == (
        "the disk of 'data' is full (3.0 MiB left): no new work is taken until there is room"
    )
    assert reserve.file.exists()


def test_when_next_to_nothing_is_left_the_room_is_given_back(reserve, disk):
    reserve.look()
    disk.left = SIZE + MIB // 2
    reserve.look()
    assert not reserve.file.exists()
    assert not reserve.shortage.dire


def test_when_that_is_used_up_too_only_what_makes_room_is_done(reserve, disk):
    reserve.look()
    disk.left = SIZE + MIB // 2
    reserve.look()
    disk.left = MIB // 2
    reserve.look()
    assert reserve.shortage.dire
    assert "(0.5 MiB left): only what makes room is done" in reserve.shortage.text


def test_it_goes_on_by_itself_when_there_is_room(reserve, disk):
    reserve.look()
    disk.left = MIB // 2
    reserve.look()
    reserve.look()
    assert reserve.shortage.dire
    disk.left = 100 * MIB
    reserve.look()
    assert reserve.shortage is None
    assert reserve.file.exists()


def test_a_disk_too_small_from_the_beginning_is_a_shortage(reserve, disk):
    disk.left = SIZE + MIB
    reserve.look()
    assert reserve.shortage is not None
    assert not reserve.file.exists()


def test_what_a_killed_server_left_is_taken_over(reserve):
    reserve.file.write_bytes(b"short")
    reserve.look()
    assert reserve.file.stat().st_size == SIZE


def test_a_full_disk_that_says_so_only_when_it_is_written_to_is_a_shortage(reserve, monkeypatch):
    def full(file, offset, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    reserve.look()
    assert reserve.shortage is not None
    assert not reserve.file.exists()


def test_where_nothing_can_be_allocated_zeros_are_written(reserve, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate")
    reserve.look()
    assert reserve.file.stat().st_size == SIZE
    assert reserve.shortage is None


# ---- in a store ----


@pytest.fixture
def store(tmp_path, reserve):
    store = SqliteStore(tmp_path / "data", reserve=reserve)
    yield store
    store.close()


@pytest.mark.parametrize("left, is_short", [(100 * MIB, False), (2 * SIZE - MIB, True)])
def test_each_commit_sees_whether_there_is_room(store, disk, left, is_short):
    disk.left = left
    store.commit([(PUT, UNIT, b"key", b"value")])
    assert (store.shortage is not None) is is_short
    assert store.get(UNIT, b"key") == b"value"


def test_with_next_to_no_room_rows_wait_in_the_journal(store, disk):
    store.commit([(PUT, UNIT, b"key", b"value")])
    disk.left = 0
    store.look()
    store.look()
    assert store.settle(10) == 1
    disk.left = 100 * MIB
    store.look()
    assert store.settle(10) == 0


def test_a_store_that_is_closed_gives_the_room_back(store, reserve):
    assert reserve.file.exists()
    store.close()
    assert not reserve.file.exists()


def test_a_disk_that_cannot_be_asked_is_an_error_that_names_the_file(store, reserve, monkeypatch):
    def broken(directory):
        raise OSError(5, "Input/output error")

    reserve._free = broken
    with pytest.raises(StoreError, match=r"cannot hold back room for '.*data': Input/output error"):
        store.look()
