"""Which status a work unit may go to from which: the one table, and the wider second one.

``OWNED`` holds for a call that says who it is and that the unit belongs to; ``ANONYMOUS`` for one
that says neither worker nor attempt, as 0.1.5 allows. What happens without a caller is in
``EVENTS``. The diagram in ``docs/model.md`` is made of these.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from coordinate_protocol.constants import (
    AVAILABLE,
    BLOCKED,
    DELAYED,
    FAILED,
    FINISHED,
    PENDING,
    STATUS_NAMES,
)

__all__ = ["ANONYMOUS", "ENDED", "EVENTS", "OWNED", "Outcome", "document"]


class Outcome(Enum):
    """What a call does that asks for a status."""

    CHANGE = "change"
    """The unit goes there, with new data if there are any."""
    KEEP = "keep"
    """It is there already; new data are taken, nothing is set off again."""
    IGNORE = "ignore"
    """The call is answered as if it had worked, and changes nothing."""


ENDED: Final = frozenset({FINISHED, FAILED})

OWNED: Final[Mapping[tuple[int, int], Outcome]] = MappingProxyType(
    {
        (PENDING, AVAILABLE): Outcome.CHANGE,
        (PENDING, PENDING): Outcome.CHANGE,
        (PENDING, FINISHED): Outcome.CHANGE,
        (PENDING, FAILED): Outcome.CHANGE,
        # 0.1.5's runner finishes a unit, and then its worker does, or fails it.
        (FINISHED, FINISHED): Outcome.IGNORE,
        (FINISHED, FAILED): Outcome.IGNORE,
        (FAILED, FAILED): Outcome.IGNORE,
    }
)

# 0.1.5's five; a unit is delayed only by adding it, since nothing here says until when.
_ASKED: Final = (AVAILABLE, BLOCKED, PENDING, FINISHED, FAILED)

ANONYMOUS: Final[Mapping[tuple[int, int], Outcome]] = MappingProxyType(
    {(old, new): Outcome.CHANGE for old in STATUS_NAMES for new in _ASKED}
    | {(status, status): Outcome.KEEP for status in (AVAILABLE, BLOCKED, FINISHED, FAILED)}
    | {(FINISHED, FAILED): Outcome.IGNORE}
)

EVENTS: Final[Mapping[tuple[int, str], int]] = MappingProxyType(
    {
        (AVAILABLE, "handed out"): PENDING,
        (PENDING, "lease expired"): AVAILABLE,
        (PENDING, "too many leases lost"): FAILED,
        (PENDING, "failed, tried again later"): DELAYED,
        (DELAYED, "delay over"): AVAILABLE,
        (BLOCKED, "needs met"): AVAILABLE,
        (BLOCKED, "a need failed"): FAILED,
        (AVAILABLE, "a need begins anew"): BLOCKED,
        (DELAYED, "a need begins anew"): BLOCKED,
        (FAILED, "the need that failed it begins anew"): BLOCKED,
        **{(old, "cancelled"): FAILED for old in (AVAILABLE, DELAYED, BLOCKED, PENDING)},
        **{(old, "added again"): AVAILABLE for old in STATUS_NAMES},
    }
)


def document() -> str:
    """Give the diagram (mermaid) and the tables as the documentation shows them."""
    return "\n".join([*_diagram(), "", *_table("owner", OWNED), "", *_table("anyone", ANONYMOUS)])


def _diagram() -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> available: added"]
    lines.append("    [*] --> delayed: added with a delay")
    lines.append("    [*] --> blocked: added with needs")
    for (old, event), new in EVENTS.items():
        if event != "added again":
            lines.append(_arrow(old, new, event))
    for (old, new), outcome in OWNED.items():
        if outcome is Outcome.CHANGE:
            lines.append(_arrow(old, new, _OWNERS_WORDS[new]))
    return [*lines, "```"]


_OWNERS_WORDS: Final = {
    AVAILABLE: "given back",
    PENDING: "lease renewed",
    FINISHED: "finished",
    FAILED: "failed",
}


def _arrow(old: int, new: int, event: str) -> str:
    return f"    {STATUS_NAMES[old]} --> {STATUS_NAMES[new]}: {event}"


def _table(who: str, table: Mapping[tuple[int, int], Outcome]) -> list[str]:
    head = [f"| {who}: from \\ to |", *(f" {name} |" for name in STATUS_NAMES.values())]
    rows = ["".join(head), "|---" * (len(STATUS_NAMES) + 1) + "|"]
    for old, name in STATUS_NAMES.items():
        words = [table[old, new].value if (old, new) in table else "" for new in STATUS_NAMES]
        rows.append(f"| {name} | " + " | ".join(words) + " |")
    return rows
