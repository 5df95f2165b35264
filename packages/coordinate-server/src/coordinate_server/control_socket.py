"""Where the control socket of a server is: beside its data file, for nobody but its user.

A path of a socket has room for about a hundred bytes. A longer one is reached through a descriptor
of its directory, where the system has a name for that.
"""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["address", "bound_socket", "control_path", "remove_socket"]

# sun_path on Linux has 108 bytes, on macOS 104; the last is for the zero at its end.
_LONGEST: Final = 103
_DESCRIPTORS: Final = Path("/proc/self/fd")
_OWNER_ONLY: Final = 0o177


def control_path(data: Path) -> Path:
    """Give the path of the socket that belongs to a data file."""
    return data.absolute().with_name(f"{data.name}.control")


@contextmanager
def address(path: Path) -> Iterator[str]:
    """Give what a socket at a path is called, for as long as it takes to connect or bind.

    Raises:
        OSError: the path is too long for a socket, or its directory is not there.
    """
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    if not _DESCRIPTORS.is_dir():
        raise OSError(f"a path of {len(os.fsencode(path))} bytes is too long for a socket")
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield str(_DESCRIPTORS / str(descriptor) / path.name)
    finally:
        os.close(descriptor)


def bound_socket(path: Path) -> socket.socket:
    """Make the socket, in place of one that a killed server left: its file is ours by now.

    Raises:
        OSError: something else is there, or a socket cannot be.
    """
    remove_socket(path)
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(_OWNER_ONLY)
    try:
        with address(path) as where:
            listening.bind(where)
    except BaseException:
        listening.close()
        raise
    finally:
        os.umask(before)
    return listening


def remove_socket(path: Path) -> None:
    """Remove a socket that is left there; nothing else is removed."""
    try:
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
    except FileNotFoundError:
        pass
