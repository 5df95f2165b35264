"""A lock that keeps servers away from a data file while it is read without SQLite's own locks."""

import fcntl
import os
from pathlib import Path
from typing import Final

from coordinate_server.store.interface import StoreBusy

__all__ = ["busy", "open_locked"]

# Where SQLite's locks are: https://www.sqlite.org/src/file/src/os.h, SHARED_FIRST and SHARED_SIZE.
_LOCK_START: Final = 0x40000002
_LOCK_SIZE: Final = 510


def busy(path: Path) -> StoreBusy:
    """The error of a file that somebody else has."""
    return StoreBusy(f"{str(path)!r} is in use by another coordinated")


def open_locked(path: Path) -> int:
    """Open the file with a lock that a server's lock excludes, and the other way round.

    Returns:
        A descriptor for reading. The lock ends when it is closed, or any other of this process on
        the file.

    Raises:
        StoreBusy: a server has it.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, _LOCK_SIZE, _LOCK_START)
    except (BlockingIOError, PermissionError):
        os.close(descriptor)
        raise busy(path) from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
