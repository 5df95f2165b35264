"""A guard against calls that become dearer: how many instructions of byte code each executes.

    python bench/guard.py [--update]

No time is measured, so it says the same on any machine, however busy. The numbers are those of one
version of Python each, kept in guard.json; a version without any is not compared, but how the
numbers grow with the units always is. Status 1: something costs more than it may.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from client_calls import Client
from in_process import InProcess, in_process
from instructions import executed
from queues.coordinate import FINISHED, SPEC, WORKER
from queues.messages import plain, wrapped
from queues.work import keys
from tables import head, line

NUMBERS: Final = Path(__file__).with_name("guard.json")
VERSION: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
MARGIN: Final = 1.10
"""How many times the number that is kept a call may cost."""

GROWTH: Final = 1.10
"""How many times as much it may cost among many units as among few."""

FEW: Final = 1_000
MANY: Final = 20_000
TIMES: Final = 10
BATCH: Final = 100
_ADDED: Final = 1000
_GET: Final = {"available_gb": 1, "lease_time": 900}
_DATA: Final = {"payload": "x" * 53}

Numbers = dict[str, int]


class Worker:
    """A server with units, and a worker; what it does gives the instructions that it took.

    Arguments:
        server: the server.
        count: how many units there are.
    """

    def __init__(self, server: InProcess, count: int) -> None:
        self._server = server
        self._next = self._calls = 0
        self._units: list[Any] = []
        server.call("hello", {"protocol": 1, "session": True})
        server.call("set_work_spec", {"name": SPEC, "min_gb": 1})
        for _ in range(count // _ADDED):
            server.send(self._added(_ADDED))
            server.result()
        while server.store.settle(_ADDED):
            pass

    def hand_out(self) -> int:
        """One unit, by `get_work` with its attempt."""
        cost, result = self._cost("get_work", WORKER, {**_GET, "attempts": True})
        self._units.append(plain(result)[0])
        return cost

    def finish(self) -> int:
        """One unit, by `update_work_unit`."""
        return self._cost("update_work_unit", *_finished(self._units.pop()))[0]

    def finish_and_next(self, size: int) -> int:
        """Units, by `update_work_units` with `get_work`."""
        options = {"get_work": {"worker_id": WORKER, "max_jobs": size, **_GET}}
        finished = [_finished(unit) for unit in self._units]
        cost, result = self._cost("update_work_units", finished, options)
        self._units = list(plain(result)[1])
        return cost

    def add(self, size: int) -> int:
        """Units with 64 bytes of data."""
        message = self._added(size)
        cost = executed(lambda: self._server.send(message))
        self._server.result()
        return cost

    def prioritize(self) -> int:
        """One unit."""
        options = {"work_unit_keys": [self._last()], "priority": -1}
        return self._cost("prioritize_work_units", SPEC, options)[0]

    def status(self) -> int:
        """Of one unit."""
        return self._cost("get_work_unit_status", SPEC, [self._last()])[0]

    def delete(self) -> int:
        """One unit."""
        cost, _ = self._cost("del_work_units", SPEC, {"work_unit_keys": [self._last()]})
        self._next -= 1
        return cost

    def settle(self, rows: int) -> int:
        """Rows, to their places in the file."""
        return executed(lambda: self._server.store.settle(rows))

    def _last(self) -> str:
        return next(keys(self._next - 1, 1))

    def _added(self, size: int) -> bytes:
        added = [(key, _DATA) for key in keys(self._next, size)]
        self._next += size
        return self._numbered("add_work_units", [SPEC, added])

    def _numbered(self, method: str, params: Sequence[Any]) -> bytes:
        """A call of the session, as our clients make all that change something."""
        self._calls += 1
        number = {"id": self._calls, "seq": self._calls, "low": self._calls}
        return wrapped({**number, "method": method, "params": params})

    def _cost(self, method: str, *params: Any) -> tuple[int, Any]:
        message = self._numbered(method, params)
        cost = executed(lambda: self._server.send(message))
        return cost, self._server.result()


def _finished(unit: Any) -> tuple[Any, ...]:
    spec, key, _, handed = plain(unit)
    return spec, key, {"status": FINISHED, "worker_id": WORKER, "attempt": handed["attempt"]}


def costs(count: int) -> Numbers:
    """The instructions of each operation, the middle of some, with so many units."""
    with in_process() as server:
        worker = Worker(server, count)
        return {title: _middle(operation) for title, operation in _operations(worker)}


def _operations(worker: Worker) -> Iterator[tuple[str, Callable[[], int]]]:
    yield "hand-out", worker.hand_out
    yield "finish", worker.finish
    for size in (1, BATCH):
        # The first of them has nothing to finish, or not as much.
        worker.finish_and_next(size)
        yield f"finish and next, {size}", partial(worker.finish_and_next, size)
    for size in (1, BATCH):
        yield f"add, {size}", partial(worker.add, size)
    yield "prioritize", worker.prioritize
    yield "status", worker.status
    yield "delete", worker.delete
    yield f"write {BATCH} rows", partial(worker.settle, BATCH)
    yield "client: finish and next", Client().finish_and_next


def _middle(operation: Callable[[], int]) -> int:
    return statistics.median_low(operation() for _ in range(TIMES))


def too_dear(found: Numbers, grown: Numbers, kept: Numbers) -> list[str]:
    """What costs more than it may, each with a line that says so.

    Args:
        found: what each operation costs among few units.
        grown: the same among many.
        kept: what it cost when the numbers were kept; nothing is compared where it is empty.
    """
    faults = [
        f"{title}: {grown[title]:,} instructions among {MANY:,} units, {cost:,} among {FEW:,}: more"
        f" than {GROWTH:.2f} times as many"
        for title, cost in found.items()
        if grown[title] > cost * GROWTH
    ]
    for title, cost in found.items():
        if title in kept and cost > kept[title] * MARGIN:
            faults.append(
                f"{title}: {cost:,} instructions, {kept[title]:,} are kept: more than {MARGIN:.2f}"
                " times as many (if it must be so: bench/guard.py --update)"
            )
    return faults


def print_table(found: Numbers, grown: Numbers, kept: Numbers) -> None:
    """Print what each operation costs, beside what is kept."""
    head(["operation", f"instructions, {FEW:,} units", "kept", "ratio", f"{MANY:,} units", "ratio"])
    for title, cost in found.items():
        before = kept.get(title)
        cells = [f"{before:,}", f"{cost / before:.2f}"] if before else ["-", "-"]
        line([title, f"{cost:,}", *cells, f"{grown[title]:,}", f"{grown[title] / cost:.2f}"])


def main() -> None:
    """Count, compare, and print; or keep the numbers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--update", action="store_true", help="keep these numbers")
    asked = parser.parse_args()
    all_kept: dict[str, Numbers] = json.loads(NUMBERS.read_text(encoding="utf-8"))
    found, grown, kept = costs(FEW), costs(MANY), all_kept.get(VERSION, {})
    print_table(found, grown, kept)
    if asked.update:
        text = json.dumps(all_kept | {VERSION: found}, indent=2, sort_keys=True)
        NUMBERS.write_text(f"{text}\n", encoding="utf-8")
        kept = found
    elif not kept:
        print(f"\nno numbers are kept for Python {VERSION}: only the growth was compared")
    faults = too_dear(found, grown, kept)
    for fault in faults:
        print(f"guard: {fault}", file=sys.stderr)
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
