"""What a run measured: printed as tables while it goes on, kept for a file and a picture."""

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from tables import head, line

__all__ = ["Asked", "Report", "Table", "median", "number", "ratio", "say"]


@frozen
class Asked:
    """How much is to be measured.

    Arguments:
        rounds: rounds, of which the median counts.
        seconds: what one measurement takes, about.
        sustained: for how many seconds a rate is to be held.
        large: whether 10 million units are part of it.
    """

    rounds: int
    seconds: float
    sustained: float
    large: bool


@frozen
class Table:
    """One table.

    Arguments:
        title: what it says, without a full stop.
        heads: the names of its columns; the first is of text, the others of numbers.
        rows: its cells, as they are shown.
    """

    title: str
    heads: Sequence[str]
    rows: list[list[str]] = field(factory=list)

    def add(self, *cells: str) -> None:
        """Add a row, and print it."""
        self.rows.append(list(cells))
        line(cells)

    def markdown(self) -> str:
        """It as the documentation has it."""
        rule = ["---", *["---:"] * (len(self.heads) - 1)]
        rows = [self.heads, rule, *self.rows]
        return "\n".join([f"{self.title}\n", *(f"| {' | '.join(cells)} |" for cells in rows)])


@define
class Report:
    """All that was measured.

    Arguments:
        machine: what it was measured on.
    """

    machine: Mapping[str, str]
    parts: dict[str, list[Table]] = field(factory=dict)
    figures: dict[str, float] = field(factory=dict)
    left_out: list[str] = field(factory=list)
    _part: str = ""

    def begin(self, part: str) -> None:
        """What comes now belongs to a part."""
        self._part = part
        self.parts.setdefault(part, [])

    def table(self, title: str, *heads: str) -> Table:
        """Begin a table; its head is printed."""
        made = Table(title, heads)
        self.parts[self._part].append(made)
        print(f"\n{title}\n")
        head(heads)
        return made

    def figure(self, name: str, value: float) -> float:
        """Keep a number under a name of its own, with the part's before it; gives it back."""
        self.figures[f"{self._part}/{name}"] = value
        return value

    def leave_out(self, what: str, why: object) -> None:
        """Say that something could not be measured."""
        self.left_out.append(f"{what}: {why}")
        say(f"{what} is left out: {why}")

    def markdown(self) -> str:
        """All tables, as the documentation has them."""
        tables = [table.markdown() for part in self.parts.values() for table in part]
        return "\n\n".join([*tables, *(f"Left out: {said}." for said in self.left_out)])

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        said: dict[str, Any] = {
            "machine": dict(self.machine),
            "figures": self.figures,
            "left_out": self.left_out,
            "parts": {
                part: [
                    {"title": table.title, "heads": list(table.heads), "rows": table.rows}
                    for table in tables
                ]
                for part, tables in self.parts.items()
            },
        }
        path.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def say(text: str) -> None:
    """Tell the person who waits; the tables alone go to standard output."""
    print(text, file=sys.stderr, flush=True)


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def number(value: float, digits: int = 0) -> str:
    """A number as it is shown."""
    return f"{value:,.{digits}f}"


def ratio(value: float, other: float | None) -> str:
    """How many times the other it is; a dash where there is no other."""
    return f"{value / other:.2f}" if other else "-"
