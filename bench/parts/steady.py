"""What a call takes under a steady half of the most that the server can, and beside its upkeep."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from threading import Event, Thread
from typing import Final

from attrs import define, field
from driving import adding, drive
from open_loop import open_latencies, open_rate
from processes import Busy
from queues.backlog import rows_written
from queues.coordinate import Units
from queues.work import ADDED
from report import Asked, Report, Table, number, say
from servers import DATA, Started, coordinated
from tables import percentile
from wire import run

from coordinate_server.control_client import backup_by_server
from coordinate_server.store import StoreError

__all__ = ["measure"]

_LANES: Final = 64
_SHARE: Final = 0.5
_PARTS: Final = 6
"""The load is held for a sixth of the time for which a rate is to be held."""

_MOST: Final = 20_000
"""Calls per second that need units for; no server here makes more."""

_KEPT: Final = 1000


def measure(asked: Asked, report: Report) -> None:
    """Find the most, then hold half of it: alone, beside retention, beside backups."""
    seconds = max(asked.seconds, asked.sustained / _PARTS)
    table = report.table(
        f"Finish-and-next at {_SHARE:.0%} of the most, durable, {_LANES} connections,"
        f" {seconds:.3g} s; milliseconds from the moment of a call to its answer",
        *("beside", "the most/s", "of a core", "load/s", "p50", "p99", "p99.9", "max"),
    )
    _row(report, table, "its own writing of rows", seconds, {})
    kept = {"limit_completed_count": _KEPT}
    _row(report, table, f"retention of {_KEPT:,} ended units", seconds, kept)
    _row(report, table, "backups, one after the other", seconds, {}, backups=True)


def _row(
    report: Report,
    table: Table,
    title: str,
    seconds: float,
    settings: dict[str, int],
    *,
    backups: bool = False,
) -> None:
    short = max(1.0, seconds / _PARTS)
    units = int(_MOST * (seconds + short)) // ADDED * ADDED
    with coordinated("durable") as server:
        Units(server.place).prepare(**settings)
        drive([adding(server.place, Units, 0, units)])
        busy = Busy(server.pid)
        most = run(partial(open_rate, server.place, _LANES, short))
        share = busy.share()
        rows_written(server.place)
        running = _Backups(server)
        with running.going_on() if backups else nullcontext():
            spent = run(partial(open_latencies, server.place, _LANES, most * _SHARE, seconds))
    if backups and not running.done:
        report.leave_out(title, running.fault or "none has ended")
        return
    values = [percentile(spent, percent) * 1e3 for percent in (50, 99, 99.9, 100)]
    report.figure(f"{title}, ms p99", values[1])
    cells = [number(value, 2) for value in values]
    said = f"{title} ({running.done})" if backups else title
    table.add(said, number(most), f"{share:.0%}", number(len(spent) / seconds), *cells)
    say(f"{said}: p99 {values[1]:.2f} ms")


@define
class _Backups:
    """Backups of a live server, one after the other.

    Arguments:
        server: which.
        done: how many have ended well.
        fault: what the first that failed said.
    """

    server: Started
    done: int = 0
    fault: str | None = None
    _over: Event = field(factory=Event)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Make backups for as long as the block lasts; the last one is waited for."""
        thread = Thread(target=self._make)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _make(self) -> None:
        folder = self.server.folder
        assert folder is not None
        while not self._over.is_set() and self.fault is None:
            copy = folder / f"copy-{self.done}.db"
            # As `coordinated backup` does, whose start would take a processor from the load.
            try:
                backup_by_server(folder / DATA, copy)
            except StoreError as error:
                self.fault = str(error)
            else:
                self.done += 1
                copy.unlink()
