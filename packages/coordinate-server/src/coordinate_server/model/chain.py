"""The units that a finished one makes: its data's ``output``, in all its forms."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.errors import ProtocolError
from coordinate_protocol.limits import ANSWER_LIMITS
from coordinate_protocol.values import key_bytes
from coordinate_server.model.calls import NewUnit
from coordinate_server.model.errors import Refused

__all__ = ["chained_units"]

_MOST_PARTS = 4
_OPTIONS = ("priority", "delay")
_LEFT_OUT: tuple[Any, ...] = ({}, None, None)


def chained_units(data: bytes, priority: float) -> tuple[list[NewUnit], list[str]]:
    """Read the output of a unit that has finished.

    ``output`` is a map key -> data, or an array of: key | (key, data) |
    (key, data, {priority?, delay?}) | (key, data, {...}, priority).

    Arguments:
        data: the unit's final data as CBOR.
        priority: the unit's own; its children inherit it where none is given.

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
            unit = _unit(item)
        except (ProtocolError, Refused) as error:
            faults.append(str(error))
        else:
            units.append(evolve(unit, priority=priority) if unit.priority is None else unit)
    return units, faults


def _output(data: bytes) -> list[Any]:
    # The word is in the bytes as it is, so most data need not be decoded to know it is not there.
    if b"output" not in data:
        return []
    value = decode(data, ANSWER_LIMITS, integer_keys=True)
    output = value.get("output", value.get(b"output")) if isinstance(value, Mapping) else None
    if output is None:
        return []
    if isinstance(output, Mapping):
        return list(output.items())
    if not isinstance(output, list | tuple):
        raise Refused(f"output should be a map or an array, not {output!r:.80}")
    return list(output)


def _unit(item: Any) -> NewUnit:
    if isinstance(item, str | bytes):
        return NewUnit(key_bytes(item), encode({}))
    if not isinstance(item, list | tuple) or not 1 <= len(item) <= _MOST_PARTS:
        raise Refused(f"output should hold keys or (key, data), not {item!r:.80}")
    parts: list[Any] = [*item, *_LEFT_OUT[len(item) - 1 :]]
    key, content, options, given = parts
    priority, delay = _options(options)
    return NewUnit(key_bytes(key), encode(content), priority if given is None else given, delay)


def _options(options: Any) -> tuple[Any, Any]:
    if options is None:
        return None, None
    if not isinstance(options, Mapping):
        raise Refused(f"options of a unit should be a map, not {options!r:.80}")
    priority, delay = (options.get(name, options.get(name.encode())) for name in _OPTIONS)
    return priority, delay
