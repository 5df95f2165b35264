"""Backups: of a running server's store, a slice at a time between its calls, and of a file."""

import asyncio
import time
from pathlib import Path

from attrs import frozen

from coordinate_server.checking import check
from coordinate_server.store import SqliteStore
from coordinate_server.store.interface import DamagedStore, Store, StoreError
from coordinate_server.store.sqlite.backup import Backup
from coordinate_server.store.sqlite.inspection import Inspection
from coordinate_server.store.sqlite.placing import refuse_existing

__all__ = ["BackupReport", "backup", "copy_file"]


@frozen
class BackupReport:
    """What a backup became.

    Arguments:
        path: where it is.
        size: its bytes.
        units: how many work units it has rows of; those that are only in its journal do not count.
        seconds: how long it took.
    """

    path: Path
    size: int
    units: int
    seconds: float


async def backup(store: Store, dest: Path, *, pause: float = 0.02) -> BackupReport:
    """Copy all that a store has committed to a new file while it goes on committing.

    Everything that was committed before the call is in the copy, and so is what is committed until
    the last row is read. The copy is checked, and durable, when this returns; a call that fails, or
    is cancelled, leaves nothing behind.

    Arguments:
        store: the store; one in memory has no file to copy.
        dest: where the copy is to be; nothing may be there.
        pause: seconds between two slices, in which calls are served.

    Raises:
        StoreError: the copy cannot be written, or the file not read; the message is one line.
    """
    if not isinstance(store, SqliteStore):
        raise StoreError("a server that keeps data in memory only has no file to back up")
    began = time.monotonic()
    running = store.backup(dest)
    try:
        await _read(running, pause)
        running.end()
        size, units = await asyncio.to_thread(running.finish)
    except BaseException:
        running.abandon()
        raise
    return BackupReport(dest, size, units, time.monotonic() - began)


async def _read(running: Backup, pause: float) -> None:
    while running.step():  # noqa: ASYNC110 - the pauses are for others, and no event ends them
        await asyncio.sleep(pause)


def copy_file(source: Path, dest: Path) -> tuple[int, int]:
    """Copy a data file that no server uses, or a backup, to a new file, if it is sound.

    Arguments:
        source: the file; its log goes with it.
        dest: where the copy is to be; nothing may be there.

    Returns:
        The size of the copy in bytes, and how many units it has.

    Raises:
        DamagedStore: it is not sound.
        StoreError: it cannot be read or is in use, or the copy not be written.
    """
    refuse_existing(dest)
    report = check(source)
    if not report.is_sound:
        raise DamagedStore(
            f"{str(source)!r} is damaged: {report.faults[0]}; `coordinated check` says all of it"
        )
    with Inspection(source) as file:
        return file.copy(dest), report.counts["unit"]
