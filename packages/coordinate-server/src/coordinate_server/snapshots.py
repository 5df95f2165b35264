"""Backups of the data file that a running server makes from time to time."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from attrs import define, field, frozen

from coordinate_server.backups import BackupReport, backup
from coordinate_server.snapshot_names import SnapshotNames
from coordinate_server.store.interface import Store, StoreError
from coordinate_server.store.sqlite.file_header import check_header

__all__ = ["SnapshotSettings", "Snapshots"]

_LOG = logging.getLogger("coordinate.server")


@frozen
class SnapshotSettings:
    """What is to be kept, and for how long.

    Arguments:
        names: how snapshots are called.
        period: seconds between two; None for none.
        keep: how many of the newest stay; None for all.
        recover: whether a start without a data file begins with the newest sound one.
    """

    names: SnapshotNames
    period: float | None = None
    keep: int | None = None
    recover: bool = False


@define
class Snapshots:
    """Makes the snapshots of one server, and deletes the oldest.

    Arguments:
        settings: how often, and how many.
        store: what is copied.
        commits: gives how many commits there were: without a new one, nothing is copied.
        wall: gives the time, seconds since 1970.
        copy: makes one copy.
    """

    settings: SnapshotSettings
    store: Store
    commits: Callable[[], int]
    wall: Callable[[], float] = time.time
    copy: Callable[[Store, Path], Awaitable[BackupReport]] = backup
    _copied: int | None = field(default=None, init=False)

    async def run(self) -> None:
        """Make one after each period, until it is cancelled; at once where there is none."""
        while self.settings.period is not None:
            await asyncio.sleep(self.settings.period)
            await self.take()

    async def take(self) -> None:
        """Make one, if anything was committed since the last; what goes wrong is logged."""
        commits = self.commits()
        if commits == self._copied:
            return
        path = self.settings.names.path(self.wall())
        try:
            report = await self.copy(self.store, path)
        except StoreError as error:
            _LOG.error("no snapshot was made: %s", error)
            return
        self._copied = commits
        _LOG.info("snapshot %s: %d bytes in %.1f s", path, report.size, report.seconds)
        await asyncio.to_thread(self._delete_oldest)

    def _delete_oldest(self) -> None:
        names, keep = self.settings.names, self.settings.keep
        if keep is None:
            return
        try:
            ours = [path for path in names.found() if _is_ours(path)]
            oldest = names.moment(ours[:keep][-1]) if ours else ""
            parts = [path for path in names.interrupted() if names.moment(path) < oldest]
            for path in [*ours[keep:], *parts]:
                path.unlink()
                _LOG.info("deleted the old snapshot %s", path)
        except OSError as error:
            _LOG.error("an old snapshot was not deleted: %s", error)


def _is_ours(path: Path) -> bool:
    """Whether a file is a data file of ours; a newer schema's is left to those who know it."""
    try:
        status = path.lstat()
        check_header(path, status)
    except (StoreError, OSError):
        return False
    return status.st_size > 0
