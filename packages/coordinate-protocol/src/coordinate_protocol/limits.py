"""The bounds on input, each named as its setting under `server.limits` is."""

from typing import Any, Final

from attrs import Attribute, field, frozen

from coordinate_protocol.errors import LimitError

__all__ = ["ANSWER_LIMITS", "DEFAULT_LIMITS", "Limits", "key_limit"]

_MIB: Final = 2**20
# cbor2 keeps its depth in 16 bits, and decodes on the C stack.
_DEEPEST: Final = 400


def _positive(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Refuse what is not a number above zero."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise ValueError(f"{attribute.name} is {value!r} but must be a number above 0")


def _whole(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """Refuse what is not a whole number above zero."""
    _positive(instance, attribute, value)
    if not isinstance(value, int):
        raise ValueError(f"{attribute.name} is {value!r} but must be a whole number")


def _depth(instance: object, attribute: "Attribute[Any]", value: int) -> None:
    """Refuse a depth that the decoder cannot go to."""
    _whole(instance, attribute, value)
    if value > _DEEPEST:
        raise ValueError(f"{attribute.name} is {value!r} but must be at most {_DEEPEST}")


@frozen
class Limits:
    """How much of everything is accepted; the defaults are those of `docs/protocol.md`.

    Args:
        message_bytes: size of one encoded message, without the wrapper's head.
        nesting: arrays, maps and tags that are open at once; a tuple counts two.
        batch: requests in one batch.
        unit_data_bytes: size of one unit's data, encoded.
        key_bytes: size of a unit's key, in UTF-8 where it is text, and of a lock's path, encoded.
        connections: connections open at once.
        requests_in_flight: requests of one connection that are not answered yet.
        message_seconds: seconds from a message's first byte to its last.
        decode_budget_bytes: bytes of all messages that are being received or decoded at once.

    Raises:
        ValueError: for what is not a (whole) number above zero; it names the field.
    """

    message_bytes: int = field(default=16 * _MIB, validator=_whole)
    nesting: int = field(default=32, validator=_depth)
    batch: int = field(default=1000, validator=_whole)
    unit_data_bytes: int = field(default=4 * _MIB, validator=_whole)
    key_bytes: int = field(default=8192, validator=_whole)
    connections: int = field(default=10000, validator=_whole)
    requests_in_flight: int = field(default=1000, validator=_whole)
    message_seconds: float = field(default=60, validator=_positive)
    decode_budget_bytes: int = field(default=256 * _MIB, validator=_whole)


DEFAULT_LIMITS: Final = Limits()

# An answer lays up to six levels more around a unit's data than the request that brought it, and
# holds as many units as were asked for: 10,000 of 4 MiB would be too many, 1 GiB is enough.
ANSWER_LIMITS: Final = Limits(message_bytes=1024 * _MIB, nesting=DEFAULT_LIMITS.nesting + 16)


def key_limit(key: bytes, limits: Limits) -> bytes:
    """The key, unless it is longer than a key may be.

    Args:
        key: a unit's key as bytes.
        limits: those that hold.

    Raises:
        LimitError: naming `key_bytes`.
    """
    if len(key) > limits.key_bytes:
        raise LimitError("key of {} bytes", "key_bytes", limits.key_bytes, len(key))
    return key
