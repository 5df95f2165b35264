"""Everything that is checked of a history, and what is told of it."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator

from attrs import define, field

from tests.histories.events import Call
from tests.histories.lock_calls import token_of
from tests.histories.lock_history import Component, check_locks
from tests.histories.resource import check_resources
from tests.histories.tokens import check_numbers
from tests.histories.units import check_units

_SHOWN = 5


class Violation(AssertionError):
    """A history that no correct server can have."""


class Undecided(Exception):
    """The search was given up; the history may be right or wrong."""


@define
class Counts:
    """How much was checked.

    Arguments:
        histories: how many.
        calls: of all of them, by kind.
        signs: what shows that something befell them.
        components: how many sets of paths were searched.
        longest: how many states the longest search looked at.
    """

    histories: int = 0
    calls: Counter[str] = field(factory=Counter)
    signs: Counter[str] = field(factory=Counter)
    components: int = 0
    longest: int = 0

    def __str__(self) -> str:
        return (
            f"{self.histories} histories, {self.calls.total()} calls ({_told(self.calls)});"
            f" among them {_told(self.signs)}; {self.components} sets of paths searched for an"
            f" order, the longest search looked at {self.longest} states"
        )

    def add(self, calls: Iterable[Call]) -> None:
        """Count a history."""
        self.histories += 1
        for call in calls:
            self.calls[call.kind] += 1
            self.signs.update(_signs(call))


def _told(counter: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in counter.most_common())


def _signs(call: Call) -> Iterator[str]:
    result = call.result if isinstance(call.result, dict) else {}
    if not call.known:
        yield "never answered"
    if call.repeats:
        yield "sent again"
    if "refused" in result:
        yield f"refused ({result['refused']})"
    if result.get("accepted") is False:
        yield "refused by a resource"
    told = [result, *result.get("results", ())]
    if any(one.get("done") is False for one in told):
        yield "too late"


def check(calls: Iterable[Call], counts: Counts | None = None) -> None:
    """Check a history.

    Raises:
        Violation: it cannot be; says what, and which calls.
        Undecided: the search for an order took too long.
    """
    calls = list(calls)
    counts = counts or Counts()
    counts.add(calls)
    problems = itertools.chain(
        _failures(calls), check_numbers(calls), check_units(calls), check_resources(calls),
        _waits(calls), _repeats(calls), _turns(calls), _cycles(calls), _orders(calls, counts),
    )  # fmt: skip
    found = list(itertools.islice(problems, _SHOWN))
    if found:
        raise Violation("\n".join(found))


def _failures(calls: list[Call]) -> Iterator[str]:
    for call in calls:
        if isinstance(call.result, dict) and "failure" in call.result:
            yield f"the server failed: {call}"


def _waits(calls: list[Call]) -> Iterator[str]:
    """Nobody is told sooner than asked for that the time is over."""
    for call in calls:
        timed_out = call.kind == "lock" and call.known and call.result.get("refused") == "timeout"
        if timed_out and call.completed - call.invoked < call.args["wait"] - 0.001:
            yield f"waited too short: {call}"


def _repeats(calls: list[Call]) -> Iterator[str]:
    """A call that is sent again is answered as it was the first time."""
    for call in calls:
        answers = {answer for answer in call.repeats if answer is not None}
        if len(answers) > 1:
            yield f"was answered in two ways: {call}\n  " + "\n  ".join(sorted(answers))


def _turns(calls: list[Call]) -> Iterator[str]:
    """Who was seen waiting for a path before another asked for it is granted it first."""
    grants = [call for call in calls if call.kind == "lock" and token_of(call) is not None]
    for look in (call for call in calls if call.kind == "list_locks" and call.known):
        for lock in look.result["locks"]:
            for waiter in lock["waiters"]:
                yield from _overtaken(grants, look, waiter, lock["path"])


def _overtaken(grants: list[Call], look: Call, waiter: str, path) -> Iterator[str]:
    waiting = [
        call
        for call in grants
        if call.args["locker"] == waiter and not call.repeats
        if call.invoked < look.completed and call.completed > look.invoked
    ]
    for first in waiting:
        for second in grants:
            rivals = path in second.args["paths"] and path in first.args["paths"]
            alone = second.args["mode"] == "exclusive" and not second.args.get("reentrant")
            later = second.invoked > look.completed
            tokens = token_of(second) or 0, token_of(first) or 0
            if rivals and alone and later and tokens[0] < tokens[1]:
                yield f"was overtaken:\n  {first}\n  seen by {look}\n  {second}"


def _cycles(calls: list[Call]) -> Iterator[str]:
    """A deadlock is a ring that begins with who asked."""
    for call in calls:
        if call.kind == "lock" and call.known and call.result.get("refused") == "deadlock":
            ring = call.result["cycle"]
            links = zip(ring, [*ring[1:], ring[0]], strict=True)
            closed = all(one["held_by"] == other["locker_id"] for one, other in links)
            if not closed or ring[0]["locker_id"] != call.args["locker"]:
                yield f"a deadlock that is no ring: {call}"


def _orders(calls: list[Call], counts: Counts) -> Iterator[str]:
    undecided = None
    for component in check_locks(calls):
        counts.components += 1
        counts.longest = max(counts.longest, component.outcome.steps)
        if component.outcome.found is None:
            undecided = component
        elif not component.outcome.found:
            yield _no_order(component)
    if undecided is not None:
        raise Undecided(f"after {undecided.outcome.steps} steps: {_no_order(undecided)}")


def _no_order(component: Component) -> str:
    outcome = component.outcome
    done = [f"  {call}" for call in outcome.done[-8:]]
    stuck = [f"  {call}" for call in outcome.stuck]
    held = [f"  {lock}" for lock in outcome.state.held]
    lines = [
        "no order explains the answers about these paths: " + str(sorted(component.paths, key=str))
    ]
    lines += ["could be ordered last:", *done, "held then:", *held, "none of these fits:", *stuck]
    return "\n".join(lines)
