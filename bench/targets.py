"""What the project wants to reach, and whether a run reached it."""

from collections.abc import Callable, Mapping
from typing import Final

from attrs import frozen
from report import Report, number

__all__ = ["TARGETS", "Target", "judge"]

Figures = Mapping[str, float]

_DURABLE: Final = "(each answer after a sync)"
_OURS: Final = f"queues/Coordinate {_DURABLE}"
_BEANSTALKD: Final = "queues/beanstalkd"
_REDIS: Final = "queues/Redis lists"


@frozen
class Target:
    """One of them.

    Arguments:
        title: what is measured.
        value: finds it among the figures; KeyError where it was not measured.
        bound: what is wanted.
        least: whether the bound is the least that is wanted; else it is the most.
        digits: how many of the value are shown after the point.
    """

    title: str
    value: Callable[[Figures], float]
    bound: float
    least: bool = True
    digits: int = 2

    def met(self, value: float) -> bool:
        """Whether a value is what is wanted."""
        return value >= self.bound if self.least else value <= self.bound


def _of(name: str, other: str) -> Callable[[Figures], float]:
    return lambda figures: figures[name] / figures[other]


def _just(name: str) -> Callable[[Figures], float]:
    return lambda figures: figures[name]


def _worst(begin: str, end: str) -> Callable[[Figures], float]:
    """The largest of the figures whose names begin and end so."""

    def value(figures: Figures) -> float:
        found = [v for name, v in figures.items() if name.startswith(begin) and name.endswith(end)]
        if not found:
            raise KeyError(begin)
        return max(found)

    return value


TARGETS: Final = (
    Target(
        "two calls, durable, to beanstalkd with `-f 0`",
        _of(f"{_OURS}, two calls", f"{_BEANSTALKD} {_DURABLE}, two calls"),
        1.2,
    ),
    Target(
        "one message, durable, to beanstalkd with `-f 0`",
        _of(f"{_OURS}, one message", f"{_BEANSTALKD} {_DURABLE}, two calls"),
        2,
    ),
    Target(
        "one message, durable, to Redis lists with `appendfsync always`",
        _of(f"{_OURS}, one message", f"{_REDIS} {_DURABLE}, two calls"),
        1,
    ),
    Target(
        "a list of 100, durable, to beanstalkd in memory, one by one",
        _of(f"{_OURS}, 100, one message", f"{_BEANSTALKD} (nothing), two calls"),
        1,
    ),
    Target(
        "a list of 100, durable, to Redis lists in memory, one by one",
        _of(f"{_OURS}, 100, one message", f"{_REDIS} (nothing), two calls"),
        1,
    ),
    Target("a list of 100, units/s", _just(f"{_OURS}, 100, one message"), 40_000, digits=0),
    Target("a request for 100, units/s", _just(f"{_OURS}, 100, one request"), 70_000, digits=0),
    Target("finishing, held, units/s", _worst("sustained/finishing", "clients"), 70_000, digits=0),
    Target("adding, held, units/s", _worst("sustained/adding 1", "clients"), 100_000, digits=0),
    Target(
        "calls at 64 connections, memory, to the echo",
        _of("ceiling/memory-64", "ceiling/echo-64"),
        0.7,
    ),
    Target(
        "an operation's processor time among the most units to that among the fewest",
        _worst("growth/", "ratio"),
        1.3,
        least=False,
    ),
    Target("p99 at half the load, the worst, ms", _worst("steady/", "p99"), 5, least=False),
    Target(
        "bytes of memory a waiting unit",
        _worst("memory/durable, ", "a waiting unit"),
        250,
        least=False,
        digits=0,
    ),
    Target(
        "bytes of memory an ended unit",
        _worst("memory/durable, ", "an ended unit"),
        4,
        least=False,
        digits=1,
    ),
    Target(
        "seconds until a million units are served",
        _just("restart/seconds, 1000000 units"),
        2.5,
        least=False,
    ),
)


def judge(report: Report) -> None:
    """Print a table of the targets whose figures a run has."""
    report.begin("targets")
    table = report.table("Targets", "what", "measured", "wanted", "met")
    for target in TARGETS:
        try:
            value = target.value(report.figures)
        except KeyError:
            continue
        wanted = f"{'at least' if target.least else 'at most'} {target.bound:,}"
        met = "yes" if target.met(value) else "no"
        table.add(target.title, number(value, target.digits), wanted, met)
