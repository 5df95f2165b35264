"""Calls per second of `update_work_unit` beside a bare CBOR echo, in one run.

Each server is measured in turn, round by round, and the median of the rounds counts: what else the
machine does weighs on all of them alike. Only the ratios mean something on another machine.
"""

import argparse
import os
import platform
import sqlite3
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import store
from load import calls_per_second, in_turn
from servers import COORDINATED, ECHO, running

from coordinate_client import TaskMaster
from coordinate_protocol.connection import ClientConnection
from coordinate_protocol.limits import DEFAULT_LIMITS

SPEC = {"name": "bench", "min_gb": 1}
WORKER = "bench-worker"


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds for one measurement")
    return parser.parse_args()


def claimed_updates(address: str, count: int) -> list[bytes]:
    """Requests that renew the lease of as many units, each pending under the benchmark's worker."""
    with TaskMaster({"address": address}) as master:
        master.update_bundle(SPEC, {f"unit-{number:04}": {"n": number} for number in range(count)})
        units = [master.get_work(WORKER, available_gb=1) for _ in range(count)]
    return [update(unit.key) for unit in units]


def update(key: str) -> bytes:
    """One wrapped request that renews the lease of a unit of the benchmark's worker."""
    options = {"lease_time": 900, "worker_id": WORKER}
    return ClientConnection(DEFAULT_LIMITS).request("update_work_unit", ["bench", key, options])[1]


@contextmanager
def all_servers(connections: int) -> Iterator[dict[str, tuple[str, list[bytes]]]]:
    """Every server that is compared: its name -> its address and a request per connection."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="coordinate-bench-"))
        echo = stack.enter_context(running(ECHO))
        memory = stack.enter_context(running([*COORDINATED, "--memory"]))
        data = str(Path(folder, "bench.db"))
        durable = stack.enter_context(running([*COORDINATED, "--data", data]))
        requests = claimed_updates(memory, connections)
        yield {
            "echo": (echo, requests),
            "memory": (memory, requests),
            "durable": (durable, claimed_updates(durable, connections)),
        }


def medians(connections: int, rounds: int, seconds: float) -> dict[str, float]:
    """The median calls per second of each server."""
    with all_servers(connections) as servers:
        rates: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(rounds):
            for name, (address, requests) in servers.items():
                asks = [in_turn(request) for request in requests]
                rates[name].append(calls_per_second(address, asks, seconds))
    return {name: statistics.median(values) for name, values in rates.items()}


def machine() -> str:
    """What the figures were measured on."""
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def print_calls(asked: argparse.Namespace) -> None:
    """Print the table of calls per second."""
    print("| connections | echo | memory | of the echo | durable | of the echo |")
    print("|---:|---:|---:|---:|---:|---:|")
    for connections in asked.connections:
        rate = medians(connections, asked.rounds, asked.seconds)
        cells = [f"{connections}", f"{rate['echo']:,.0f}"]
        for name in ("memory", "durable"):
            cells += [f"{rate[name]:,.0f}", f"{rate[name] / rate['echo']:.0%}"]
        print("|", " | ".join(cells), "|", flush=True)


def print_store(seconds: float) -> None:
    """Print the table of the stores."""
    rows = store.measure(seconds)
    heads = list(rows[0])
    print("|", " | ".join(heads), "|")
    print("|", " | ".join("---:" for _ in heads), "|")
    for row in rows:
        cells = (f"{value:,.0f}" if isinstance(value, float) else value for value in row.values())
        print("|", " | ".join(map(str, cells)), "|")


def main() -> None:
    """Measure and print everything."""
    asked = arguments()
    print(f"{machine()}; medians of {asked.rounds} rounds of {asked.seconds:g} s\n")
    print("Calls of update_work_unit per second, lock-step on each connection\n")
    print_calls(asked)
    print("\nThe store alone\n")
    print_store(asked.seconds)


if __name__ == "__main__":
    main()
