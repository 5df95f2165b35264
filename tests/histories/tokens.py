"""Checks the numbers of hand-outs and grants against real time: one counter that only grows."""

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.histories.events import Call
from tests.histories.lock_calls import token_of


class Numbered(NamedTuple):
    """A number that a call was given."""

    number: int
    call: Call
    what: str


def numbers_of(call: Call) -> Iterator[Numbered]:
    """Give the numbers that a call was given: the token of a grant, the attempts of units."""
    token = token_of(call)
    if token is not None:
        yield Numbered(token, call, f"token {token}")
    units = call.result.get("units") if isinstance(call.result, dict) else None
    for unit in units or ():
        yield Numbered(unit["attempt"], call, f"attempt {unit['attempt']} of {unit['key']}")


def check_numbers(calls: Iterable[Call]) -> Iterator[str]:
    """Say where a later number is not the greater one, and where one was given twice."""
    numbered = [one for call in calls for one in numbers_of(call)]
    numbered = [one for one in numbered if not one.call.args.get("reentrant")]
    yield from _twice(numbered)
    yield from _backwards(numbered)


def _twice(numbered: list[Numbered]) -> Iterator[str]:
    ordered = sorted(numbered, key=lambda one: one.number)
    for one, other in itertools.pairwise(ordered):
        if one.number == other.number:
            yield f"{one.what} was given twice:\n  {one.call}\n  {other.call}"


def _backwards(numbered: list[Numbered]) -> Iterator[str]:
    """Of two whose calls do not overlap, the later has the greater number."""
    ended = sorted(numbered, key=lambda one: one.call.completed)
    highest: Numbered | None = None
    index = 0
    for one in sorted(numbered, key=lambda one: one.call.invoked):
        while index < len(ended) and ended[index].call.completed < one.call.invoked:
            if highest is None or ended[index].number > highest.number:
                highest = ended[index]
            index += 1
        if highest is not None and one.number < highest.number:
            yield f"{one.what} came after {highest.what}:\n  {highest.call}\n  {one.call}"
