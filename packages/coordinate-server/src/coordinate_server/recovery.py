"""A start without a data file, from the newest snapshot that is sound."""

import logging
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

from coordinate_server.checking import check, damaged_row
from coordinate_server.model.changes import Row
from coordinate_server.old_snapshots import read_old_snapshot
from coordinate_server.snapshot_names import SnapshotNames
from coordinate_server.store.interface import DamagedStore, StoreError
from coordinate_server.store.sqlite.inspection import Inspection
from coordinate_server.store.sqlite.newfile import NewFile

__all__ = ["recover"]

_LOG = logging.getLogger("coordinate.server")
_MAGIC: Final = b"SQLite format 3\0"


def recover(names: SnapshotNames, data: Path, namespace: str, say: Callable[[str], None]) -> None:
    """Make the data file out of the newest sound snapshot, if there is neither it nor its log.

    Those that are refused are logged with the reason; where there are no snapshots at all, nothing
    is done, and the server begins with nothing.

    Arguments:
        names: how snapshots are called: ours, and those of 0.1.5.
        data: the data file.
        namespace: where the specs of 0.1.5 are to be.
        say: is told which snapshot was taken.

    Raises:
        StoreError: there are snapshots, and none of them can be used.
    """
    if os.path.lexists(data) or os.path.lexists(data.with_name(f"{data.name}-wal")):
        return
    found = _found(names)
    for path in found:
        try:
            kind, write = _checked(path, namespace)
        except StoreError as error:
            _LOG.warning("snapshot refused: %s", error)
        else:
            # What fails from here on is no fault of the snapshot, and no older one is taken for it.
            write(data)
            say(f"no data in {data}: begun from {kind} {path}")
            return
    if found:
        raise StoreError(
            f"no data in {str(data)!r}, and none of {len(found)} snapshots in"
            f" {str(names.directory)!r} can be used; to begin with nothing, set"
            " job_queue.do_recover to false"
        )


def _found(names: SnapshotNames) -> list[Path]:
    try:
        return names.found()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StoreError(
            f"cannot look for snapshots in {str(names.directory)!r}: {reason}"
        ) from error


def _checked(path: Path, namespace: str) -> tuple[str, Callable[[Path], object]]:
    """See that a snapshot is sound; gives what it is, and what makes a data file of it."""
    if _is_database(path):
        report = check(path)
        if not report.is_sound:
            raise DamagedStore(f"{str(path)!r} is damaged: {report.faults[0]}")
        return "snapshot", partial(_copy, path)
    rows = read_old_snapshot(path, namespace)
    fault = damaged_row(rows)
    if fault is not None:
        raise DamagedStore(f"{str(path)!r} does not hold together: {fault}")
    return "0.1.5's snapshot", partial(_write, rows)


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StoreError(f"cannot read {str(path)!r}: {reason}") from error


def _copy(path: Path, data: Path) -> None:
    with Inspection(path) as file:
        file.copy(data)


def _write(rows: Iterable[Row], data: Path) -> None:
    with NewFile(data) as file:
        file.put_all(rows)
        file.finish()
