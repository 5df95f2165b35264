"""Saving what can be read of a damaged data file, into another file.

Nothing is guessed: a row that does not decode is lost, and so is one that means nothing without a
row that is lost. What becomes of the journal after a record that is wrong is not known, so nothing
after it is used: rows that were written meanwhile are newer than what it would say.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cbor2
from attrs import define, field

from coordinate_server.checking import CheckReport, damaged_row, look_through
from coordinate_server.model.changes import (
    ATTEMPT,
    DATA,
    EDGE,
    META,
    RATE,
    SPEC,
    TABLES,
    UNIT,
    WORKER,
    Row,
)
from coordinate_server.model.errors import DamagedRow
from coordinate_server.model.rows import (
    CLOCK_KEY,
    ID_BYTES,
    SPEC_ID_KEY,
    read_edge,
    read_number,
    read_worker,
)
from coordinate_server.row_faults import row_fault
from coordinate_server.store.interface import DamagedStore
from coordinate_server.store.sqlite.inspection import Inspection
from coordinate_server.store.sqlite.newfile import NewFile

__all__ = ["RepairReport", "repair"]

# Each costs a load of everything; what usually breaks is found without one.
_MOST_LOADS: Final = 100
_OF_A_SPEC: Final = (UNIT, DATA, ATTEMPT, EDGE, RATE)


@define
class RepairReport:
    """What was saved, and what was not.

    Arguments:
        found: what is wrong with the damaged file.
        path: the new file.
        lost: rows that are not in it because of rows that are lost, one line each.
        counts: the number of its rows, by the name of the table.
    """

    found: CheckReport
    path: Path
    lost: list[str] = field(factory=list)
    counts: dict[str, int] = field(factory=dict)


def repair(path: Path, dest: Path) -> RepairReport:
    """Write what can be read of a data file that nobody uses to a new one, which loads.

    Arguments:
        path: the file; it is only read.
        dest: the new file; nothing may be there.

    Raises:
        StoreError: the one cannot be read at all, or the other not be written.
    """
    with Inspection(path) as file, NewFile(dest) as new:
        report = RepairReport(look_through(file), dest)
        file.faults = []  # those of a second look are the same
        saved = _Saved(file, report.lost)
        for table, key, value in file.rows():
            if row_fault(table, key, value) is None:
                saved.tables[table][key] = value
            else:
                file.bad.add((table, key))
        saved.settle()
        new.put_all(saved.rows())
        new.finish()
    report.counts = {name: len(saved.tables[number]) for number, name in TABLES.items()}
    return report


@define
class _Saved:
    """The rows that were saved, by table."""

    file: Inspection
    lost: list[str]
    tables: dict[int, dict[bytes, bytes]] = field(factory=lambda: {table: {} for table in TABLES})

    def rows(self) -> Iterator[Row]:
        for table, rows in self.tables.items():
            for key, value in rows.items():
                yield table, key, value

    def settle(self) -> None:
        """Take out what does not hold together, until the rest does."""
        self._drop_units()
        self._drop_edges()
        for _ in range(_MOST_LOADS):
            found = damaged_row(self.rows())
            if found is None:
                self._mend_counters()
                return
            if not isinstance(found, DamagedRow):
                break
            table = next(number for number, name in TABLES.items() if name == found.table)
            self._lose(table, found.key, str(found))
        raise DamagedStore("too much of what could be read does not fit together: restore a backup")

    def _drop_units(self) -> None:
        specs, units, data = self.tables[SPEC], self.tables[UNIT], self.tables[DATA]
        for key in sorted(units.keys() | data.keys()):
            if key[:ID_BYTES] not in specs:
                self._lose(UNIT, key, f"unit {key[ID_BYTES:]!r}: its work spec is lost")
            elif key not in data:
                self._lose(UNIT, key, f"unit {key[ID_BYTES:]!r}: its data are lost")
            elif key not in units and self.file.may_lack(UNIT, key):
                self._lose(UNIT, key, f"unit {key[ID_BYTES:]!r}: its state is lost")
        self._tell_doubt(len(data.keys() - units.keys()))

    def _tell_doubt(self, waiting: int) -> None:
        """A unit without a state is one that was only added, or one whose state went unseen."""
        if waiting and self.file.may_lack_any(UNIT):
            self.lost.append(
                f"{waiting} units have no state in the file: they are saved as waiting,"
                " but a damaged page may have said otherwise"
            )

    def _drop_edges(self) -> None:
        units = self.tables[DATA]
        for key, value in list(self.tables[EDGE].items()):
            spec, unit, needed_spec, needed, _hard = read_edge(key, value)
            if spec + unit not in units or needed_spec + needed not in units:
                self._lose(EDGE, key, f"that {unit!r} needs {needed!r}: one of them is lost")

    def _lose(self, table: int, key: bytes, line: str) -> None:
        self.tables[table].pop(key, None)
        if table == UNIT:  # without its state it would be one that was only added
            self.tables[DATA].pop(key, None)
        self.lost.append(line)

    def _mend_counters(self) -> None:
        """No number of a spec is given out twice, and time does not begin anew."""
        meta = self.tables[META]
        keys = (key for table in (SPEC, *_OF_A_SPEC) for key in self.tables[table])
        used = max((int.from_bytes(key[:ID_BYTES], "big") for key in keys), default=0)
        if _number(meta, SPEC_ID_KEY) < used:
            meta[SPEC_ID_KEY] = cbor2.dumps(used)
        if CLOCK_KEY not in meta:
            heard = (read_worker(key, row)[4] for key, row in self.tables[WORKER].items())
            meta[CLOCK_KEY] = cbor2.dumps(max(heard, default=0.0))


def _number(meta: dict[bytes, bytes], key: bytes) -> int:
    return int(read_number(key, meta[key], META)) if key in meta else 0
