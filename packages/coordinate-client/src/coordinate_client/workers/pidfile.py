"""The file that says which process a worker is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["PidFileTaken", "pidfile"]


class PidFileTaken(Exception):
    """The process that the file names is there still."""


@contextmanager
def pidfile(path: Path | None) -> Iterator[None]:
    """Have a file with the number of this process, within a block.

    Args:
        path: the file; None for none.

    Raises:
        PidFileTaken: where it names another process that lives.
        OSError: where it cannot be written.
    """
    if path is None:
        yield
        return
    owner = _owner(path)
    if owner is not None:
        raise PidFileTaken(f"{str(path)!r} says that the worker runs already, as process {owner}")
    # Whole or not at all, for those who read it meanwhile.
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(f"{os.getpid()}\n", encoding="ascii")
    fresh.replace(path)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()


def _owner(path: Path) -> int | None:
    """The living process that a file names; None where it names none."""
    try:
        pid = int(path.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return pid if pid != os.getpid() and _lives(pid) else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        # Somebody else's, and there.
        return True
    return True
