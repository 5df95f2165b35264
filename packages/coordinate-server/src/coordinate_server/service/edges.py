"""Reading how a client names units that others need."""

from typing import Any

from coordinate_protocol.errors import shown
from coordinate_protocol.values import key_bytes
from coordinate_server.model.calls import EdgeEnd, Need, NewEdge
from coordinate_server.service.arguments import encoded, text

__all__ = ["edge", "end", "need"]


def need(said: Any) -> Need:
    """Read one item of ``depends_on``: a key, (spec, key) or (spec, key, hard).

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(said, str | bytes):
        return Need(None, key_bytes(said))
    spec, key, hard = _parts(said, "depends_on should hold key, (spec, key) or (spec, key, hard)")
    return Need(text(spec, "the spec in depends_on"), key_bytes(key), _hard(hard))


def edge(said: Any) -> NewEdge:
    """Read one edge: (later, earlier) or (later, earlier, hard).

    Raises:
        ValueError: it is neither.
    """
    right = "an edge should be (later, earlier) or (later, earlier, hard)"
    later, earlier, hard = _parts(said, right)
    return NewEdge(end(later, "later"), end(earlier, "earlier"), _hard(hard))


def end(said: Any, which: str) -> EdgeEnd:
    """Read one end of an edge: (spec, key) or (spec, key, data or null).

    Raises:
        ValueError: it is neither.
    """
    spec, key, data = _parts(said, f"{which} should be (spec, key) or (spec, key, data)")
    kept = None if data is None else encoded(data)
    return EdgeEnd(text(spec, f"the spec of {which}"), key_bytes(key), kept)


def _parts(said: Any, right: str) -> tuple[Any, Any, Any]:
    if not isinstance(said, list | tuple) or len(said) not in (2, 3):
        raise ValueError(f"{right}, not {shown(said)}")
    return said[0], said[1], said[2] if len(said) > 2 else None  # noqa: PLR2004 - the third part


def _hard(value: Any) -> bool:
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"hard should be true or false, not {shown(value)}")
    return value is not False
