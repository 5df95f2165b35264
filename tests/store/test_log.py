"""A log that is damaged is told from one whose last commit the power has cut."""

import os
import random
import shutil
import struct
from contextlib import closing
from io import BytesIO

import pytest

from coordinate_server.checking import check
from coordinate_server.model.changes import PUT, UNIT
from coordinate_server.repairing import repair
from coordinate_server.store import DamagedStore, SqliteStore, StoreError
from coordinate_server.store.sqlite.log_check import look_at_log
from coordinate_server.store.sqlite.log_frames import read_frames, read_header
from tests.store.log_files import FRAME, SECTOR, Log
from tests.store.old_files import make_older


def killed(store, path):
    """Copy the files of a store as a kill would leave them."""
    path.parent.mkdir(exist_ok=True)
    for ending in ("", "-wal"):
        shutil.copy(f"{store._path}{ending}", f"{path}{ending}")
    return Log(path)


def commit(store, number, size=10):
    """Commit one unit; a large one takes several frames."""
    store.commit([(PUT, UNIT, b"unit-%d" % number, random.Random(number).randbytes(size))])


def units_of(path):
    """Give the numbers of the units that a start finds."""
    with closing(SqliteStore(path)) as store:
        return sorted(int(key[5:]) for key, _ in store.scan(UNIT))


def bytes_of(folder):
    """What is in each file of a folder."""
    return {item.name: item.read_bytes() for item in folder.iterdir()}


@pytest.fixture
def log(path, tmp_path):
    """A log with six commits, the last but two of several frames."""
    with closing(SqliteStore(path)) as store:
        for number in range(6):
            commit(store, number, 20_000 if number == 3 else 10)
        return killed(store, tmp_path / "killed" / "data.db")


def test_all_that_was_committed_is_in_a_log_that_is_whole(log):
    assert units_of(log.path) == [0, 1, 2, 3, 4, 5]


# The places of a frame: its page's number, the size, both salts, both sums, its page.
@pytest.mark.parametrize("at", [0, 9, 13, 17, 21, 24, FRAME - 1])
@pytest.mark.parametrize("number", [0, 2, 3])
def test_damage_before_other_commits_is_refused_and_nothing_is_changed(log, number, at):
    log.flip(log.commits()[number][0] + at)
    before = bytes_of(log.path.parent)
    with pytest.raises(DamagedStore, match=r"the log .* is damaged: frame \d+ is not as it was"):
        SqliteStore(log.path)
    assert bytes_of(log.path.parent) == before


@pytest.mark.parametrize("at", [0, 7, 9, 13, 17, 21, 24])
def test_damage_of_the_last_commit_but_one_is_refused(log, at):
    begin, end = log.commits()[-2]
    assert (end - begin, begin % SECTOR <= SECTOR - 24) == (FRAME, True)
    log.flip(begin + at)
    with pytest.raises(DamagedStore):
        SqliteStore(log.path)


@pytest.mark.parametrize("at", [0, 9, 17, 24])
def test_damage_of_the_last_commit_looks_like_a_cut(log, at):
    log.flip(log.commits()[-1][0] + at)
    assert units_of(log.path) == [0, 1, 2, 3, 4]


def test_the_header_is_checked_too(log):
    for at in (0, 9, 17, 28):
        log.flip(at)
        with pytest.raises(DamagedStore, match="its header is not as it was written"):
            SqliteStore(log.path)
        log.flip(at)
    assert units_of(log.path) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("size", [0, 7, 32])
def test_a_log_that_has_only_begun_is_empty(path, tmp_path, size):
    with closing(SqliteStore(path)) as store:
        log = killed(store, tmp_path / "killed" / "data.db")
    log.file.write_bytes(bytes(size))
    assert units_of(log.path) == []


def test_a_log_that_is_cut_short_is_told_from_one_to_which_less_was_written(log):
    whole = log.file.read_bytes()
    for size in (31, 32, log.commits()[2][1], log.commits()[-1][1], len(whole) - 1):
        log.file.write_bytes(whole[:size])
        with pytest.raises(DamagedStore, match=rf"it is cut short, at {size} bytes of at least"):
            SqliteStore(log.path)
        assert log.file.read_bytes() == whole[:size]


def test_a_log_is_long_before_anything_is_written_to_it(path):
    for _ in range(2):
        with closing(SqliteStore(path)):
            assert path.with_name("store.db-wal").stat().st_size == 8 * 2**20


def test_a_log_that_cannot_be_made_long_is_an_error_in_one_line(path, monkeypatch):
    def refused(*_arguments):
        raise OSError(27, "File too large")

    monkeypatch.setattr(os, "ftruncate", refused)
    with pytest.raises(StoreError, match=r"cannot make '.*store.db-wal' longer: file too large"):
        SqliteStore(path)


def test_a_rest_that_cannot_be_taken_out_is_an_error_in_one_line(log, monkeypatch):
    log.flip(log.commits()[-1][0] + 100)

    def refused(*_arguments):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pwrite", refused)
    with pytest.raises(StoreError, match=r"cannot write '.*data.db-wal': input/output error"):
        SqliteStore(log.path)


