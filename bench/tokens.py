"""What attempts, sessions and calls for many units cost, beside the calls that do without.

    python bench/tokens.py [--rounds N] [--seconds S] [--units N] [--short]

All ways are measured in turns, round by round, on the same two servers. The first table renews
leases, lock-step on each connection. The second finishes units and gets the next ones until none
is left; each round adds them anew before it. Ratios are those of each table's first line.
"""

import argparse
import statistics
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import cbor2
from attrs import frozen
from load import WRAPPED_HEADS, Ask, calls_per_second, in_turn, seconds_to_the_end
from servers import STORES, coordinated
from tables import head, line

from coordinate_client import TaskMaster

SPEC = {"name": "bench", "min_gb": 1}
WORKER = "bench-worker"
LEASE = 900
FINISHED = 4
BATCH = 100
SINGLE_CONNECTIONS, BATCH_CONNECTIONS = 16, 4
SLICE = 1000
MARK = 0x1122334455667788
"""Stands in an encoded request for a session's numbers, which take its place in as many bytes."""

FIRST_SEQ = 2**32
"""All numbers from here on take eight bytes."""

HELLO = {"protocol": [1], "session": True}

Unit = tuple[str, Any, int]


# ---- requests and answers ----


def request(method: str, *params: Any, **numbers: int) -> bytes:
    """One wrapped request."""
    inner = {"id": 1, "method": method, "params": list(params), **numbers}
    return cbor2.dumps(cbor2.CBORTag(24, cbor2.dumps(inner)))


def result_of(answer: bytes) -> Any:
    """What a wrapped answer holds; tuples are tags with a value."""
    size = WRAPPED_HEADS.get(answer[2], 0)
    return cbor2.loads(answer[3 + size :])["result"]


class Numbered:
    """Has what somebody asks be asked within a session: hello first, and each call under a number.

    Arguments:
        ask: makes requests that have MARK for a number.
    """

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.seq: int | None = None

    def __call__(self, answer: bytes) -> bytes:
        """Make the next request."""
        if self.seq is None:
            self.seq = FIRST_SEQ
            return request("hello", HELLO)
        made = self.ask(b"" if self.seq == FIRST_SEQ else answer)
        self.seq += 1
        return made.replace(struct.pack(">Q", MARK), struct.pack(">Q", self.seq))


def numbers(*, session: bool) -> dict[str, int]:
    """What a request that is to be numbered has."""
    return {"seq": MARK, "low": MARK} if session else {}


# ---- renewing ----


@frozen
class Renewal:
    """A way to renew a lease.

    Arguments:
        title: what it is called.
        attempt: whether the attempt is named.
        session: whether each call has a number.
    """

    title: str
    attempt: bool = False
    session: bool = False

    def ask(self, unit: Unit) -> Ask:
        """Renew this unit's lease again and again."""
        spec, key, attempt = unit
        options: dict[str, Any] = {"lease_time": LEASE, "worker_id": WORKER}
        if self.attempt:
            options["attempt"] = attempt
        made = request("update_work_unit", spec, key, options, **numbers(session=self.session))
        return Numbered(in_turn(made)) if self.session else in_turn(made)


RENEWALS = (
    Renewal("`update_work_unit` with `worker_id`"),
    Renewal("with `attempt` besides", attempt=True),
    Renewal("with `attempt`, in a session", attempt=True, session=True),
)


def claimed(address: str, count: int) -> list[Unit]:
    """Add and claim so many units."""
    with TaskMaster({"address": address}) as master:
        master.update_bundle(SPEC, {f"unit-{number:04}": {"n": number} for number in range(count)})
        units = [master.get_work(WORKER, available_gb=1) for _ in range(count)]
    return [("bench", unit.key, unit.attempt) for unit in units]


