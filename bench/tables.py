"""Markdown tables, as the documentation has them."""

from collections.abc import Sequence

__all__ = ["head", "line", "percentile"]


def head(titles: Sequence[str]) -> None:
    """Print the head of a table; the first column is text, the others are numbers."""
    line(titles)
    line(["---", *["---:"] * (len(titles) - 1)])


def line(cells: Sequence[str]) -> None:
    """Print one line of it, at once."""
    print("|", " | ".join(cells), "|", flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """The least value that so many percent of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
