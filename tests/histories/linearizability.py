"""The search of Wing, Gong and Lowe: is there one order of the calls that explains every answer?"""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from attrs import define, frozen

Step = Callable[[Any, float, int], Iterable[Hashable]]
"""Gives the states that may follow on (state, latest, done): in each, the call has taken effect
with the answer that it had, at a moment no later than ``latest``; ``done`` is a set of bits."""


@define(eq=False)
class Operation:
    """A call as the search sees it: it takes effect at one moment of its time.

    Arguments:
        call: what is searched for, to be shown.
        earliest: it takes effect no earlier.
        latest: and no later; NEVER where the end is not known.
        step: what it does.
        must: whether it has taken effect surely; what was not answered may, at any time, or never.
        watched: whether other operations look at whether it is done.
        bit: its number in the search, as a bit; set there.
        after: an operation that takes effect before it.
    """

    call: Any
    earliest: float
    latest: float
    step: Step
    must: bool = True
    watched: bool = False
    bit: int = 0
    after: "Operation | None" = None


@frozen
class Outcome:
    """What a search found.

    Arguments:
        found: whether there is an order; None if the search was given up.
        steps: how many states were looked at.
        done: at the furthest, which calls had an order.
        stuck: there, which could have been next, and none of them could have had its answer.
        state: there.
    """

    found: bool | None
    steps: int
    done: list[Any]
    stuck: list[Any]
    state: Any


def search(operations: Iterable[Operation], state: Hashable, most: int = 300_000) -> Outcome:
    """Look for an order in which the calls can have taken effect.

    Arguments:
        operations: one for each call; their bits are set here.
        state: the first one.
        most: give up after so many states.
    """
    ordered = sorted(operations, key=lambda operation: operation.earliest)
    for index, operation in enumerate(ordered):
        operation.bit = 1 << index
    needed = sum(operation.bit for operation in ordered if operation.must)
    seen = {(0, state)}
    stack, steps = [(0, state)], 0
    best, furthest = -1, (0, state)
    while stack:
        done, state = stack.pop()
        steps += 1
        if (done & needed).bit_count() > best:
            best, furthest = (done & needed).bit_count(), (done, state)
        if done & needed == needed or steps > most:
            return _outcome(None if done & needed != needed else True, steps, ordered, furthest)
        following = [branch for branch in _branches(ordered, done, state) if branch not in seen]
        stack.extend(reversed(following))
        seen.update(following)
    return _outcome(False, steps, ordered, furthest)


def _branches(ordered: list[Operation], done: int, state: Hashable) -> list[tuple[int, Hashable]]:
    """Give what may come next, the likeliest first."""
    latest, candidates = _next(ordered, done)
    branches = []
    for operation in candidates:
        for following in operation.step(state, latest, done):
            if following != state:
                branches.append((done | operation.bit, following))
            elif operation.watched:
                branches.append((done | operation.bit, state))
            elif operation.must:
                # What is so already and changes nothing can go first: no other order does better.
                return [(done | operation.bit, state)]
    return branches


def _next(ordered: list[Operation], done: int) -> tuple[float, list[Operation]]:
    """Give when the next operation takes effect at the latest, and which ones it can be."""
    latest, begun = float("inf"), []
    for operation in ordered[(~done & (done + 1)).bit_length() - 1 :]:
        if operation.earliest > latest:
            break
        if not done & operation.bit:
            latest = min(latest, operation.latest)
            begun.append(operation)
    ready = [
        operation
        for operation in begun
        if operation.earliest <= latest and (operation.after is None or done & operation.after.bit)
    ]
    return latest, sorted(ready, key=lambda operation: operation.latest)


def _outcome(found, steps, ordered, furthest) -> Outcome:
    done, state = furthest
    past = [operation.call for operation in ordered if done & operation.bit]
    stuck = [] if found else [operation.call for operation in _next(ordered, done)[1]]
    return Outcome(found, steps, past, stuck, state)
