"""The units that a finished one makes: its data's ``output``, in all its forms."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from coordinate_protocol.codec import encode
from coordinate_protocol.errors import ProtocolError, shown
from coordinate_protocol.values import key_bytes
from coordinate_server.model.additions import check_unit
from coordinate_server.model.calls import NewUnit
from coordinate_server.model.contents import content
from coordinate_server.model.errors import Refused
from coordinate_server.model.locks.sets import lock_set_of
from coordinate_server.model.settings import ModelSettings
from coordinate_server.model.unit import Unit

__all__ = ["chain"]

_MOST_PARTS = 4
_OPTIONS = ("priority", "delay", "locks")
_LEFT_OUT: tuple[Any, ...] = ({}, None, None)


def chain(unit: Unit, settings: ModelSettings) -> tuple[list[NewUnit], str | None]:
    """Give the units that a finished one makes.

    Returns:
        Those that can be added, and what of the output could not be used; None for nothing.
    """
    units, faults = _chained(unit.data, unit.priority, settings.key_bytes)
    fit = []
    for new in units:
        try:
            check_unit(new, settings)
        except Refused as error:
            faults.append(str(error))
        else:
            fit.append(new)
    return fit, f"{len(faults)} of its output made no unit: {faults[0]}" if faults else None


def _chained(data: bytes, priority: float, most_bytes: int) -> tuple[list[NewUnit], list[str]]:
    """Read the output of a unit that has finished.

    ``output`` is a map key -> data, or an array of: key | (key, data) |
    (key, data, {priority?, delay?, locks?}) | (key, data, {...}, priority).

    Arguments:
        data: the unit's final data as CBOR.
        priority: the unit's own; its children inherit it where none is given.
        most_bytes: how long the path of a lock may be.

    Returns:
        The units, and why what is none of these forms is not among them.
    """
    try:
        output = _output(data)
    except (ProtocolError, Refused) as error:
        return [], [str(error)]
    units, faults = [], []
    for item in output:
        try:
            unit = _unit(item, most_bytes)
        except (ProtocolError, Refused) as error:
            faults.append(str(error))
        else:
            units.append(evolve(unit, priority=priority) if unit.priority is None else unit)
    return units, faults


def _output(data: bytes) -> list[Any]:
    output = content(data, "output")
    if output is None:
        return []
    if isinstance(output, Mapping):
        return list(output.items())
    if not isinstance(output, list | tuple):
        raise Refused(f"output should be a map or an array, not {shown(output)}")
    return list(output)


def _unit(item: Any, most_bytes: int) -> NewUnit:
    if isinstance(item, str | bytes):
        return NewUnit(key_bytes(item), encode({}))
    if not isinstance(item, list | tuple) or not 1 <= len(item) <= _MOST_PARTS:
        raise Refused(f"output should hold keys or (key, data), not {shown(item)}")
    parts: list[Any] = [*item, *_LEFT_OUT[len(item) - 1 :]]
    key, content, options, given = parts
    priority, delay, locks = _options(options)
    return NewUnit(
        key_bytes(key),
        encode(content),
        priority if given is None else given,
        delay,
        locks=None if locks is None else lock_set_of(locks, most_bytes),
    )


def _options(options: Any) -> tuple[Any, Any, Any]:
    if options is None:
        return None, None, None
    if not isinstance(options, Mapping):
        raise Refused(f"options of a unit should be a map, not {shown(options)}")
    priority, delay, locks = (options.get(name, options.get(name.encode())) for name in _OPTIONS)
    return priority, delay, locks
