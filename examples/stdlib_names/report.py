"""What comes out: totals, a table, a picture."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field
from rich.console import Console
from rich.table import Table

from stdlib_names.counting import NotParsed, names_used, package_of

__all__ = ["Totals", "counted_plainly", "difference", "draw", "print_table", "totals_of"]

SHOWN = 20


@define
class Totals:
    """How often names are used, by package.

    Arguments:
        files: how many were looked at.
        not_parsed: how many of them are not Python of this version.
        packages: package -> name -> uses.
    """

    files: int = 0
    not_parsed: int = 0
    packages: dict[str, Counter[str]] = field(factory=dict)

    @property
    def names(self) -> Counter[str]:
        """Name -> uses, in all packages."""
        return sum(self.packages.values(), Counter())

    @property
    def uses(self) -> int:
        """How many names were counted."""
        return sum(names.total() for names in self.packages.values())


def totals_of(units: Iterable[tuple[str, Mapping[str, Any]]]) -> Totals:
    """The sum of the finished units of "add_up"."""
    totals = Totals()
    for package, data in units:
        totals.files += data["files"]
        totals.not_parsed += data["not_parsed"]
        totals.packages[package] = Counter(data["names"])
    return totals


def counted_plainly(files: Mapping[str, Path]) -> Totals:
    """The same without server and workers: one file after the other."""
    totals = Totals()
    for name, path in files.items():
        names = totals.packages.setdefault(package_of(name), Counter())
        totals.files += 1
        try:
            names.update(names_used(path))
        except NotParsed:
            totals.not_parsed += 1
    return totals


def difference(found: Totals, expected: Totals) -> str:
    """Where two totals differ, in words; empty where they agree."""
    return "; ".join(differences(found, expected))


def differences(found: Totals, expected: Totals) -> Iterator[str]:
    """Each difference, in words."""
    for what in ("files", "not_parsed", "uses"):
        one, other = getattr(found, what), getattr(expected, what)
        if one != other:
            yield f"{what}: {one:,} found, {other:,} expected"
    for package in sorted({*found.packages, *expected.packages}):
        if found.packages.get(package) != expected.packages.get(package):
            yield f"package {package!r}"


def print_table(totals: Totals, console: Console) -> None:
    """Print the names that are used most, and where."""
    table = Table(title="What the standard library uses most")
    for title in ("Name", "Uses", "Packages", "Most in"):
        table.add_column(title, justify="right" if title in {"Uses", "Packages"} else "left")
    for name, uses in totals.names.most_common(SHOWN):
        users = {package: names[name] for package, names in totals.packages.items() if names[name]}
        table.add_row(name, f"{uses:,}", f"{len(users):,}", most_of(users))
    console.print(table)


def most_of(users: Mapping[str, int]) -> str:
    """The three packages with the most uses."""
    return ", ".join(f"{package} {uses:,}" for package, uses in Counter(users).most_common(3))


def draw(totals: Totals, path: Path) -> bool:
    """Draw the same into a file, PNG or SVG by its name; False where matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(12, 6.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    bars(left, totals.names.most_common(SHOWN), "names used most")
    sizes = Counter({package: names.total() for package, names in totals.packages.items()})
    bars(right, sizes.most_common(SHOWN), "packages that use most names")
    figure.suptitle(f"Python's standard library: {totals.files:,} files, {totals.uses:,} names")
    figure.savefig(path)
    return True


def bars(axes: Any, counts: list[tuple[str, int]], title: str) -> None:
    """One bar a name, the longest on top."""
    drawn = axes.barh([name for name, _ in counts], [count for _, count in counts])
    axes.bar_label(drawn, labels=[f"{count:,}" for _, count in counts], padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
