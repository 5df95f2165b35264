"""The same work for Coordinate, beanstalkd and Redis lists: units added, taken, finished."""

from typing import Final

from attrs import define, field
from driving import Measured, adding, drive, taking
from queues import beanstalkd, coordinate, redis_lists
from queues.work import ADDED, BATCH, Queue, Way
from report import Asked, Report, median, number, ratio, say

__all__ = ["all_queues", "measure"]

_ADDERS: Final = 2
_LEAST: Final = 2000


@define
class _Runs:
    """What was measured of one thing, round by round."""

    runs: list[Measured] = field(factory=list)

    @property
    def rate(self) -> float:
        """Units per second."""
        return median([run.rate for run in self.runs])

    def milliseconds(self, percent: float) -> float:
        """Of an exchange, such as so many percent did not exceed."""
        return median([run.milliseconds(percent) for run in self.runs])


@define
class _Entry:
    """A queue, and what it did in each of its ways, and in adding."""

    queue: Queue
    added: _Runs = field(factory=_Runs)
    taken: dict[str, _Runs] = field(factory=dict)


def all_queues(report: Report) -> list[Queue]:
    """Those that are installed; of the others it is said that they are not."""
    queues = [*coordinate.queues(), *beanstalkd.queues(), *redis_lists.queues()]
    for queue in queues:
        if queue.missing is not None:
            report.leave_out(queue.name, f"{queue.missing} is not installed")
    return [queue for queue in queues if queue.missing is None]


def measure(asked: Asked, report: Report) -> None:
    """Measure each way of each queue once in each round, then print what came of it."""
    entries = [_Entry(queue) for queue in all_queues(report)]
    for turn in range(asked.rounds):
        say(f"queues: round {turn + 1} of {asked.rounds}")
        for entry in entries:
            for way in entry.queue.ways:
                _race(entry, way, asked.seconds)
    _print_added(report, entries)
    for size in sorted({way.size for entry in entries for way in entry.queue.ways}):
        _print_taken(report, entries, size)


def _race(entry: _Entry, way: Way, seconds: float) -> None:
    """Add units to an empty server, and have them taken and finished."""
    runs = entry.taken.setdefault(way.title, _Runs())
    expected = runs.runs[-1].rate if runs.runs else way.expected
    # A round number of messages for each adder.
    count = max(_LEAST, int(expected * seconds)) // (_ADDERS * ADDED) * ADDED
    with entry.queue.start() as server:
        place = server.place
        entry.queue.prepare(place)
        adders = [adding(place, entry.queue.adder, n * count, count) for n in range(_ADDERS)]
        entry.added.runs.append(drive(adders))
        runs.runs.append(drive([taking(place, way.make)] * way.clients))
    finished = runs.runs[-1].units
    if finished != count * _ADDERS:
        raise RuntimeError(f"{entry.queue.name}: {finished} of {count * _ADDERS} were finished")
    say(f"{entry.queue.name}, {way.title}: {number(runs.runs[-1].rate)}/s, {finished:,} units")


_TIMES: Final = ("ms p50", "p99", "p99.9")
_PERCENTS: Final = (50, 99, 99.9)
_OURS: Final = {
    1: {"two calls": "ours, two calls", "one message": "ours, one message"},
    BATCH: {"100, one message": "ours, a list", "100, one request": "ours, one request"},
}
"""The ways of the durable Coordinate that all are compared with, and what the ratio is called."""


def _print_added(report: Report, entries: list[_Entry]) -> None:
    heads = ("system", "an answer means", "units/s", "ours, durable", *_TIMES)
    title = f"Adding, {_ADDERS} clients, {ADDED:,} units of 64 bytes in a message"
    table = report.table(title, *heads)
    durable = _durable(entries)
    ours = [durable.added.rate] if durable else []
    for entry in entries:
        rate = report.figure(f"{entry.queue.name}, adding", entry.added.rate)
        cells = [number(rate), *(ratio(each, rate) for each in ours), *_times(entry.added)]
        table.add(entry.queue.title, entry.queue.durability, *cells)


def _print_taken(report: Report, entries: list[_Entry], size: int) -> None:
    clients = next(w.clients for e in entries for w in e.queue.ways if w.size == size)
    what = "one by one" if size == 1 else f"in batches of {size}"
    table = report.table(
        f"Taking and finishing {what}, {clients} client processes; the times are an exchange's",
        *("system", "an answer means", "way", "units/s", *_OURS[size].values(), *_TIMES),
    )
    durable = _durable(entries)
    ours = [durable.taken[title].rate for title in _OURS[size]] if durable else []
    for entry in entries:
        for way in entry.queue.ways:
            if way.size == size:
                runs = entry.taken[way.title]
                rate = report.figure(f"{entry.queue.name}, {way.title}", runs.rate)
                cells = [number(rate), *(ratio(each, rate) for each in ours), *_times(runs)]
                table.add(entry.queue.title, entry.queue.durability, way.title, *cells)


def _durable(entries: list[_Entry]) -> _Entry | None:
    return next((each for each in entries if each.queue.name == coordinate.DURABLE), None)


def _times(runs: _Runs) -> list[str]:
    return [number(runs.milliseconds(percent), 2) for percent in _PERCENTS]
