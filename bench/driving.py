"""Client processes that all begin together, and what they measured."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

from attrs import field, frozen
from queues.work import ADDED, Maker
from tables import percentile

__all__ = ["Measured", "Work", "adding", "drive", "taking"]

_FORK: Final = multiprocessing.get_context("fork")
_LONGEST: Final = 600.0
"""Seconds for which anything of a client is waited for."""

Work = Callable[[], "tuple[int, list[float]]"]
"""What a client does once all are ready: gives units, and the seconds of each exchange."""


@frozen
class Measured:
    """What the clients did together.

    Arguments:
        units: how many.
        seconds: from the first client's beginning to the last one's end.
        exchanges: the seconds of each exchange with the server, sorted.
    """

    units: int
    seconds: float
    exchanges: list[float] = field(repr=False)

    @property
    def rate(self) -> float:
        """Units per second."""
        return self.units / self.seconds

    def milliseconds(self, percent: float) -> float:
        """The milliseconds of an exchange that so many percent did not exceed."""
        return percentile(self.exchanges, percent) * 1e3


def drive(ready: Sequence[Callable[[], Work]]) -> Measured:
    """Have a process for each client get ready, and then all of them work.

    Args:
        ready: connects a client, in its own process, and gives its work.

    Raises:
        RuntimeError: one failed, so there is no figure.
    """
    barrier = _FORK.Barrier(len(ready))
    clients = [_client(each, barrier) for each in ready]
    try:
        told = [_answer(line) for _, line in clients]
    finally:
        for process, _ in clients:
            process.kill()
            process.join()
    units = sum(count for _, _, count, _ in told)
    began, ended = min(each[0] for each in told), max(each[1] for each in told)
    exchanges = sorted(seconds for each in told for seconds in each[3])
    return Measured(units, ended - began, exchanges)


def _client(ready: Callable[[], Work], barrier: Any) -> tuple[BaseProcess, Connection]:
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_work, args=(ready, barrier, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _work(ready: Callable[[], Work], barrier: Any, line: Connection) -> None:
    try:
        work = ready()
        barrier.wait(_LONGEST)
        began = time.perf_counter()
        units, exchanges = work()
        line.send((began, time.perf_counter(), units, exchanges))
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent says it and ends all
        barrier.abort()
        line.send(f"{type(error).__name__}: {error}")


def _answer(line: Connection) -> tuple[float, float, int, list[float]]:
    if not line.poll(_LONGEST):
        raise RuntimeError(f"a client did not end within {_LONGEST:g} s")
    told = line.recv()
    if isinstance(told, str):
        raise RuntimeError(told)
    answer: tuple[float, float, int, list[float]] = told
    return answer


def taking(place: tuple[str, int], make: Maker) -> Callable[[], Work]:
    """A client that takes and finishes until nothing is left."""

    def ready() -> Work:
        step = make(place).step
        return lambda: _steps(step)

    return ready


def _steps(step: Callable[[], int | None]) -> tuple[int, list[float]]:
    clock, units, exchanges = time.perf_counter, 0, []
    while True:
        began = clock()
        done = step()
        exchanges.append(clock() - began)
        if done is None:
            return units, exchanges
        units += done


def adding(place: tuple[str, int], make: Maker, first: int, count: int) -> Callable[[], Work]:
    """A client that adds units, a thousand at a time."""

    def ready() -> Work:
        add = make(place).add
        return lambda: _additions(add, first, count)

    return ready


def _additions(add: Callable[[int, int], None], first: int, count: int) -> tuple[int, list[float]]:
    clock, exchanges = time.perf_counter, []
    for number in range(first, first + count, ADDED):
        began = clock()
        add(number, min(ADDED, first + count - number))
        exchanges.append(clock() - began)
    return count, exchanges
