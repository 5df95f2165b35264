"""Adding units and edges, all of a call or none."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from coordinate_client.testing.arguments import Options, array, encoded
from coordinate_client.testing.memory import Memory
from coordinate_client.testing.needs import Edge, named
from coordinate_client.testing.records import ENDED, SpecRecord, UnitRecord
from coordinate_client.testing.refusals import NotAdded, Unknown
from coordinate_protocol.constants import STANDARD, STATUS_NAMES
from coordinate_protocol.errors import shown
from coordinate_protocol.values import as_text, key_bytes, key_value

__all__ = ["EdgeEnd", "NewUnit", "add", "new_unit", "read_edge"]

_UNIT = ("priority", "delay", "depends_on", "locks")


@frozen
class NewUnit:
    """A unit that is to be added.

    Args:
        key: its key.
        data: its data as CBOR.
        priority: None for the one it has, or 0.
        delay: seconds until it may run; None for none.
        needs: (spec, key, hard) of what it needs; spec None for its own.
    """

    key: bytes
    data: bytes
    priority: float | None = None
    delay: float | None = None
    needs: tuple[tuple[str | None, bytes, bool], ...] = ()


@frozen
class EdgeEnd:
    """A unit that an edge names, with data where it is to be added."""

    spec: str
    key: bytes
    data: bytes | None


def new_unit(item: Any) -> NewUnit:
    """Read (key, data) or (key, data, options); 0.1.5 has a priority in fourth place.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(item, list | tuple) or not 2 <= len(item) <= 4:  # noqa: PLR2004 - the shape
        raise ValueError(f"a unit should be (key, data) or (key, data, options), not {shown(item)}")
    key, data, options, priority = [*item, None, None][:4]
    read = Options.read(options, _UNIT)
    if read.get("locks"):
        raise Unknown("add_work_units with 'locks'")
    given = read.number("priority") if priority is None else priority
    needs = tuple(_need(said) for said in array(read.get("depends_on", ()), "depends_on"))
    return NewUnit(key_bytes(key), encoded(data), given, read.number("delay", None, 0), needs)


def read_edge(said: Any) -> tuple[EdgeEnd, EdgeEnd, bool]:
    """Read (later, earlier) or (later, earlier, hard).

    Raises:
        ValueError: for anything else.
    """
    later, earlier, hard = _parts(said, "an edge should be (later, earlier, hard)")
    return _end(later), _end(earlier), hard is not False


def add(
    memory: Memory,
    units: Iterable[tuple[SpecRecord, NewUnit]],
    edges: Sequence[tuple[EdgeEnd, EdgeEnd, bool]],
) -> None:
    """Add units and edges.

    Args:
        memory: where to.
        units: with their specs; of equal ones the last wins.
        edges: besides what the units say that they need.

    Raises:
        NotAdded: where something that is needed is nowhere, a unit that is to wait has ended, or
            the edges would close a cycle.
    """
    planned: dict[tuple[str, bytes], tuple[UnitRecord, NewUnit]] = {}
    for spec, new in units:
        known = planned.get((spec.name, new.key))
        unit = spec.units.get(new.key) if known is None else known[0]
        planned[spec.name, new.key] = unit or UnitRecord(spec, new.key, new.data), new
    found = [*_needs(memory, planned), *_edges(memory, planned, edges)]
    memory.needs.link(found)
    for unit, new in planned.values():
        _take(memory, unit, new)
    memory.needs.settle()
    for later, _, _ in found:
        memory.needs.need_changed(later)
    memory.needs.settle()


Planned = Mapping[tuple[str, bytes], tuple[UnitRecord, NewUnit]]


def _needs(memory: Memory, planned: Planned) -> list[Edge]:
    edges = []
    for unit, new in planned.values():
        for spec, key, hard in new.needs:
            name = unit.spec.name if spec is None else spec
            earlier = _found(memory, planned, name, key)
            if earlier is None:
                missing = f"{key_value(key)!r} of {name!r}"
                raise NotAdded(f"work unit {named(unit)} needs {missing}, which does not exist")
            edges.append((unit, earlier, hard))
    return edges


def _edges(
    memory: Memory, planned: Planned, edges: Sequence[tuple[EdgeEnd, EdgeEnd, bool]]
) -> list[Edge]:
    found = []
    for later_end, earlier_end, hard in edges:
        later, earlier = (_existing(memory, planned, end) for end in (later_end, earlier_end))
        if later.status in ENDED and (later.spec.name, later.key) not in planned:
            how = STATUS_NAMES[later.status]
            raise NotAdded(f"work unit {named(later)} cannot wait for another, it has {how}")
        found.append((later, earlier, hard))
    return found


def _existing(memory: Memory, planned: Planned, end: EdgeEnd) -> UnitRecord:
    memory.spec(end.spec)
    unit = _found(memory, planned, end.spec, end.key)
    if unit is None:
        name = f"{key_value(end.key)!r} of {end.spec!r}"
        raise NotAdded(f"work unit {name} does not exist and is given no data")
    return unit


def _found(memory: Memory, planned: Planned, name: str, key: bytes) -> UnitRecord | None:
    if (name, key) in planned:
        return planned[name, key][0]
    spec = memory.specs.get(name)
    return None if spec is None else spec.units.get(key)


def _take(memory: Memory, unit: UnitRecord, new: NewUnit) -> None:
    """Add a unit, or have one that is there begin anew; that one's priority stays."""
    not_before = memory.clock.wall + new.delay if new.delay else None
    if unit.key in unit.spec.units:
        unit.priority = unit.priority if new.priority is None else new.priority
        memory.begin_anew(unit, not_before)
    else:
        unit.priority = STANDARD if new.priority is None else new.priority
        unit.spec.units[unit.key] = unit
        unit.not_before = not_before
        memory.admit(unit)
    unit.data = new.data


def _need(said: Any) -> tuple[str | None, bytes, bool]:
    if isinstance(said, str | bytes):
        return None, key_bytes(said), True
    spec, key, hard = _parts(said, "depends_on should hold key, (spec, key) or (spec, key, hard)")
    return as_text(spec), key_bytes(key), hard is not False


def _end(said: Any) -> EdgeEnd:
    spec, key, data = _parts(said, "an end of an edge should be (spec, key) or (spec, key, data)")
    return EdgeEnd(as_text(spec), key_bytes(key), None if data is None else encoded(data))


def _parts(said: Any, right: str) -> tuple[Any, Any, Any]:
    if not isinstance(said, list | tuple) or len(said) not in (2, 3):
        raise ValueError(f"{right}, not {shown(said)}")
    return said[0], said[1], said[2] if len(said) > 2 else None  # noqa: PLR2004 - the third part
