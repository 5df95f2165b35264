"""Dependencies before they are sent: an edge, and the two units at its ends."""

from typing import Any

from coordinate_client.exceptions import ProgrammerError
from coordinate_client.units import encoded
from coordinate_protocol.errors import ProtocolError
from coordinate_protocol.values import as_text, key_bytes

__all__ = ["wire_edge", "wire_end"]


def wire_end(end: Any) -> tuple[Any, ...]:
    """One end of an edge as it is sent.

    Args:
        end: (spec, key) for a unit that exists, or (spec, key, data), which adds it; None as data
            is the same as none.

    Raises:
        ProgrammerError: for anything else.
    """
    if not isinstance(end, (list, tuple)) or len(end) not in {2, 3}:
        raise ProgrammerError(f"work unit {end!r} must be (spec, key) or (spec, key, data)")
    spec, key, *more = end
    try:
        as_text(spec)
        key_bytes(key)
    except ProtocolError as error:
        raise ProgrammerError(f"work unit {end!r}: {error}") from error
    data = more[0] if more else None
    return (spec, key, None if data is None else encoded(f"data of work unit {key!r}", data))


def wire_edge(edge: Any) -> tuple[Any, ...]:
    """An edge as it is sent.

    Args:
        edge: (later, earlier) or (later, earlier, hard), with ends for `wire_end`.

    Raises:
        ProgrammerError: for anything else.
    """
    if not isinstance(edge, (list, tuple)) or len(edge) not in {2, 3}:
        raise ProgrammerError(f"edge {edge!r} must be (later, earlier) or (later, earlier, hard)")
    later, earlier, *hard = edge
    return (wire_end(later), wire_end(earlier), *hard)
