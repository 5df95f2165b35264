"""Room on the disk that is held back, so that work can be ended when there is no other.

A file of its own beside the data file takes it. While the disk has as much again, all is well. With
less, no new work is taken, and what there is can be ended, given back and deleted. When even that
room runs out, the file is removed: then its room is what is left for it.
"""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import define, field

from coordinate_server.store.interface import Shortage

__all__ = ["RESERVE_BYTES", "Reserve"]

RESERVE_BYTES: Final = 32 * 2**20

# Below this part of the reserve there may be too little for the next checkpoint.
_LEAST_PART: Final = 4
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CHUNK: Final = bytes(2**20)


def _free_bytes(directory: Path) -> int:
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


@define
class Reserve:
    """The room that is held back for one data file.

    Arguments:
        path: the data file.
        size: how much is held back, in bytes.
        free: gives how many bytes a directory's disk has left for us.

    Attributes:
        shortage: what there is too little of, as of the last `look`; None where there is enough.
    """

    _path: Path
    _size: int = RESERVE_BYTES
    _free: Callable[[Path], int] = _free_bytes
    shortage: Shortage | None = field(default=None, init=False)
    _is_held: bool = field(default=False, init=False)
    _directory: Path = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._directory = self._path.parent

    @property
    def file(self) -> Path:
        """The file that takes the room."""
        return Path(f"{self._path}.reserve")

    def look(self) -> None:
        """See how much room there is, and hold back or let go.

        Raises:
            OSError: the disk cannot be asked, or the file cannot be made or removed.
        """
        free = self._free(self._directory)
        if self._is_held and free < self._size // _LEAST_PART:
            self.release()
            free = self._free(self._directory)
        elif not self._is_held and free >= 2 * self._size:
            self._take()
        self.shortage = self._judged(free)

    def release(self) -> None:
        """Give the room back to the disk."""
        self.file.unlink(missing_ok=True)
        self._is_held = False

    def _take(self) -> None:
        # One that a killed server left may be of another length.
        file = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _allocate(file, self._size)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            self.release()
        else:
            self._is_held = True
        finally:
            os.close(file)

    def _judged(self, free: int) -> Shortage | None:
        if self._is_held and free >= self._size:
            return None
        dire = not self._is_held and free < self._size // _LEAST_PART
        what = "only what makes room is done" if dire else "no new work is taken"
        return Shortage(
            f"the disk of {self._path.name!r} is full ({free / 2**20:.1f} MiB left): {what}"
            " until there is room",
            dire=dire,
        )


def _allocate(file: int, size: int) -> None:
    with suppress(AttributeError):
        os.posix_fallocate(file, 0, size)
        return
    for begin in range(0, size, len(_CHUNK)):
        os.pwrite(file, _CHUNK[: size - begin], begin)
