"""What has changed since it was last asked: each row once, however often it was touched."""

from collections.abc import Callable, Iterator

from coordinate_server.model.changes import DATA, DELETE, DROP, PUT, SPEC, UNIT, WORKER, Change
from coordinate_server.model.rows import unit_row
from coordinate_server.model.unit import Unit

__all__ = ["Ledger"]

_Writer = Callable[[], bytes]


class Ledger:
    """The rows to write, encoded only when they are taken."""

    __slots__ = ("_data", "_drops", "_specs", "_units", "_workers")

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._drops: list[bytes] = []
        self._specs: dict[bytes, _Writer | None] = {}
        self._units: dict[bytes, Unit | None] = {}
        self._data: dict[bytes, bytes | None] = {}
        self._workers: dict[bytes, _Writer | None] = {}

    def spec(self, key: bytes, write: _Writer | None) -> None:
        """Note that a spec changed; None for one that is gone."""
        self._specs[key] = write

    def unit(self, key: bytes, unit: Unit) -> None:
        """Note that a unit changed, apart from its data."""
        self._units[key] = unit

    def data(self, key: bytes, data: bytes) -> None:
        """Note that a unit's data changed."""
        self._data[key] = data

    def forget_unit(self, key: bytes) -> None:
        """Note that a unit is gone."""
        self._units[key] = self._data[key] = None

    def drop_units(self, prefix: bytes) -> None:
        """Note that all units of a spec are gone, and that its id is never used again."""
        self._units = {key: unit for key, unit in self._units.items() if not key.startswith(prefix)}
        self._data = {key: data for key, data in self._data.items() if not key.startswith(prefix)}
        self._drops.append(prefix)

    def worker(self, key: bytes, write: _Writer | None) -> None:
        """Note that a worker changed; None for one that is gone."""
        self._workers[key] = write

    def take(self) -> list[Change]:
        """Give the changes and begin anew."""
        changes = list(self._changes())
        if changes:
            self._reset()
        return changes

    def _changes(self) -> Iterator[Change]:
        for prefix in self._drops:
            yield DROP, UNIT, prefix, b""
            yield DROP, DATA, prefix, b""
        for table, rows in ((SPEC, self._specs), (WORKER, self._workers)):
            for key, write in rows.items():
                yield (DELETE, table, key, b"") if write is None else (PUT, table, key, write())
        for key, unit in self._units.items():
            yield (DELETE, UNIT, key, b"") if unit is None else (PUT, UNIT, key, unit_row(unit))
        for key, data in self._data.items():
            yield (DELETE, DATA, key, b"") if data is None else (PUT, DATA, key, data)