def renewals(rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """Calls per second of each way, by store and title."""
    rates = empty([renewal.title for renewal in RENEWALS])
    with ExitStack() as stack:
        servers = {store: stack.enter_context(coordinated(store)).address for store in STORES}
        units = {store: claimed(servers[store], SINGLE_CONNECTIONS) for store in STORES}
        for _ in range(rounds):
            for renewal in RENEWALS:
                for store, address in servers.items():
                    asks = [renewal.ask(unit) for unit in units[store]]
                    rates[store][renewal.title].append(calls_per_second(address, asks, seconds))
    return medians(rates)


# ---- finishing, and what is next ----


@frozen
class Way:
    """A way to finish units and get the next ones.

    Arguments:
        title: what it is called.
        make: makes one connection's asker.
        connections: how many there are.
    """

    title: str
    make: Callable[[], Ask]
    connections: int = SINGLE_CONNECTIONS


class TwoCalls:
    """Finishes a unit in one call and asks for the next in another.

    Arguments:
        attempts: whether attempts are asked for and named.
    """

    def __init__(self, *, attempts: bool) -> None:
        self.attempts = attempts
        self.asked = False

    def __call__(self, answer: bytes) -> bytes:
        """Make the next request."""
        self.asked = not self.asked
        return self.get() if self.asked else self.finish(answer)

    def get(self) -> bytes:
        """Ask for a unit."""
        attempts = {"attempts": True} if self.attempts else {}
        return request("get_work", WORKER, {"available_gb": 1, "lease_time": LEASE, **attempts})

    def finish(self, answer: bytes) -> bytes:
        """Finish what was handed out, if anything was."""
        spec, key, _, *details = result_of(answer).value[0].value
        if spec is None:
            return b""
        options: dict[str, Any] = {"status": FINISHED, "worker_id": WORKER}
        if self.attempts:
            options["attempt"] = details[0]["attempt"]
        return request("update_work_unit", spec, key, options)


class OneCall:
    """Finishes units and gets as many in the same call.

    Arguments:
        size: how many.
        session: whether it is to be put into a session.
    """

    def __init__(self, size: int, *, session: bool) -> None:
        self.options = {
            "get_work": {
                "worker_id": WORKER,
                "max_jobs": size,
                "available_gb": 1,
                "lease_time": LEASE,
            }
        }
        self.numbers = numbers(session=session)

    def __call__(self, answer: bytes) -> bytes:
        """Make the next request."""
        units = [unit.value for unit in result_of(answer).value[1]] if answer else []
        if answer and not units:
            return b""
        updates = [
            (spec, key, {"status": FINISHED, "worker_id": WORKER, "attempt": handed["attempt"]})
            for spec, key, _, handed in units
        ]
        return request("update_work_units", updates, self.options, **self.numbers)


def one_call(size: int, *, session: bool = False) -> Ask:
    """Make an asker that finishes and gets in one call."""
    ask = OneCall(size, session=session)
    return Numbered(ask) if session else ask


WAYS = (
    Way("`update_work_unit`, then `get_work`", lambda: TwoCalls(attempts=False)),
    Way("the same with attempts", lambda: TwoCalls(attempts=True)),
    Way("`update_work_units` with `get_work`", lambda: one_call(1)),
    Way("the same in a session", lambda: one_call(1, session=True)),
    Way(f"of {BATCH}", lambda: one_call(BATCH), BATCH_CONNECTIONS),
    Way(f"of {BATCH} in a session", lambda: one_call(BATCH, session=True), BATCH_CONNECTIONS),
)


def slices(count: int) -> Iterator[dict[str, Any]]:
    """So many units, in parts."""
    for first in range(0, count, SLICE):
        last = min(first + SLICE, count)
        yield {f"unit-{number:06}": {"n": number} for number in range(first, last)}


def fill(address: str, count: int) -> None:
    """Have there be just so many units, all of which are available."""
    with TaskMaster({"address": address}) as master:
        master.clear()
        for part in slices(count):
            master.update_bundle(SPEC, part)


def check_finished(address: str, count: int) -> None:
    """Make sure that all of them were finished.

    Raises:
        RuntimeError: some were not, so there is no figure.
    """
    with TaskMaster({"address": address}) as master:
        finished = master.count_work_units("bench").get(FINISHED, 0)
    if finished != count:
        raise RuntimeError(f"{finished} of {count} units were finished")


def finishes(rounds: int, units: int) -> dict[str, dict[str, float]]:
    """Units per second of each way, by store and title."""
    rates = empty([way.title for way in WAYS])
    with ExitStack() as stack:
        servers = {store: stack.enter_context(coordinated(store)).address for store in STORES}
        for _ in range(rounds):
            for way in WAYS:
                for store, address in servers.items():
                    fill(address, units)
                    spent = seconds_to_the_end(
                        address, [way.make() for _ in range(way.connections)]
                    )
                    check_finished(address, units)
                    rates[store][way.title].append(units / spent)
    return medians(rates)


# ---- the tables ----


def empty(titles: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """Make a list for each store and title."""
    return {store: {title: [] for title in titles} for store in STORES}


def medians(rates: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    """Give the median of each list."""
    return {
        store: {title: statistics.median(values) for title, values in of_store.items()}
        for store, of_store in rates.items()
    }


def print_rates(first: str, rates: dict[str, dict[str, float]], connections: list[int]) -> None:
    """Print a table: each line beside the first one."""
    head([first, "connections", *(cell for store in STORES for cell in (store, "of the first"))])
    for number, title in enumerate(rates[STORES[0]]):
        cells = [title, f"{connections[number]}"]
        for store in STORES:
            base = next(iter(rates[store].values()))
            cells += [f"{rates[store][title]:,.0f}", f"{rates[store][title] / base:.2f}"]
        line(cells)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds for one renewal")
    parser.add_argument("--units", type=int, default=20_000, help="units to finish in each round")
    parser.add_argument("--short", action="store_true", help="one round of little")
    asked = parser.parse_args()
    if asked.short:
        asked.rounds, asked.seconds, asked.units = 1, min(asked.seconds, 0.5), 2000
    return asked


def main() -> None:
    """Print both tables."""
    asked = arguments()
    print(f"Leases renewed per second; medians of {asked.rounds} rounds of {asked.seconds:g} s\n")
    rates = renewals(asked.rounds, asked.seconds)
    print_rates("renewed by", rates, [SINGLE_CONNECTIONS] * len(RENEWALS))
    print(f"\nUnits finished per second, {asked.units:,} in each of {asked.rounds} rounds\n")
    rates = finishes(asked.rounds, asked.units)
    print_rates("finished by", rates, [way.connections for way in WAYS])


if __name__ == "__main__":
    main()
