"""Work units before they are sent: their form on the wire, and slices of many of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import define

from coordinate_client.answers import readable
from coordinate_client.exceptions import InvalidAnswer, ProgrammerError
from coordinate_client.paths import Path, told_lock, wire_locks
from coordinate_client.server import Server, check_options
from coordinate_protocol.codec import encode
from coordinate_protocol.constants import MAX_LEASE
from coordinate_protocol.errors import ProtocolError
from coordinate_protocol.values import Encoded, key_bytes

__all__ = [
    "Handed",
    "as_keys",
    "check_lease",
    "check_units",
    "encoded",
    "handed_units",
    "slices",
    "wire_unit",
]

# A slice keeps a server busy for a few milliseconds, and is far below its limit of a message.
_SLICE_UNITS = 1000
_SLICE_BYTES = 2**20

WireUnit = tuple[Any, ...]


def encoded(what: str, value: Any) -> Encoded:
    """The bytes of a value, made once.

    Args:
        what: whose value it is, for the error.
        value: anything the protocol carries.

    Raises:
        ProgrammerError: for anything else.
    """
    try:
        return Encoded(encode(value))
    except ProtocolError as error:
        raise ProgrammerError(f"{what}: {error}") from error


def wire_unit(item: Any) -> tuple[WireUnit, int]:
    """A unit as it is sent, and about how many bytes it takes.

    Args:
        item: (key, data), (key, data, options), or with a priority as a fourth.

    Raises:
        ProgrammerError: for anything else.
    """
    if not isinstance(item, (list, tuple)) or not 2 <= len(item) <= 4:  # noqa: PLR2004 - the forms above
        raise ProgrammerError(f"work unit {item!r} must be (key, data) or (key, data, options)")
    try:
        key = key_bytes(item[0])
    except ProtocolError as error:
        raise ProgrammerError(f"work unit {item!r}: {error}") from error
    if len(item) > 2 and not isinstance(item[2], (Mapping, type(None))):  # noqa: PLR2004 - the third
        raise ProgrammerError(f"options {item[2]!r} of work unit {item[0]!r} must be a map")
    data = encoded(f"data of work unit {item[0]!r}", item[1])
    return (item[0], data, *map(_wire_options, item[2:])), len(key) + len(data.data)


def _wire_options(options: Any) -> Any:
    """The options of a unit as they are sent; a priority in their place as it is."""
    if not isinstance(options, Mapping) or not options.get("locks"):
        return options
    return dict(options) | {"locks": wire_locks(options["locks"])}


def slices(
    units: Mapping[Any, Any] | Iterable[Any],
    most: int = _SLICE_UNITS,
    most_bytes: int = _SLICE_BYTES,
) -> Iterator[list[WireUnit]]:
    """The units in lists that fit into messages; at least one list, so that the spec is looked up.

    Args:
        units: key to data, or items for `wire_unit`; what is made on the way is not kept.
        most: units in a list.
        most_bytes: bytes of keys and data in a list, where it has more than one unit.

    Raises:
        ProgrammerError: at the first item that is no unit.
    """
    found: list[WireUnit] = []
    size, sent = 0, False
    for item in units.items() if isinstance(units, Mapping) else units:
        unit, unit_size = wire_unit(item)
        if found and (len(found) >= most or size + unit_size > most_bytes):
            yield found
            found, size, sent = [], 0, True
        found.append(unit)
        size += unit_size
    if found or not sent:
        yield found


def check_units(units: list[WireUnit], server: Server | None) -> None:
    """Refuse what the server would leave undone without a word.

    Raises:
        Unsupported: for a `delay`, `depends_on` or `locks` that it does not know.
    """
    given = [unit[2] for unit in units if len(unit) > 2 and unit[2]]  # noqa: PLR2004 - the options
    # A delay of 0 seconds, and nothing to wait for, are what every server does anyway.
    asked = {name for options in given for name, value in options.items() if value}
    check_options("add_work_units", asked, server)


def check_lease(seconds: float) -> float:
    """The lease, where a server can give it.

    Raises:
        ProgrammerError: for one of more than a day, or no number.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise ProgrammerError(f"lease_time {seconds!r} must be a number of seconds")
    if not seconds <= MAX_LEASE:
        raise ProgrammerError(f"lease_time {seconds!r} must be at most {MAX_LEASE} seconds")
    return seconds


def as_keys(keys: Any) -> list[Any]:
    """A list of keys, of one key or of many."""
    return [keys] if isinstance(keys, (str, bytes)) else list(keys)


@define
class Handed:
    """A unit as a server hands it out.

    Args:
        work_spec_name: the spec it is of.
        key: its name within the spec.
        data: what it is about.
        attempt: the number of this hand-out; None by servers that do not say it.
        locks: (path, mode) of each lock that the unit holds.
    """

    work_spec_name: str
    key: str | bytes
    data: Any
    attempt: int | None = None
    locks: tuple[tuple[Path, str], ...] = ()


def handed_units(units: Any) -> list[Handed]:
    """The units of an answer.

    Args:
        units: (spec, key, data), or with a map of what else there is to say; key None for no unit.

    Raises:
        InvalidAnswer: for anything else.
    """
    try:
        return [_handed(*unit) for unit in units if unit[1] is not None]
    except (TypeError, LookupError, AttributeError) as error:
        raise InvalidAnswer(f"work was answered with {units!r:.200}: {error}") from error


def _handed(spec: Any, key: Any, data: Any, more: Any = None) -> Handed:
    if not more:
        return Handed(readable(spec), readable(key), data)
    locks = more.get("locks")
    held = tuple(map(told_lock, locks)) if locks else ()
    return Handed(readable(spec), readable(key), data, more.get("attempt"), held)
