"""Looking a data file through: its pages, its journal, its rows, and what they make together."""

from collections.abc import Iterable
from pathlib import Path

from attrs import define, field

from coordinate_server.model import Model
from coordinate_server.model.changes import TABLES, Row
from coordinate_server.model.errors import DamagedRow
from coordinate_server.model.instant import Instant
from coordinate_server.model.settings import ModelSettings
from coordinate_server.row_faults import row_fault
from coordinate_server.store.sqlite.inspection import Inspection

__all__ = ["CheckReport", "check", "damaged_row", "look_through"]


@define
class CheckReport:
    """What was found.

    Arguments:
        path: the file.
        schema: its schema.
        size: its bytes, without its log.
        records: how many records its journal has, up to the first that is wrong.
        counts: the number of its rows, by the name of the table.
        faults: what is wrong, one line each; none if it is sound.
    """

    path: Path
    schema: int
    size: int
    records: int = 0
    counts: dict[str, int] = field(factory=dict)
    faults: list[str] = field(factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def check(path: Path) -> CheckReport:
    """Look a data file through that nobody uses; it is only read.

    Raises:
        StoreError: it cannot be looked at: it is not there, in use, not ours, or newer.
    """
    with Inspection(path) as file:
        return look_through(file)


def look_through(file: Inspection) -> CheckReport:
    """Look through a file that is open for it."""
    report = CheckReport(file.path, file.schema, file.path.stat().st_size)
    report.faults = file.faults
    file.check_log()
    file.check_pages()
    file.read_journal()
    report.records = file.records
    for number, name in TABLES.items():
        report.counts[name] = 0
        for key, value in file.table(number):
            report.counts[name] += 1
            fault = row_fault(number, key, value)
            if fault is not None:
                report.faults.append(fault)
    if report.is_sound:
        found = damaged_row(file.rows())
        report.faults += [] if found is None else [_told(found)]
    return report


def damaged_row(rows: Iterable[Row]) -> Exception | None:
    """Load the rows as a start of the server would, and give what stops it.

    It is a `DamagedRow` where that can be told.
    """
    try:
        Model.load(rows, Instant(0.0, 0.0), ModelSettings())
    except Exception as error:  # noqa: BLE001 - whatever stops a start is a fault of the file
        return error
    return None


def _told(found: Exception) -> str:
    return str(found) if isinstance(found, DamagedRow) else f"the rows do not load: {found!r}"
