"""Which spec of the server in memory is next.

First what may run at all; then no spec whose work further down the chain (`then`) goes first; then
the highest (spec priority, priority of its best unit); then weights. A real server goes by the same
rules; only what a spec is owed while it has no work, it reckons more finely.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from coordinate_client.testing.arguments import Options
from coordinate_client.testing.memory import Memory
from coordinate_client.testing.records import SpecRecord

__all__ = ["charge", "next_spec"]

_LOOP = Fraction(1, 2)


def next_spec(memory: Memory, read: Options) -> SpecRecord | None:
    """The spec whose turn it is; None where there is nothing for who asks.

    Args:
        memory: the specs.
        read: the options of `get_work`.
    """
    able = {spec.name: spec for spec in memory.specs.values() if _able(spec, read)}
    chains = _Chains(memory.specs, able)
    free = [spec for spec in able.values() if not chains.waits(spec)]
    best = max((_rank(spec) for spec in free), default=None)
    contenders = [spec for spec in free if _rank(spec) == best]
    chosen = _first(contenders, chains) if contenders else None
    for spec in memory.specs.values():
        spec.contends = spec in contenders
    return chosen


def charge(memory: Memory, spec: SpecRecord, number: int) -> None:
    """Count the hand-outs of a spec's turn.

    Args:
        memory: the specs.
        spec: the one that was next.
        number: how many units were handed out.
    """
    contenders = [one for one in memory.specs.values() if one.contends]
    if len(contenders) > 1:  # alone it is never ahead of its share
        spec.turn = 1 + max(one.turn for one in contenders)
        spec.shares += number / _Chains(memory.specs, {}).weight(spec)


def _able(spec: SpecRecord, read: Options) -> bool:
    names, gigabytes = read.names("work_spec_names"), read.number("available_gb")
    runtimes, runtime = read.names("runtimes"), spec.definition.get("runtime")
    fits = (
        not names or spec.name in names,
        gigabytes is None or spec.said("min_gb", 0) <= gigabytes,
        runtimes is None or runtime is None or runtime in runtimes,
    )
    return all(fits) and spec.runs and spec.room() > 0 and bool(spec.ready())


def _rank(spec: SpecRecord) -> tuple[float, float]:
    return spec.said("priority", 0), spec.ready()[0].priority


def _first(contenders: list[SpecRecord], chains: "_Chains") -> SpecRecord:
    """Of those that are not ahead of their share, the one whose next hand-out is over first."""
    weights = {spec.name: chains.weight(spec) for spec in contenders}
    before = [spec for spec in contenders if spec.contends] or contenders
    now = _mean(before, weights)
    for spec in contenders:
        spec.shares = spec.shares if spec.contends else max(spec.shares, now)
    now = _mean(contenders, weights)
    eligible = [spec for spec in contenders if spec.shares <= now]
    return min(eligible, key=lambda s: (s.shares + 1 / weights[s.name], s.turn, s.name))


def _mean(specs: list[SpecRecord], weights: Mapping[str, Fraction]) -> Fraction:
    total = sum(weights[spec.name] for spec in specs)
    return sum((spec.shares * weights[spec.name] for spec in specs), Fraction(0)) / total


class _Chains:
    """How specs follow each other by `then`."""

    def __init__(self, specs: Mapping[str, SpecRecord], able: Mapping[str, SpecRecord]) -> None:
        self._specs, self._able = specs, able

    def waits(self, spec: SpecRecord) -> bool:
        """Whether the work of those further down goes first."""
        ahead = None if self._loops(spec) else self._ahead(spec)
        return ahead is not None and self._busy(ahead)

    def weight(self, spec: SpecRecord) -> Fraction:
        """Its share; one that leads back to itself has half."""
        weight = Fraction(spec.controls["weight"])
        return weight * _LOOP if self._loops(spec) else weight

    def _busy(self, spec: SpecRecord) -> bool:
        return any(step.name in self._able for step in self._walk(spec, waiting=True))

    def _loops(self, spec: SpecRecord) -> bool:
        """Whether a spec leads back to itself."""
        return any(self._next(step) is spec for step in self._walk(spec, waiting=False))

    def _walk(self, spec: SpecRecord, *, waiting: bool) -> Iterator[SpecRecord]:
        """Go along a chain, each spec once; as far as work goes first, or to its end."""
        seen: list[SpecRecord] = []
        step: SpecRecord | None = spec
        while step is not None and step not in seen:
            seen.append(step)
            yield step
            step = self._ahead(step) if waiting else self._next(step)

    def _next(self, spec: SpecRecord) -> SpecRecord | None:
        return self._specs.get(spec.said("then", ""))

    def _ahead(self, spec: SpecRecord) -> SpecRecord | None:
        return self._next(spec) if spec.said("then_preempts", True) else None
