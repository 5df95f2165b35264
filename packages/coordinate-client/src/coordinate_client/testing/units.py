"""What the server in memory answers about work units."""

from collections.abc import Iterable, Sequence
from typing import Any

from attrs import asdict

from coordinate_client.testing.additions import NewUnit, add, new_unit, read_edge
from coordinate_client.testing.arguments import Options, array
from coordinate_client.testing.memory import Memory, content
from coordinate_client.testing.needs import named
from coordinate_client.testing.records import SpecRecord, UnitRecord
from coordinate_client.testing.refusals import Refusal
from coordinate_protocol.constants import BLOCKED
from coordinate_protocol.values import Encoded, as_text, key_bytes, key_value

__all__ = ["UnitOperations", "delete"]

_LIST_DEFAULT, _LIST_MOST = 1000, 10_000

Pair = tuple[Any, str | None]


class UnitOperations:
    """Work units."""

    memory: Memory

    def add_work_units(self, work_spec_name: object, work_unit_key_vals: object) -> Pair:
        """Add units, all or none; those that are there begin anew."""
        spec = self.memory.spec(as_text(work_spec_name))
        units = [new_unit(item) for item in array(work_unit_key_vals, "units")]
        add(self.memory, [(spec, unit) for unit in units], [])
        return True, None

    def add_dependencies(self, edges: object) -> Pair:
        """Have units need others, all of the edges or none."""
        read = [read_edge(said) for said in array(edges, "edges")]
        ends = [end for later, earlier, _ in read for end in (later, earlier)]
        units = [
            (self.memory.spec(end.spec), NewUnit(end.key, end.data))
            for end in ends
            if end.data is not None
        ]
        add(self.memory, units, read)
        return True, None

    def add_dependent_work_units(self, later: object, earlier: object, hard: object = None) -> Pair:
        """Have one unit need another."""
        return self.add_dependencies([(later, earlier, hard)])

    def count_work_units(self, work_spec_name: object) -> Pair:
        """How many units there are in each status that has any."""
        counts: dict[int, int] = {}
        for unit in self.memory.spec(as_text(work_spec_name)).units.values():
            counts[unit.status] = counts.get(unit.status, 0) + 1
        return counts, None

    def get_work_units(self, work_spec_name: object, options: object) -> Pair:
        """Units with their data."""
        read = Options.read(options, ("work_unit_keys", "state", "limit", "start"))
        units, keys = self.memory.spec(as_text(work_spec_name)).units, read.keys()
        if keys is not None:
            found = [(key, units[key].data if key in units else None) for key in keys]
        else:
            limit = int(read.clamped("limit", _LIST_DEFAULT, 0, _LIST_MOST))
            found = [(unit.key, unit.data) for unit in _listed(units, read)[:limit]]
        return [(key_value(key), _encoded(data)) for key, data in found], None

    def get_work_unit_status(self, work_spec_name: object, work_unit_keys: object) -> Pair:
        """What units are doing."""
        units = self.memory.spec(as_text(work_spec_name)).units
        keys = [key_bytes(key) for key in array(work_unit_keys, "work_unit_keys")]
        return [_status(units[key]) if key in units else None for key in keys], None

    def get_work_unit_attempts(self, work_spec_name: object, work_unit_key: object) -> Pair:
        """The hand-outs of a unit, oldest first."""
        unit = self.memory.unit(as_text(work_spec_name), key_bytes(work_unit_key))
        attempts = [asdict(attempt) for attempt in self.memory.attempts(unit)]
        always = ("attempt", "worker_id", "began", "outcome")
        return [
            {name: value for name, value in said.items() if value is not None or name in always}
            for said in attempts
        ], None

    def prioritize_work_units(self, work_spec_name: object, options: object) -> Pair:
        """Set priorities, or else move them."""
        read = Options.read(options, ("work_unit_keys", "priority", "adjustment"))
        units, keys = self.memory.spec(as_text(work_spec_name)).units, read.keys()
        if keys is None:
            return False, "missing work_unit_keys"
        priority, adjustment = read.number("priority"), read.number("adjustment", 0)
        for unit in [units[key] for key in dict.fromkeys(keys) if key in units]:
            unit.priority = unit.priority + adjustment if priority is None else priority
        return True, None

    def del_work_units(self, work_spec_name: object, options: object) -> Pair:
        """Delete units."""
        read = Options.read(options, ("all", "work_unit_keys", "state", "cascade"))
        going = _going(self.memory.spec(as_text(work_spec_name)), read)
        return delete(self.memory, going, cascade=bool(read.get("cascade"))), None


def delete(memory: Memory, units: Sequence[UnitRecord], *, cascade: bool) -> int:
    """Delete units.

    Args:
        memory: where they are.
        units: which.
        cascade: whether those that wait for them go too.

    Returns:
        How many have gone.

    Raises:
        Refusal: others wait for them, and `cascade` is not set.
    """
    going = dict.fromkeys(units)
    for unit in units if not cascade else ():
        waiting = [later for later in _waiting(unit) if later not in going]
        if waiting:
            whose = f"{named(unit)} is needed by {named(waiting[0])}"
            raise Refusal(f"work unit {whose}; cascade deletes that too")
    queue = list(units) if cascade else []
    while queue:
        more = [later for later in _waiting(queue.pop()) if later not in going]
        going.update(dict.fromkeys(more))
        queue += more
    for unit in going:
        memory.needs.forget(unit)
        del unit.spec.units[unit.key]
    memory.needs.settle()
    return len(going)


def _waiting(unit: UnitRecord) -> list[UnitRecord]:
    return [] if unit.end else [one for one in unit.needed_by if one.status == BLOCKED]


def _going(spec: SpecRecord, read: Options) -> list[UnitRecord]:
    keys, states = read.keys(), read.states()
    if read.get("all"):
        return list(spec.units.values())
    if keys is None and states is None:
        raise Refusal("no usable options to del_work_units")
    found: Iterable[UnitRecord] = spec.units.values()
    if keys is not None:
        found = [spec.units[key] for key in dict.fromkeys(keys) if key in spec.units]
    return [unit for unit in found if states is None or unit.status in states]


def _listed(units: dict[bytes, UnitRecord], read: Options) -> list[UnitRecord]:
    """Units by key; those of some statuses by priority first."""
    low = key_bytes(read.get("start", b""))
    found = sorted((unit for unit in units.values() if unit.key >= low), key=lambda unit: unit.key)
    states = read.states()
    if states is None:
        return found
    return sorted(
        (unit for unit in found if unit.status in states), key=lambda unit: -unit.priority
    )


def _status(unit: UnitRecord) -> dict[str, Any]:
    said = {
        "worker_id": unit.worker_id or None,
        "traceback": content(unit.data, "traceback"),
        "failures": unit.failures or None,
        "lost_leases": unit.lost or None,
        "reason": unit.reason,
        "output_error": unit.output_error,
    }
    status: dict[str, Any] = {
        "status": unit.status,
        "expiration": unit.ended if unit.deadline is None else unit.deadline,
    }
    return (
        status | {name: value for name, value in said.items() if value is not None} | _needs(unit)
    )


def _needs(unit: UnitRecord) -> dict[str, Any]:
    if not unit.needs:
        return {}
    needs = [
        {
            "work_spec_name": earlier.spec.name,
            "work_unit_key": key_value(earlier.key),
            "hard": hard,
            "status": earlier.status,
        }
        for earlier, hard in unit.needs.items()
    ]
    return {"depends_on": needs, "depends_on_count": len(needs), "blocked_by": unit.blocked_by}


def _encoded(data: bytes | None) -> Encoded | None:
    return None if data is None else Encoded(data)
