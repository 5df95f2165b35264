"""The code of the work units: workers import this module because the work specs name it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coordinate_client import WorkUnit
from stdlib_names.counting import NotParsed, names_used, package_of

__all__ = ["add_up", "parse_file"]

PAGE = 200


def parse_file(unit: WorkUnit) -> None:
    """Count the names in one file; its package is to be added up then.

    A unit may be run twice, where a worker dies before it can say that it is done. Nothing is
    counted twice for that: the result is in the unit's data, and of that there is one.
    """
    try:
        unit.data["names"] = dict(names_used(Path(unit.data["path"])))
    except NotParsed as error:
        unit.data["names"] = {}
        unit.data["not_parsed"] = str(error)
    unit.data["output"] = {package_of(str(unit.key)): {}}


def add_up(unit: WorkUnit) -> None:
    """Add up all files of one package that are parsed by now, from nothing each time."""
    names: Counter[str] = Counter()
    files = not_parsed = 0
    for data in parsed_files(unit.taskmaster, str(unit.key)):
        names.update(data["names"])
        files += 1
        not_parsed += "not_parsed" in data
    unit.data.update(names=dict(names), files=files, not_parsed=not_parsed)


def parsed_files(taskmaster: Any, package: str) -> Iterator[dict[str, Any]]:
    """The data of a package's files that are parsed: a package is a directory, or one file."""
    yield from finished(taskmaster.get_work_units("parse", work_unit_keys=[f"{package}.py"]))
    start = inside = f"{package}/"
    while True:
        page = taskmaster.get_work_units("parse", start=start, limit=PAGE)
        yield from finished([unit for unit in page if unit[0].startswith(inside)])
        if len(page) < PAGE or not page[-1][0].startswith(inside):
            return
        start = page[-1][0] + "\0"


def finished(units: list[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    """The data of those units that have a result."""
    return (data for _key, data in units if data is not None and "names" in data)
