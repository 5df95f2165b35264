"""What workers cost that wait for work, and how soon work is with one of them.

    python bench/waiting.py [--waiters N] [--ways N ...] [--idle SECONDS] [--units N] [--short]

Each worker has a connection and a session of its own, as the client's have, and waits in
`get_work`. First nothing happens, and what counts is the time of a core that the server takes all
the same. Then units are added one at a time over another connection: from before the call's bytes
are written to when the hand-out's bytes are read, by one clock in one process. The worker
finishes its unit and waits again before the next is added. All of the driver is one process with
one thread.
"""

import argparse
import asyncio
import statistics
from collections.abc import Iterator, Sequence
from functools import partial

from attrs import define, field, frozen
from processes import Busy, allow_files, rss_bytes
from servers import STORES, Started, coordinated
from tables import head, line, percentile
from wire import LONGEST, Answer, Line, connected, connected_many, run

DAY = 86_400
FINISHED = 4
SPARE_FILES = 200
SETTLE_SECONDS = 1.0
"""After that long what was sent is where it belongs, and what happens besides has happened."""

LATE_SECONDS = 0.002
"""So long after a unit is finished, whoever was woken besides its worker would be here."""

KIB = 1024


@define(eq=False)
class Worker:
    """One that waits for work.

    Arguments:
        name: its id.
        specs: what it works on; None for anything.
        line: its connection.
        woken: where it stands once it has an answer.
    """

    name: str
    specs: list[str] | None
    line: Line
    woken: "asyncio.Queue[tuple[Worker, Answer]]" = field(repr=False)
    seq: int = field(default=0, init=False)

    async def greet(self) -> None:
        """Begin a session."""
        await self.line.call("hello", {"protocol": [1], "session": True})

    def wait(self) -> None:
        """Ask for work."""
        options: dict[str, object] = {"attempts": True, "wait": DAY}
        if self.specs is not None:
            options["work_spec_names"] = self.specs
        _, future = self.line.send("get_work", self.name, options, **self._numbers())
        future.add_done_callback(self._tell)

    def _tell(self, future: "asyncio.Future[Answer]") -> None:
        if not future.cancelled() and future.exception() is None:
            self.woken.put_nowait((self, future.result()))

    async def finish(self, answer: Answer) -> None:
        """Finish what it was given."""
        (spec, key, _, handed), _ = answer.result
        options = {"status": FINISHED, "worker_id": self.name, "attempt": handed["attempt"]}
        await self.line.done("update_work_unit", spec, key, options, **self._numbers())

    def _numbers(self) -> dict[str, int]:
        self.seq += 1
        return {"seq": self.seq, "low": self.seq}


@frozen
class Crowd:
    """So many workers, who ask in so many ways; 1 is to ask for anything.

    Arguments:
        waiters: how many.
        ways: each n-th of so many specs is asked for by the n-th of them.
    """

    waiters: int
    ways: int

    def specs(self) -> list[str]:
        """The names of the specs."""
        return [f"bench-{number:03}" for number in range(self.ways)]

    def workers(self, lines: Sequence[Line]) -> Iterator[Worker]:
        """Who waits."""
        woken: asyncio.Queue[tuple[Worker, Answer]] = asyncio.Queue()
        specs = self.specs()
        for number, its in enumerate(lines):
            asked = None if self.ways == 1 else [specs[number % self.ways]]
            yield Worker(f"worker-{number:05}", asked, its, woken)


@frozen
class Figures:
    """What was measured of one crowd.

    Arguments:
        idle: the share of a core that the server took while nothing happened.
        connection_bytes: what a connection takes that does nothing.
        waiter_bytes: what one takes that has a session and waits.
        latencies: seconds from sending a unit to its being with a worker.
        woken: how many workers got an answer for each unit.
    """

    idle: float
    connection_bytes: float
    waiter_bytes: float
    latencies: list[float]
    woken: list[int]


async def idle_share(server: Started, seconds: float) -> float:
    """How much of a core the server takes while nothing is asked of it."""
    await asyncio.sleep(SETTLE_SECONDS)
    busy = Busy(server.pid)
    await asyncio.sleep(seconds)
    return busy.share()


