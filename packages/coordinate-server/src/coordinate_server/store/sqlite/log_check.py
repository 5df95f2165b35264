"""Whether the log beside a data file is one that commits, and a cut of the power, can have left.

SQLite takes the log to end at the first frame that is not as it was written, and says nothing.
That is right where the power was cut: each commit is synced before the next one begins, so that
only the last one can be torn, in any of its frames. Where commits go on after that frame, it was
damaged, and what would be lost was acknowledged.

Damage of the last commit cannot be told from a commit that was torn. Of a torn commit there may be
frames that are whole: `LogState.rest` says where, and `clear_rest` must be called before the next
commit, or these would look like commits after a later one that is torn.

A log that is cut short would look like one to which less was written. So it is made long before the
first commit, and never gets shorter than that while there is anything in it.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

from attrs import define, frozen

from coordinate_server.store.interface import StoreError
from coordinate_server.store.sqlite.log_frames import (
    FRAME_HEADER_BYTES,
    HEADER_BYTES,
    Frame,
    read_frames,
    read_header,
)

__all__ = ["CHECKED_SCHEMA", "LogState", "clear_rest", "lengthen_log", "log_of", "look_at_log"]

# Servers of earlier schemas left such a rest in the log, so theirs cannot be judged.
CHECKED_SCHEMA: Final = 5
# Longer than a log gets that is written back after each 250 pages, unless one commit is large.
_LEAST_BYTES: Final = 8 * 2**20
_PIECE_BYTES: Final = 2**20


@frozen
class LogState:
    """What was found.

    Arguments:
        fault: what is wrong, one line, or None.
        rest: where the headers are of the frames, some of the present round, that belong to no
            whole commit.
    """

    fault: str | None = None
    rest: range = range(0)


def log_of(path: Path) -> Path:
    """Give the log of a data file."""
    return path.with_name(f"{path.name}-wal")


def look_at_log(path: Path) -> LogState:
    """Look through the log of a data file that nobody uses; it is only read.

    Arguments:
        path: the data file.

    Raises:
        StoreError: the log cannot be read.
    """
    log = log_of(path)
    try:
        with log.open("rb") as file:
            return _looked_at(log, file)
    except FileNotFoundError:
        return LogState()
    except OSError as error:
        raise StoreError(f"cannot read {str(log)!r}: {(error.strerror or '').lower()}") from error


def clear_rest(path: Path, rest: range) -> None:
    """Make frames that belong to no whole commit none of the present round, durably.

    It takes no room on the disk, and if it is interrupted, what is left is such a rest again.

    Arguments:
        path: the data file, which nobody has.
        rest: where they are.

    Raises:
        StoreError: that cannot be done.
    """
    if not rest:
        return
    log = log_of(path)
    try:
        with log.open("rb+") as file:
            for at in rest:
                os.pwrite(file.fileno(), bytes(FRAME_HEADER_BYTES), at)
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"cannot write {str(log)!r}: {(error.strerror or '').lower()}") from error


def lengthen_log(path: Path) -> None:
    """Make the log of a data file as long as a log is at least, durably; what is new has no blocks.

    Arguments:
        path: the data file, which this process has, and to which it has not committed anything.

    Raises:
        StoreError: that cannot be done.
    """
    log = log_of(path)
    try:
        with log.open("rb+") as file:
            if os.fstat(file.fileno()).st_size < _LEAST_BYTES:
                os.ftruncate(file.fileno(), _LEAST_BYTES)
                os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(
            f"cannot make {str(log)!r} longer: {(error.strerror or '').lower()}"
        ) from error


def _looked_at(log: Path, file: BinaryIO) -> LogState:
    begin = file.read(HEADER_BYTES)
    if not any(begin) and _is_empty(file):
        return LogState()  # nothing was ever written to it
    size = os.fstat(file.fileno()).st_size
    if size < _LEAST_BYTES:
        return _damaged(log, f"it is cut short, at {size} bytes of at least {_LEAST_BYTES}")
    header = read_header(begin)
    if header is None:
        return _damaged(log, "its header is not as it was written")
    reading = _Reading()
    found = reading.damaged(read_frames(file, header))
    if found is None:
        size = FRAME_HEADER_BYTES + header.page
        return LogState(
            rest=range(
                HEADER_BYTES + reading.taken * size, HEADER_BYTES + reading.last * size, size
            )
        )
    return _damaged(log, f"frame {found} is not as it was written, and commits come after it")


def _is_empty(file: BinaryIO) -> bool:
    """Whether only zeros are left to read."""
    return not any(piece.strip(b"\0") for piece in iter(lambda: file.read(_PIECE_BYTES), b""))


def _damaged(log: Path, what: str) -> LogState:
    return LogState(f"the log {str(log)!r} is damaged: {what}")


@define
class _Reading:
    """How far the frames were read.

    Attributes:
        taken: how many frames are of whole commits, as SQLite takes them.
        last: the number of the last frame of the present round.
    """

    taken: int = 0
    last: int = 0
    _broken: int | None = None
    _has_commit: bool = False
    _before: Frame | None = None

    def damaged(self, frames: Iterable[Frame]) -> int | None:
        """Read frames; gives the number of one that is damaged, from 1."""
        for number, frame in enumerate(frames, 1):
            if frame.is_current:
                self.last = number
            if self._broken is None and frame.is_linked:
                self.taken = number if frame.is_commit else self.taken
            elif self._proves_damage(number, frame):
                return self._broken
            self._before = frame
        return None

    def _proves_damage(self, number: int, frame: Frame) -> bool:
        """Whether a frame, from the first wrong one on, is of a later commit than that."""
        if self._broken is None:
            self._broken = number
        if not frame.is_current:
            return False
        # What lies in two sectors may be half of this round: then only the sums say what it is.
        if not (frame.is_linked or frame.is_whole):
            return False
        if self._has_commit and (frame.is_commit or frame.is_linked):
            return True
        self._has_commit = self._has_commit or frame.is_commit
        return self._lost_its_salts(frame)

    def _lost_its_salts(self, frame: Frame) -> bool:
        """Whether the frame before says another round than the one that it was written in.

        It was written in this one, for this frame's sums go on from its own, and they lie in one
        sector with its salts.
        """
        before = self._before
        return frame.is_linked and before is not None and before.is_bound and not before.is_current