# What a cut can leave


def test_any_sectors_of_the_last_commit_may_be_missing(path, tmp_path):
    """In their place lies what the round before has left there, or nothing."""
    with closing(SqliteStore(path)) as store:
        for number in range(20):
            commit(store, number, number * 300)
        older = killed(store, tmp_path / "older" / "data.db").file.read_bytes()
        store._db.execute("PRAGMA wal_checkpoint(RESTART)")
        commit(store, 20)
        commit(store, 21, 30_000)
        log = killed(store, tmp_path / "killed" / "data.db")
    begin, end = log.commits()[-1]
    chance, before = random.Random(5), bytes_of(log.path.parent)
    for _ in range(100):
        shutil.rmtree(log.path.parent)
        log.path.parent.mkdir()
        log.path.write_bytes(before["data.db"])
        log.file.write_bytes(torn(before["data.db-wal"], older, begin, end, chance))
        assert units_of(log.path) in ([*range(21)], [*range(22)])


def torn(whole, older, begin, end, chance):
    """Take some sectors between two places from an older log, or leave them empty."""
    content, share = bytearray(whole), chance.random()
    for at in range(begin // SECTOR * SECTOR, end, SECTOR):
        low, high = max(at, begin), min(at + SECTOR, end)
        if chance.random() < share:
            content[low:high] = chance.choice([bytes(high - low), older[low:high]])
    return content


def test_what_is_left_of_a_torn_commit_is_gone_before_the_next_one(path, tmp_path):
    """Or two torn commits, one after the other, would look like damage."""
    with closing(SqliteStore(path)) as store:
        commit(store, 0)
        commit(store, 1, 30_000)
        torn = killed(store, tmp_path / "torn" / "data.db")
    begin, end = torn.commits()[-1]
    torn.flip(begin + 100)
    assert look_at_log(torn.path).rest == range(begin, end, FRAME)
    with closing(SqliteStore(torn.path)) as store:
        assert not look_at_log(torn.path).rest
        commit(store, 2)
        commit(store, 3)
        again = killed(store, tmp_path / "again" / "data.db")
    again.flip(again.commits()[-1][0] + 100)
    assert units_of(again.path) == [0, 2]


def test_what_an_older_round_left_is_no_commit(path, tmp_path):
    """A log is used again from its beginning; what lies behind is of the round before."""
    with closing(SqliteStore(path)) as store:
        for number in range(10):
            commit(store, number, 9_000)
        store._db.execute("PRAGMA wal_checkpoint(RESTART)")
        commit(store, 10)
        commit(store, 11)
        log = killed(store, tmp_path / "killed" / "data.db")
    assert log.file.stat().st_size > log.commits()[-1][1]
    log.flip(log.commits()[-1][0] + 100)
    assert units_of(log.path) == [*range(11)]


def test_the_log_of_an_older_server_is_not_judged(path, tmp_path):
    """It may have rests of two torn commits: that server did not remove them."""
    with closing(SqliteStore(path)) as store:
        commit(store, 0)
    make_older(path, 4)
    with closing(SqliteStore(path)) as store:
        store._db.execute("PRAGMA user_version = 4")
        store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store._db.execute("PRAGMA user_version = 5")
        for number in range(1, 4):
            commit(store, number)
        log = killed(store, tmp_path / "killed" / "data.db")
    log.flip(log.commits()[2][0] + 100)
    assert units_of(log.path) == [0, 1]


# Check and repair


def test_a_check_says_it_and_a_repair_has_what_comes_before(log, tmp_path):
    log.flip(log.commits()[2][0] + 100)
    (fault, *_) = check(log.path).faults
    assert "the log" in fault
    assert fault.endswith("what is in the log from there on is lost")
    report = repair(log.path, tmp_path / "saved.db")
    assert fault in report.found.faults


# The frames


@pytest.mark.parametrize("big", [False, True])
def test_the_sums_are_those_of_the_format(log, big):
    """Worked out one word after another, as the description has it, in both orders of bytes."""
    content = bytearray(log.file.read_bytes())
    order, (first, second) = ">" if big else "<", (0, 0)

    def go_on(piece):
        nonlocal first, second
        words = struct.unpack(f"{order}{len(piece) // 4}I", piece)
        for even, odd in zip(words[::2], words[1::2], strict=True):
            first = (first + even + second) % 2**32
            second = (second + odd + first) % 2**32
        return struct.pack(">2I", first, second)

    content[3] |= big
    content[24:32] = go_on(bytes(content[:24]))
    end = log.commits()[-1][1]
    for at in range(32, end, FRAME):
        go_on(bytes(content[at : at + 8]))
        content[at + 16 : at + 24] = go_on(bytes(content[at + 24 : at + FRAME]))
    assert big or content == log.file.read_bytes()
    header = read_header(bytes(content[:32]))
    assert header is not None
    frames = list(read_frames(BytesIO(content[32:end]), header))
    assert len(frames) == (end - 32) // FRAME
    assert all(frame.is_current and frame.is_linked for frame in frames)
    assert sum(frame.is_commit for frame in frames) == len(log.commits())
