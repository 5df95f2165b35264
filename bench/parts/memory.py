"""Resident memory for a unit that waits, and for one that has ended; and bytes of the files."""

from functools import partial
from typing import Final

from driving import Work, adding, drive, taking
from processes import rss_bytes
from queues.backlog import rows_written
from queues.coordinate import Finisher, Units
from queues.messages import Messages
from queues.work import ADDED, BATCH
from report import Asked, Report, number, say
from servers import STORES, Started, coordinated

__all__ = ["measure"]

_COUNTS: Final = (100_000, 1_000_000)
_LARGE: Final = 10_000_000
_MOST_ENDED: Final = 1_000_000
_FEWER: Final = (20_000,)
_SHORT_SECONDS: Final = 1.0
_CLIENTS: Final = 2
_MIB: Final = 2**20


def measure(asked: Asked, report: Report) -> None:
    """Measure each store with each count of units; once each, for memory hardly varies."""
    counts = list(_COUNTS if asked.seconds >= _SHORT_SECONDS else _FEWER)
    counts += [_LARGE] if asked.large else []
    table = report.table(
        "Resident memory, units with 64 bytes of data",
        *("store", "units", "bytes a waiting unit", "MiB in all", "MiB once all have ended"),
        *("bytes an ended unit", "MiB of files", "the log's"),
    )
    for store in STORES:
        for count in counts:
            waiting, whole, after, files = _waiting(store, count)
            ended = _ended(store, min(count, _MOST_ENDED))
            report.figure(f"{store}, {count}, a waiting unit", waiting)
            report.figure(f"{store}, {count}, an ended unit", ended)
            cells = [number(waiting), number(whole / _MIB), number(after / _MIB)]
            cells += [number(ended, 1), *(number(size / _MIB, 1) for size in files)]
            table.add(store, f"{count:,}", *cells)


def _waiting(store: str, count: int) -> tuple[float, int, int, tuple[int, int]]:
    """Bytes for each waiting unit, bytes in all with them, after them, and those of the files."""
    with coordinated(store) as server:
        before = _warm(server)
        drive([adding(server.place, Units, ADDED, count)])
        rows_written(server.place)
        whole = rss_bytes(server.pid)
        say(f"{count:,} units wait in {whole / _MIB:,.0f} MiB, {store}")
        _finish(server.place)
        return (whole - before) / count, whole, rss_bytes(server.pid), sizes(server)


def _ended(store: str, count: int) -> float:
    """Bytes for each unit that has ended, where never more than a few wait.

    What a server once needed for units that wait it does not give back, and has for what comes.
    """
    with coordinated(store) as server:
        before = _warm(server)
        drive([partial(_churn, server.place, count)])
        rows_written(server.place)
        return (rss_bytes(server.pid) - before) / count


def _churn(place: tuple[str, int], count: int) -> Work:
    add, step = Units(place).add, Finisher(Messages(place), BATCH).step

    def work() -> tuple[int, list[float]]:
        for first in range(ADDED, ADDED + count, ADDED):
            add(first, ADDED)
            while step() is not None:
                pass
        return count, []

    return work


def _warm(server: Started) -> int:
    """What a server has once it has done everything: what the first units bring is no unit's."""
    Units(server.place).prepare()
    drive([adding(server.place, Units, 0, ADDED)])
    _finish(server.place)
    return rss_bytes(server.pid)


def _finish(place: tuple[str, int]) -> None:
    """Finish all, and wait until the rows are written: what waits for that is in memory, too."""
    drive([taking(place, lambda line: Finisher(Messages(line), BATCH))] * _CLIENTS)
    rows_written(place)


def sizes(server: Started) -> tuple[int, int]:
    """Bytes of all files of a server, and of its write-ahead log alone."""
    if server.folder is None:
        return 0, 0
    found = [(path, path.stat().st_size) for path in server.folder.iterdir() if path.is_file()]
    log = sum(size for path, size in found if path.name.endswith("-wal"))
    return sum(size for _, size in found), log
