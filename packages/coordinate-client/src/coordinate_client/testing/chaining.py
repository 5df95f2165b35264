"""The units that a finished one makes of its `output`."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from coordinate_client.testing.additions import NewUnit, add
from coordinate_client.testing.arguments import encoded
from coordinate_client.testing.memory import Memory, content
from coordinate_client.testing.records import UnitRecord
from coordinate_client.testing.refusals import Unknown
from coordinate_protocol.errors import ProtocolError, shown
from coordinate_protocol.values import key_bytes

__all__ = ["chain"]

_MOST_PARTS = 4
_LEFT_OUT: tuple[Any, ...] = ({}, None, None)


def chain(memory: Memory, unit: UnitRecord) -> str | None:
    """Add what a finished unit has put out to the spec that its own names as `then`.

    Args:
        memory: where to.
        unit: the one that has finished.

    Returns:
        What of its output made no unit; None for nothing.
    """
    then = unit.spec.definition.get("then")
    if then is None:
        return None
    made, faults = _made(unit)
    target = memory.specs.get(then)
    fault = f"{len(faults)} of its output made no unit: {faults[0]}" if faults else None
    if target is not None:
        add(memory, [(target, new) for new in made], [])
    elif made:
        fault = f"then of {unit.spec.name!r} is {then!r}, which is no work spec"
    unit.output_error = unit.output_error if fault is None else fault
    return fault


def _made(unit: UnitRecord) -> tuple[list[NewUnit], list[str]]:
    units, faults = [], []
    try:
        output = _output(content(unit.data, "output"))
    except ValueError as error:
        return [], [str(error)]
    for item in output:
        try:
            new = _unit(item)
        except (ValueError, ProtocolError) as error:
            faults.append(str(error))
        else:
            units.append(evolve(new, priority=unit.priority) if new.priority is None else new)
    return units, faults


def _output(output: Any) -> list[Any]:
    if output is None:
        return []
    if isinstance(output, Mapping):
        return list(output.items())
    if not isinstance(output, list | tuple):
        raise ValueError(f"output should be a map or an array, not {shown(output)}")
    return list(output)


def _unit(item: Any) -> NewUnit:
    if isinstance(item, str | bytes):
        return NewUnit(key_bytes(item), encoded({}))
    if not isinstance(item, list | tuple) or not 1 <= len(item) <= _MOST_PARTS:
        raise ValueError(f"output should hold keys or (key, data), not {shown(item)}")
    parts: list[Any] = [*item, *_LEFT_OUT[len(item) - 1 :]]
    key, data, options, priority = parts
    if not isinstance(options, Mapping | None):
        raise ValueError(f"options of a unit should be a map, not {shown(options)}")
    said = options or {}
    if said.get("locks"):
        raise Unknown("output with 'locks'")
    given = said.get("priority") if priority is None else priority
    delay = said.get("delay")
    for name, value in (("priority", given), ("delay", delay)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ValueError(f"{name} should be a number, not {shown(value)}")
    return NewUnit(key_bytes(key), encoded(data), given, delay)
