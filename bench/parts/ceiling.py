"""The machine's own limits, and how much of them Coordinate's calls reach."""

from typing import Final

import run
from machine import syncs_per_second
from report import Asked, Report, median, number

__all__ = ["measure"]

_CONNECTIONS: Final = (1, 4, 16, 64)


def measure(asked: Asked, report: Report) -> None:
    """Syncs of the disk; calls a second of the echo, and of a server with each store."""
    syncs = [syncs_per_second(asked.seconds) for _ in range(asked.rounds)]
    table = report.table(
        "Syncs of the disk: 4 KiB written to a file that has its size, fdatasync", "", "per second"
    )
    table.add("median", number(report.figure("syncs", median(syncs))))
    table.add("least", number(min(syncs)))
    table.add("most", number(max(syncs)))
    table = report.table(
        "Calls of `update_work_unit` per second, lock-step, beside a bare CBOR echo",
        *("connections", "echo", "memory", "of the echo", "durable", "of the echo"),
    )
    for connections in _CONNECTIONS:
        rate = run.medians(connections, asked.rounds, asked.seconds)
        for name, value in rate.items():
            report.figure(f"{name}-{connections}", value)
        cells = [
            cell
            for name in ("memory", "durable")
            for cell in (number(rate[name]), f"{rate[name] / rate['echo']:.0%}")
        ]
        table.add(f"{connections}", number(rate["echo"]), *cells)
