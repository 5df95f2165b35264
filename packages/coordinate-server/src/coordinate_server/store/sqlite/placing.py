"""Putting a finished file in its place: never over another, and durable once it is there."""

import errno
import os
from pathlib import Path
from typing import Final

from coordinate_server.store.interface import StoreError

__all__ = ["claim_part", "part_of", "place", "refuse_existing", "sync_directory", "sync_file"]

# What a file system says that knows no second name for a file.
_NO_LINKS: Final = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def part_of(path: Path) -> Path:
    """The name that a file has while it is being written."""
    return path.with_name(f"{path.name}.part")


def refuse_existing(path: Path, *, over_empty: bool = False) -> None:
    """See that neither the file nor its log is there: no log may meet a file of another time.

    Arguments:
        path: the file.
        over_empty: whether a file without a byte in it counts as none.

    Raises:
        StoreError: one of them is.
    """
    for name in (path, path.with_name(f"{path.name}-wal")):
        if os.path.lexists(name) and not (over_empty and _is_empty(name)):
            raise StoreError(f"{str(name)!r} exists, and nothing is written over it: name another")


def claim_part(path: Path, *, over_empty: bool = False) -> Path:
    """Make the empty file that will become ``path``, for nobody else to read.

    Arguments:
        path: the file.
        over_empty: whether a file without a byte in it counts as none.

    Returns:
        Its name for now.

    Raises:
        StoreError: a file of one of the names exists, or it cannot be made.
    """
    refuse_existing(path, over_empty=over_empty)
    part = part_of(path)
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise StoreError(
            f"{str(part)!r} exists: another is being written there, or one was interrupted;"
            " if no other is, remove it"
        ) from None
    except OSError as error:
        raise _cannot("make", path, error) from error
    return part


def place(part: Path, path: Path, *, over_empty: bool = False) -> None:
    """Give a finished file its name, and have both on the disk when this returns.

    Arguments:
        part: the finished file.
        path: its name from now on.
        over_empty: whether a file without a byte in it counts as none.

    Raises:
        StoreError: something is there by now, or the system refused; the part is as it was.
    """
    try:
        sync_file(part)
        if over_empty and _is_empty(path):
            path.unlink()
        _rename(part, path)
        sync_directory(path.parent)
    except FileExistsError as error:
        raise StoreError(f"{str(path)!r} exists, and nothing is written over it") from error
    except OSError as error:
        raise _cannot("write", path, error) from error


def _rename(part: Path, path: Path) -> None:
    """Rename without replacing, which ``rename`` cannot, but ``link`` can."""
    try:
        path.hardlink_to(part)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        part.replace(path)  # what it replaces is the empty file that was made for it
    else:
        part.unlink()


def _is_empty(path: Path) -> bool:
    return path.is_file() and not path.stat().st_size


def sync_file(path: Path) -> None:
    """Have the content of a file on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(directory: Path) -> None:
    """Make the names in the directory durable, where a directory can be opened."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _cannot(action: str, path: Path, error: OSError) -> StoreError:
    return StoreError(f"cannot {action} {str(path)!r}: {(error.strerror or str(error)).lower()}")
