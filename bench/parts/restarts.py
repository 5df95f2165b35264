"""How soon a server answers again that was killed with a million live units."""

import os
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from driving import adding, drive
from queues.coordinate import SPEC, Units
from queues.messages import Messages, plain
from queues.work import ADDED
from report import Asked, Report, median, number, say
from servers import COORDINATED, DATA, started

__all__ = ["measure"]

_UNITS: Final = 1_000_000
_FEWER: Final = 20_000
_SHORT_SECONDS: Final = 1.0


def units_of(asked: Asked) -> int:
    """A million, where the suite is given the time to add them."""
    return _UNITS if asked.seconds >= _SHORT_SECONDS else _FEWER


def measure(asked: Asked, report: Report) -> None:
    """Fill a durable server once; kill it and start it again, round by round."""
    count = units_of(asked)
    with TemporaryDirectory(prefix="coordinate-bench-") as folder:
        command = [*COORDINATED, "--data", str(Path(folder, DATA))]
        with started(command) as server:
            Units(server.place).prepare()
            drive([adding(server.place, Units, 0, count // ADDED * ADDED)])
            os.kill(server.pid, signal.SIGKILL)
        spent = [_answered(command, count) for _ in range(asked.rounds)]
    table = report.table(
        f"Start after SIGKILL with {count:,} waiting units, until a call is answered", "", "seconds"
    )
    table.add("median", number(report.figure(f"seconds, {count} units", median(spent)), 2))
    table.add("most", number(max(spent), 2))


def _answered(command: list[str], count: int) -> float:
    """Start the server, ask one thing, and kill it again.

    Raises:
        RuntimeError: units are missing.
    """
    began = time.perf_counter()
    with started(command) as server:
        counts = plain(Messages(server.place).call("count_work_units", SPEC))[0]
        spent = time.perf_counter() - began
        os.kill(server.pid, signal.SIGKILL)
    if sum(counts.values()) != count:
        raise RuntimeError(f"{counts} of {count} units were there after the start")
    say(f"start with {count:,} units: {spent:.2f} s")
    return spent
