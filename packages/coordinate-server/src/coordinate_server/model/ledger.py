"""What has changed since it was last asked: each row once, however often it was touched."""

from collections.abc import Callable

import cbor2

from coordinate_server.model.calls import AttemptView
from coordinate_server.model.changes import (
    ASKED,
    ATTEMPT,
    DATA,
    DELETE,
    DROP,
    EDGE,
    LOCK,
    PUT,
    RATE,
    REPLY,
    SPEC,
    UNIT,
    WORKER,
    Change,
)
from coordinate_server.model.rows import attempt_key, attempt_row, unit_row
from coordinate_server.model.unit import Unit

__all__ = ["Ledger"]

_Writer = Callable[[], bytes]

# What is under a spec's id, and goes with all of its units.
_OF_UNITS = (UNIT, DATA, ATTEMPT, EDGE)
_SLOT_BYTES = 4


class Ledger:
    """The rows to write, encoded only when they are taken."""

    __slots__ = ("_data", "_drops", "_locks", "_others", "_specs", "_units", "_workers")

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._drops: list[bytes] = []
        self._specs: dict[bytes, _Writer | None] = {}
        self._units: dict[bytes, Unit | None] = {}
        self._data: dict[bytes, bytes | None] = {}
        self._workers: dict[bytes, _Writer | None] = {}
        self._locks: dict[bytes, _Writer | None] = {}
        # Rows that are written once, by table and key.
        self._others: dict[tuple[int, bytes], bytes | None] = {}

    def spec(self, key: bytes, write: _Writer | None) -> None:
        """Note that a spec changed; None for one that is gone."""
        self._specs[key] = write

    def unit(self, key: bytes, unit: Unit) -> None:
        """Note that a unit changed, apart from its data."""
        self._units[key] = unit

    def data(self, key: bytes, data: bytes) -> None:
        """Note that a unit's data changed."""
        self._data[key] = data

    def forget_unit(self, spec_key: bytes, unit: Unit) -> None:
        """Note that a unit is gone, and what was remembered of it."""
        self._units[spec_key + unit.key] = self._data[spec_key + unit.key] = None
        for attempt in unit.history.attempts if unit.history else ():
            self.forget_attempt(spec_key, unit.key, attempt.attempt)

    def holds(self, row_key: bytes) -> bool:
        """Whether something of a unit is yet to be written."""
        return row_key in self._units or row_key in self._data

    def forgets(self, row_key: bytes) -> bool:
        """Whether a unit is gone, whatever its rows say."""
        return row_key in self._units and self._units[row_key] is None

    def attempt(self, spec_key: bytes, key: bytes, attempt: AttemptView) -> None:
        """Note that an attempt of a unit is over."""
        row = attempt_row(key, attempt)
        self._others[ATTEMPT, attempt_key(spec_key, key, attempt.attempt)] = row

    def forget_attempt(self, spec_key: bytes, key: bytes, number: int) -> None:
        """Note that an attempt is remembered no more."""
        self._others[ATTEMPT, attempt_key(spec_key, key, number)] = None

    def edge(self, key: bytes, *, hard: bool) -> None:
        """Note that one unit needs another."""
        self._others[EDGE, key] = cbor2.dumps(hard)

    def forget_edge(self, key: bytes) -> None:
        """Note that one unit does not need another any more."""
        self._others[EDGE, key] = None

    def rate(self, spec_key: bytes, slot: int, moment: float | None) -> None:
        """Note when a unit of a spec with a rate was handed out; None for no such slot."""
        key = spec_key + slot.to_bytes(_SLOT_BYTES, "big")
        self._others[RATE, key] = None if moment is None else cbor2.dumps(moment)

    def reply(self, key: bytes, row: bytes | None) -> None:
        """Note that a session, or an answer in it, changed; None for one that is gone."""
        self._others[REPLY, key] = row

    def drop_units(self, prefix: bytes) -> None:
        """Note that all units of a spec are gone, and that its id is never used again."""
        self._units = {key: unit for key, unit in self._units.items() if not key.startswith(prefix)}
        self._data = {key: data for key, data in self._data.items() if not key.startswith(prefix)}
        self._others = {
            place: row
            for place, row in self._others.items()
            if place[0] not in _OF_UNITS or not place[1].startswith(prefix)
        }
        self._drops.append(prefix)

    def worker(self, key: bytes, write: _Writer | None) -> None:
        """Note that a worker changed; None for one that is gone."""
        self._workers[key] = write

    def asked(self, key: bytes, mode: str | None) -> None:
        """Note which mode is asked of somebody; None for none."""
        self._others[ASKED, key] = None if mode is None else cbor2.dumps(mode)

    def lock(self, key: bytes, write: _Writer | None) -> None:
        """Note that a lock changed; None for one that is gone."""
        self._locks[key] = write

    def take(self) -> list[Change]:
        """Give the changes and begin anew."""
        changes: list[Change] = [
            (DROP, table, prefix, b"") for prefix in self._drops for table in _OF_UNITS
        ]
        for table, rows in ((SPEC, self._specs), (WORKER, self._workers), (LOCK, self._locks)):
            for key, write in rows.items():
                shared = (DELETE, table, key, b"") if write is None else (PUT, table, key, write())
                changes.append(shared)
        for key, unit in self._units.items():
            state = (DELETE, UNIT, key, b"") if unit is None else (PUT, UNIT, key, unit_row(unit))
            changes.append(state)
        for key, data in self._data.items():
            changes.append((DELETE, DATA, key, b"") if data is None else (PUT, DATA, key, data))
        for (table, key), row in self._others.items():
            changes.append((DELETE, table, key, b"") if row is None else (PUT, table, key, row))
        if changes:
            self._reset()
        return changes
