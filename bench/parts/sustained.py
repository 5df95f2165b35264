"""Rates that are held: units per second and the journal's backlog, in thirds of a minute."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ctypes import c_bool, c_ulonglong
from typing import Any, Final

from attrs import field, frozen
from queues.backlog import backlog
from queues.coordinate import Finisher, Units
from queues.messages import Messages
from queues.work import ADDED, BATCH
from report import Asked, Report, number, say
from servers import Started, coordinated

from parts.memory import sizes

__all__ = ["measure"]

_FORK: Final = multiprocessing.get_context("fork")
_THIRDS: Final = 3
_ADDERS: Final = 2
_CLIENTS: Final = 4
_MIB: Final = 2**20
_LOOK_SECONDS: Final = 0.01
_STRIDE: Final = 10**7
"""Between the first numbers of two clients' units, so that no two add the same."""

Client = Callable[[tuple[str, int], int], Callable[[], "int | None"]]
"""Connects a client with a number of its own; gives what it does again and again, which says how
many units that was, and None when there is nothing more to do."""


@frozen
class _Load:
    """Clients that go on until they are told to stop.

    Arguments:
        counts: the units of each client, which it alone writes.
        over: whether they are to stop.
        processes: they.
    """

    counts: Any
    over: Any
    processes: list[Any] = field(factory=list)

    @property
    def units(self) -> int:
        """All together, so far."""
        return sum(self.counts)

    @property
    def running(self) -> bool:
        """Whether all of them go on."""
        return all(process.is_alive() for process in self.processes)

    def watch(self, seconds: float) -> tuple[float, float]:
        """Wait so long, or until one has nothing more to do; gives the rate, and the seconds."""
        before, began = self.units, time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds and self.running:
            time.sleep(_LOOK_SECONDS)
        return (self.units - before) / spent, spent


@contextmanager
def _load(place: tuple[str, int], clients: Sequence[Client]) -> Iterator[_Load]:
    counts, over = _FORK.RawArray(c_ulonglong, len(clients)), _FORK.RawValue(c_bool, False)
    load = _Load(counts, over)
    for number_, client in enumerate(clients):
        args = (client, place, number_, counts, over)
        load.processes.append(_FORK.Process(target=_go_on, args=args, daemon=True))
        load.processes[-1].start()
    try:
        yield load
    finally:
        over.value = True
        for process in load.processes:
            process.join()
    if any(process.exitcode for process in load.processes):
        raise RuntimeError("a client failed: what it said is above")


def _go_on(client: Client, place: tuple[str, int], own: int, counts: Any, over: Any) -> None:
    step = client(place, own)
    while not over.value:
        done = step()
        if done is None:
            return
        counts[own] += done


def _adding(place: tuple[str, int], own: int) -> Callable[[], int]:
    add, following = Units(place).add, iter(range(own * _STRIDE, (own + 1) * _STRIDE, ADDED))

    def step() -> int:
        add(next(following), ADDED)
        return ADDED

    return step


def _finishing(place: tuple[str, int], own: int) -> Callable[[], int | None]:
    del own
    return Finisher(Messages(place), BATCH).step


def _both(place: tuple[str, int], own: int) -> Callable[[], int | None]:
    """Adds a thousand, and finishes as many: the number of those that wait stays what it is."""
    add, finish = _adding(place, own + _ADDERS), _finishing(place, own)

    def step() -> int:
        add()
        return sum(finish() or 0 for _ in range(ADDED // BATCH))

    return step


_LOADS: Final[Sequence[tuple[str, Sequence[Client]]]] = (
    (f"adding {ADDED:,} at a time, {_ADDERS} clients", [_adding] * _ADDERS),
    (f"finishing {BATCH} at a time, {_CLIENTS} clients", [_finishing] * _CLIENTS),
    (f"adding and finishing, {_CLIENTS} clients", [_both] * _CLIENTS),
)


def measure(asked: Asked, report: Report) -> None:
    """One after the other on one durable server: adding, finishing what was added, and both."""
    table = report.table(
        f"Held for {asked.sustained:g} s, durable",
        *("load", "units/s", *(f"third {third + 1}" for third in range(_THIRDS))),
        *("backlog at 0 s", *(f"at {asked.sustained * n / _THIRDS:.3g} s" for n in range(1, 4))),
        *("MiB of files", "the log's"),
    )
    with coordinated("durable") as server:
        Units(server.place).prepare()
        for title, clients in _LOADS:
            rates, waiting, seconds = _held(server, clients, asked.sustained)
            report.figure(f"{title}, the most backlog", max(waiting))
            done = sum(rate * spent for rate, spent in zip(rates, seconds, strict=True))
            cells = [number(report.figure(title, done / sum(seconds)))]
            cells += [*_padded(rates, _THIRDS), *_padded(waiting, _THIRDS + 1)]
            table.add(title, *cells, *(number(size / _MIB, 1) for size in sizes(server)))


def _padded(values: Sequence[float], count: int) -> list[str]:
    """So many cells: dashes for the times after a load had nothing more to do."""
    return [*map(number, values), *["-"] * (count - len(values))]


def _held(
    server: Started, clients: Sequence[Client], seconds: float
) -> tuple[list[float], list[int], list[float]]:
    """Rates of the thirds, the backlog before and after each, and how long each was.

    A load that has nothing more to do ends before its time, and its rate is of the time it had.
    """
    messages = Messages(server.place)
    rates, spans, waiting = [], [], [backlog(messages)]
    with _load(server.place, clients) as load:
        for _ in range(_THIRDS):
            rate, spent = load.watch(seconds / _THIRDS)
            rates.append(rate)
            spans.append(spent)
            waiting.append(backlog(messages))
            say(f"{number(rate)}/s, backlog {waiting[-1]:,}")
            if not load.running:
                break
    return rates, waiting, spans
