"""The reasons that a server gives, as lines for people."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coordinate_client.cli.output import cell, name_of
from coordinate_protocol.constants import STATUS_NAMES

__all__ = ["reason_lines", "unit_line"]

# A list that is one value: where a lock is, which the text says.
SINGLE = "path"
# Details that are points in time, seconds since 1970.
MOMENTS = frozenset({"began", "ended", "expiration", "expires", "until"})


def reason_lines(reasons: Sequence[Mapping[str, Any]], answer: str = "") -> Iterator[str]:
    """A line for each reason, and below it one for each entry of a list among its details.

    Single details are left to ``--json``: the text says them already.

    Arguments:
        reasons: each with ``code``, ``text`` and details.
        answer: what has been said already; a first reason that says the same is not repeated.
    """
    for place, reason in enumerate(reasons):
        if place or reason["text"] != answer:
            yield f"  - {cell(reason['text']).plain}"
        for name, value in reason.items():
            if isinstance(value, list | tuple) and value and name != SINGLE:
                yield f"      {_words(name)}:"
                yield from (f"        {unit_line(item)}" for item in value)


def unit_line(item: Any) -> str:
    """A unit with what is told of it, as in ``'a' of 'resize', worker w1``; or any other value."""
    if not isinstance(item, Mapping):
        return cell(item).plain
    known = {name: value for name, value in item.items() if value is not None}
    key, spec = known.pop("work_unit_key", None), known.pop("work_spec_name", None)
    unit = " of ".join(repr(name_of(name)) for name in (key, spec) if name is not None)
    told = [f"{_words(name)} {_shown(name, value)}" for name, value in known.items()]
    return ", ".join([unit, *told] if unit else told)


def _words(name: str) -> str:
    return name.removesuffix("_id").replace("_", " ")


def _shown(name: str, value: Any) -> str:
    if name in MOMENTS and isinstance(value, int | float):
        return time.ctime(value)
    if name == "status" and value in STATUS_NAMES:
        return STATUS_NAMES[value]
    return cell(value).plain
