"""Units per second of a no-op function through 4 workers, beside other queues in one run.

    python bench/workers.py [--rounds N] [--seconds S] [--only TEXT ...] [--short]

Tasks are enqueued first; then the workers start, and from when a tenth is done until all are, time
counts. What a task does is the same for all: it adds a byte to a file in memory. Each round
measures each system once. One that cannot be had, fails or hangs is said so of, and left out.
"""

import argparse
import os
import platform
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from types import FrameType

from attrs import define, field
from peers.programs import NotEnded
from peers.redis_server import PROGRAM
from peers.systems import BATCHED, ONE_BY_ONE, WORKERS, System, systems
from peers.trial import units_per_second
from tables import head, line

PACKAGES = ("huey", "taskiq", "taskiq-redis", "dramatiq", "celery", "rq", "redis")
LEAST_TASKS = 200
LONGEST_TIMES = 20
"""A system that takes so many times as long as it should is given up."""


@define(eq=False)
class Measured:
    """A system, and what it did.

    Arguments:
        system: which.
        rates: units per second, of each round.
        fault: why it is left out; None where it is not.
    """

    system: System
    rates: list[float] = field(factory=list)
    fault: str | None = None

    @property
    def median(self) -> float:
        """Units per second."""
        return statistics.median(self.rates)

    def measure(self, seconds: float) -> None:
        """Measure it once more, with as many tasks as should take so long."""
        rate = self.rates[-1] if self.rates else self.system.expected
        try:
            count = max(LEAST_TASKS, int(rate * seconds))
            self.rates.append(units_per_second(self.system, count, seconds * LONGEST_TIMES))
        except (NotEnded, RuntimeError) as error:
            self.fault = str(error)
            say(f"{name(self.system)} is left out: {error}")
        else:
            say(f"{name(self.system)}: {self.rates[-1]:,.0f}/s, {count:,} units")


def name(system: System) -> str:
    """What a system is called outside of the table."""
    return f"{system.title} ({system.durability})"


def say(text: str) -> None:
    """Tell the person who waits; the table alone goes to standard output."""
    print(text, file=sys.stderr, flush=True)


def wanted(only: Sequence[str]) -> list[Measured]:
    """What is to be measured and can be."""
    chosen = [each for each in systems() if not only or any(part in name(each) for part in only)]
    for system in chosen:
        if system.missing:
            say(f"{name(system)} is left out: {system.missing} is not installed")
    return [Measured(system) for system in chosen if not system.missing]


def measure(rounds: int, seconds: float, all_measured: Sequence[Measured]) -> None:
    """Measure each of them once in each round, until it fails."""
    for number in range(rounds):
        say(f"Round {number + 1} of {rounds}")
        for measured in all_measured:
            if measured.fault is None:
                measured.measure(seconds)


def print_table(all_measured: Sequence[Measured]) -> None:
    """Print the table: each system, and how many times as fast ours is."""
    medians = {each.system: each.median for each in all_measured if each.rates}
    titles = ["system", "durability", "units/s", "min", "max"]
    titles += ["ours, 1 at a time", "ours, 50 at a time"]
    head(titles)
    for each in all_measured:
        if each.fault is None:
            rates = [f"{rate:,.0f}" for rate in (each.median, min(each.rates), max(each.rates))]
            times = [ratio(medians.get(ours), each.median) for ours in (ONE_BY_ONE, BATCHED)]
            line([each.system.title, each.system.durability, *rates, *times])
    for each in all_measured:
        if each.fault is not None:
            print(f"\nLeft out: {name(each.system)}: {each.fault.partition(chr(10))[0]}")


def ratio(ours: float | None, other: float) -> str:
    """How many times as fast ours is; a dash where ours was not measured."""
    return "-" if ours is None else f"{ours / other:.2f}"


def versions() -> Iterator[str]:
    """What was measured, and on what."""
    yield f"Python {platform.python_version()}"
    yield f"SQLite {sqlite3.sqlite_version}"
    if shutil.which(PROGRAM):
        said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
        yield f"{PROGRAM} {said.stdout.partition('v=')[2].partition(' ')[0]}"
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            yield f"{package} {version(package)}"


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts")
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="what one measurement should take"
    )
    parser.add_argument(
        "--only", nargs="+", default=[], help="only those with a text in their name"
    )
    parser.add_argument("--short", action="store_true", help="one round of a second")
    asked = parser.parse_args()
    if asked.short:
        asked.rounds, asked.seconds = 1, 1.0
    return asked


def stop(_number: int, _frame: FrameType | None) -> None:
    """End as an error does, so that what was started ends, too; once, or it would not get there."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(1)


def main() -> None:
    """Print the table."""
    asked = arguments()
    signal.signal(signal.SIGTERM, stop)
    all_measured = wanted(asked.only)
    measure(asked.rounds, asked.seconds, all_measured)
    print(
        f"{WORKERS} worker processes each; {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores; {', '.join(versions())}; "
        f"medians of {asked.rounds} rounds of about {asked.seconds:g} s\n"
    )
    print_table(all_measured)


if __name__ == "__main__":
    main()
