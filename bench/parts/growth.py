"""The server's CPU for one operation with few units and with many."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from attrs import define, field
from driving import adding, drive
from processes import exact_cpu_seconds
from queues.backlog import settled
from queues.coordinate import FINISHED, SPEC, WORKER, Units
from queues.messages import Messages, plain
from queues.work import ADDED, keys
from report import Asked, Report, median, number, ratio, say
from servers import STORES, Started, coordinated

__all__ = ["measure"]

_COUNTS: Final = (10_000, 1_000_000)
_LARGE: Final = 10_000_000
_SHORT: Final = (10_000, 50_000)
_SHORT_SECONDS: Final = 1.0
_LEAST: Final = 200
_SHARE: Final = 0.4
"""Of the fewest units, so many are taken by one measurement of all rounds together."""


@define
class _Operations:
    """The operations, each on one unit, with so many units all the time.

    Arguments:
        messages: the connection.
        next: the number of the next unit that is added.
        taken: what is handed out and not finished.
    """

    messages: Messages
    next: int
    taken: list[tuple[str, Any]] = field(factory=list)

    def take(self, times: int) -> None:
        """Hand out, one by one."""
        for _ in range(times):
            answer = self.messages.call("get_work", WORKER, {"available_gb": 1, "lease_time": 900})
            spec, key, *_ = plain(plain(answer)[0])
            self.taken.append((spec, key))

    def finish(self, times: int) -> None:
        """Finish what was handed out."""
        for _ in range(times):
            spec, key = self.taken.pop()
            options = {"status": FINISHED, "worker_id": WORKER}
            self.messages.call("update_work_unit", spec, key, options)

    def add(self, times: int) -> None:
        """Add one unit with each call."""
        data = {"payload": "x" * 53}
        for key in keys(self.next, times):
            self.messages.call("add_work_units", SPEC, [(key, data)])
        self.next += times

    def prioritize(self, times: int) -> None:
        """Give a priority to one of the units that were added last."""
        for key in keys(self.next - times, times):
            options = {"work_unit_keys": [key], "priority": -1}
            self.messages.call("prioritize_work_units", SPEC, options)

    def status(self, times: int) -> None:
        """Ask for the status of one of them."""
        for key in keys(self.next - times, times):
            self.messages.call("get_work_unit_status", SPEC, [key])

    def delete(self, times: int) -> None:
        """Delete one of them."""
        for key in keys(self.next - times, times):
            self.messages.call("del_work_units", SPEC, {"work_unit_keys": [key]})


_NAMES: Final = ("take", "finish", "add", "prioritize", "status", "delete")


def measure(asked: Asked, report: Report) -> None:
    """Measure each store with each count of units."""
    counts = list(_COUNTS if asked.seconds >= _SHORT_SECONDS else _SHORT)
    counts += [_LARGE] if asked.large else []
    for store in STORES:
        table = report.table(
            f"Microseconds of the server's CPU for one call, {store}, by how many units wait",
            *("operation", *(f"{count:,}" for count in counts), "the last to the first"),
        )
        costs = _costs(store, counts, asked.rounds)
        for name in _NAMES:
            values = [cost[name] * 1e6 for cost in costs]
            report.figure(f"{store}, {name}, ratio", values[-1] / values[0])
            table.add(name, *(number(value) for value in values), ratio(values[-1], values[0]))


def _costs(store: str, counts: Sequence[int], rounds: int) -> list[dict[str, float]]:
    """The median seconds of CPU that one call of each operation costs, for each count of units.

    The servers run side by side and are measured in turns, so that what else the machine does
    weighs on all of them alike.
    """
    times = max(_LEAST, int(counts[0] * _SHARE / rounds))
    with ExitStack() as stack:
        servers = [stack.enter_context(_filled(store, count)) for count in counts]
        spent: list[dict[str, list[float]]] = [{name: [] for name in _NAMES} for _ in counts]
        for turn in range(rounds):
            for name in _NAMES:
                for of_server, (server, operations) in zip(spent, servers, strict=True):
                    of_server[name].append(_cost(server, operations, name, times))
            say(f"operations, {store}: round {turn + 1} of {rounds}")
    return [{name: median(values) for name, values in each.items()} for each in spent]


@contextmanager
def _filled(store: str, count: int) -> Iterator[tuple[Started, _Operations]]:
    """A server with so many waiting units."""
    with coordinated(store) as server, Messages(server.place) as messages:
        Units(server.place).prepare()
        drive([adding(server.place, Units, 0, count // ADDED * ADDED)])
        yield server, _Operations(messages, count)


def _cost(server: Started, operations: _Operations, name: str, times: int) -> float:
    """The seconds of CPU for one call, with the writing of its rows that comes later."""
    operation: Callable[[int], None] = getattr(operations, name)
    settled(operations.messages)
    before = exact_cpu_seconds(server.pid)
    operation(times)
    settled(operations.messages)
    return (exact_cpu_seconds(server.pid) - before) / times