async def add_one(
    adder: Line, spec: str, number: int, woken: "asyncio.Queue[tuple[Worker, Answer]]"
) -> tuple[float, int]:
    """Add a unit; gives how soon it was with a worker, and how many had an answer."""
    began, added = adder.send("add_work_units", spec, [(f"unit-{number:06}", {"n": number})])
    worker, answer = await asyncio.wait_for(woken.get(), LONGEST)
    await asyncio.wait_for(added, LONGEST)
    await worker.finish(answer)
    await asyncio.sleep(LATE_SECONDS)
    answered = [worker]
    while not woken.empty():
        answered.append(woken.get_nowait()[0])
    for one in answered:
        one.wait()
    await adder.call("list_work_specs", {})
    return answer.moment - began, len(answered)


async def measure(server: Started, crowd: Crowd, idle: float, units: int) -> Figures:
    """Have a crowd wait, do nothing for some seconds, then add units one by one."""
    adder = await connected(server.place)
    specs = crowd.specs()
    for name in specs:
        await adder.done("set_work_spec", {"name": name, "min_gb": 1})
    empty = rss_bytes(server.pid)
    lines = await connected_many(server.place, crowd.waiters)
    bare = rss_bytes(server.pid)
    workers = list(crowd.workers(lines))
    for worker in workers:
        await worker.greet()
        worker.wait()
    share = await idle_share(server, idle)
    waiting = rss_bytes(server.pid)
    latencies, woken = [], []
    for number in range(units):
        seconds, answered = await add_one(
            adder, specs[number % len(specs)], number, workers[0].woken
        )
        latencies.append(seconds)
        woken.append(answered)
    for each in (adder, *lines):
        each.close()
    connection, waiter = ((after - empty) / crowd.waiters for after in (bare, waiting))
    return Figures(share, connection, waiter, latencies, woken)


def print_crowd(store: str, crowd: Crowd, figures: Figures) -> None:
    """Print a crowd's line."""
    cells = [store, f"{crowd.waiters:,}", f"{crowd.ways:,}", f"{figures.idle:.2%}"]
    cells += [f"{figures.connection_bytes / KIB:.1f}", f"{figures.waiter_bytes / KIB:.1f}"]
    cells += [f"{statistics.mean(figures.woken):.2f}", f"{max(figures.woken)}"]
    cells += [f"{percentile(figures.latencies, p) * 1000:.2f}" for p in (50, 99)]
    line([*cells, f"{max(figures.latencies) * 1000:.2f}"])


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--waiters", type=int, default=1000, help="workers that wait")
    parser.add_argument("--ways", type=int, nargs="+", default=[1, 10, 100], help="ways to ask")
    parser.add_argument("--idle", type=float, default=30.0, help="seconds in which nothing happens")
    parser.add_argument("--units", type=int, default=1000, help="units, added one by one")
    parser.add_argument("--short", action="store_true", help="5 seconds and 100 units")
    asked = parser.parse_args()
    if asked.short:
        asked.idle, asked.units = min(asked.idle, 5.0), min(asked.units, 100)
    return asked


def main() -> None:
    """Print the table."""
    asked = arguments()
    files = allow_files(asked.waiters + SPARE_FILES)
    print(
        f"Idle for {asked.idle:g} s, then {asked.units:,} units one by one; `ulimit -n` {files:,}\n"
    )
    titles = ["store", "waiters", "ways of asking", "idle, of a core", "KiB a connection"]
    titles += ["KiB a waiter", "woken by a unit", "at most", "ms p50", "p99", "max"]
    head(titles)
    crowds = [Crowd(1, 1), *(Crowd(asked.waiters, ways) for ways in asked.ways)]
    for store in STORES:
        for crowd in crowds:
            with coordinated(store) as server:
                figures = run(partial(measure, server, crowd, asked.idle, asked.units))
            print_crowd(store, crowd, figures)


if __name__ == "__main__":
    main()
