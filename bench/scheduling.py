"""What one hand-out costs in the model: as specs, waiting units, limits and dependencies grow.

    python bench/scheduling.py [--rounds N] [--edges N] [--most-units N]

Each line is one shape of work, with the microseconds of a hand-out and its finish in the smallest
case, in the largest, and the ratio of the two; both are measured in one run, in turns. The model
alone is measured, without socket, wire and store. The last lines are a chain of units of which each
needs the one before.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from attrs import frozen

from coordinate_protocol.codec import encode
from coordinate_server.model import Instant, Model, ModelSettings, NewUnit, UnitUpdate, WorkRequest
from coordinate_server.model.calls import Need
from coordinate_server.model.namespace import Namespace

AT = Instant(1000.0, 1_700_000_000.0)
EMPTY = encode({})
FEED = encode({"output": ["fed"]})
ANY = WorkRequest()
FINISHED = 4
HAND_OUTS = 400
LIMITS = {"shared": 5, "wide": 1_000_000}

Fields = dict[str, Any]


@frozen
class Shape:
    """One way for work to grow.

    Arguments:
        title: what it is called in the table.
        small: makes the smaller case.
        large: makes the larger one.
    """

    title: str
    small: "Callable[[], Case]"
    large: "Callable[[], Case]"


@frozen
class Work:
    """What the specs of a case are like.

    Arguments:
        fields: what each says, besides its name.
        held: how many units are pending all the time.
        feeding: whether each feeds one more spec, whose work goes before theirs.
    """

    fields: Fields
    held: int = 0
    feeding: bool = False


@frozen
class Case:
    """A namespace full of work.

    Arguments:
        model: the whole.
        space: the namespace.
        feeding: whether each unit that finishes makes one in the spec that all feed.
    """

    model: Model
    space: Namespace
    feeding: bool

    def microseconds(self) -> float:
        """Hand out and finish so many units one by one; the time of one."""
        begin = time.perf_counter()
        for _ in range(HAND_OUTS):
            handed = self.space.get_work(AT, "w", ANY)[0]
            data = FEED if self.feeding and handed.spec != "sink" else None
            update = UnitUpdate(status=FINISHED, worker_id="w", data=data)
            self.space.update_unit(AT, handed.spec, handed.key, update)
        spent = time.perf_counter() - begin
        self.model.take_changes(AT)
        return spent / HAND_OUTS * 1e6


def case(specs: int, units: int, work: Work) -> Case:
    """Make specs with so many units in all."""
    model = Model(ModelSettings(limits=LIMITS))
    space = model.namespace("bench")
    each = max(units // specs, HAND_OUTS * 20 // specs)
    for number in range(specs):
        name = f"s{number:05}"
        chain = {"then": "sink"} if work.feeding else {}
        space.set_spec(AT, {"name": name, "min_gb": 1, **work.fields, **chain})
        added = [NewUnit(b"%08d" % key, data_of(key)) for key in range(each)]
        for begin in range(0, each, 1000):
            space.add_units(AT, name, added[begin : begin + 1000])
        model.take_changes(AT)
    if work.feeding:
        space.set_spec(AT, {"name": "sink", "min_gb": 1})
    for _ in range(work.held):
        space.get_work(AT, "holder", ANY)
    return Case(model, space, feeding=work.feeding)


def data_of(key: int) -> bytes:
    """Data with a value for lanes, of which there are as many as a thousandth of the units."""
    return encode({"customer": key % 1000})


PLAIN: Fields = {}
WEIGHTED: Fields = {"weight": 7}
LIMITED: Fields = {"uses": ["shared"]}
RATED: Fields = {"rate": {"units": 100_000, "seconds": 0.001}}
FAIR: Fields = {"fair_key": "customer", "serial_key": "customer", "serial_max": 2}


def shapes(most_units: int) -> Iterable[Shape]:
    """The rows of the table."""
    few = 10_000
    of_specs = {
        "": Work(WEIGHTED),
        ", all share a limit of 5, 4 taken": Work(LIMITED, held=4),
        ", all feed one that comes and goes": Work(PLAIN, feeding=True),
    }
    for title, work in of_specs.items():
        small, large = partial(case, 10, few, work), partial(case, 1000, few, work)
        yield Shape(f"specs 10 -> 1,000{title}", small, large)
    of_units = {"": Work(PLAIN), ", with a rate": Work(RATED), ", fair and serial": Work(FAIR)}
    for title, work in of_units.items():
        small, large = partial(case, 1, 1000, work), partial(case, 1, most_units, work)
        yield Shape(f"waiting units 1,000 -> {most_units:,}{title}", small, large)


def measure(shape: Shape, rounds: int) -> tuple[float, float]:
    """The medians of both cases, measured in turns."""
    small, large = shape.small(), shape.large()
    gc.collect()
    gc.freeze()
    for warm in (small, large):
        warm.microseconds()
    times = [(small.microseconds(), large.microseconds()) for _ in range(rounds)]
    return statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)


def chain(edges: int) -> None:
    """Add a chain of units, drain it, and tell how fast and with what pauses."""
    model = Model()
    space = model.namespace("bench")
    space.set_spec(AT, {"name": "s", "min_gb": 1})
    gc.disable()  # the server's collector looks at what is new, not at what it has frozen
    slowest_call, begin = 0.0, time.perf_counter()
    for first in range(0, edges + 1, 1000):
        units = [
            NewUnit(b"%08d" % key, EMPTY, needs=(Need(None, b"%08d" % (key - 1)),) if key else ())
            for key in range(first, min(first + 1000, edges + 1))
        ]
        called = time.perf_counter()
        space.add_units(AT, "s", units)
        model.take_changes(AT)
        slowest_call = max(slowest_call, time.perf_counter() - called)
    spent = time.perf_counter() - begin
    print(
        f"chain of {edges:,} edges: added at {edges / spent:,.0f} edges/s,"
        f" the slowest call of 1,000 took {slowest_call * 1000:.1f} ms"
    )
    slowest, begin = 0.0, time.perf_counter()
    for _ in range(edges + 1):
        called = time.perf_counter()
        handed = space.get_work(AT, "w", ANY)[0]
        space.update_unit(AT, "s", handed.key, UnitUpdate(status=FINISHED, worker_id="w"))
        model.take_changes(AT)
        slowest = max(slowest, time.perf_counter() - called)
    spent = time.perf_counter() - begin
    gc.enable()
    print(
        f"                      drained at {edges / spent:,.0f} units/s,"
        f" the slowest hand-out and finish took {slowest * 1000:.1f} ms"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="measurements of each case")
    parser.add_argument("--edges", type=int, default=1_000_000, help="length of the chain")
    parser.add_argument("--most-units", type=int, default=1_000_000, help="units that wait")
    options = parser.parse_args()
    print(f"{'hand-out and finish, µs':55} small  large  ratio")
    for shape in shapes(options.most_units):
        small, large = measure(shape, options.rounds)
        print(f"{shape.title:55} {small:5.1f}  {large:5.1f}  {large / small:5.2f}", flush=True)
    chain(options.edges)


if __name__ == "__main__":
    main()
