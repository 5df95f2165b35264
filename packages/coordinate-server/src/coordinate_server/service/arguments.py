"""Reading what a client sent: options by name, with their types and ranges checked."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Self

from attrs import define

from coordinate_protocol.codec import encode
from coordinate_protocol.constants import AVAILABLE, DELAYED, STATUS_NAMES
from coordinate_protocol.errors import BadName, shown
from coordinate_protocol.values import as_text, key_bytes, text_keys
from coordinate_server.service.call import Call

__all__ = ["Options", "encoded", "key_list", "name_list", "text"]

_MOST_BITS = 1023
# Whole numbers below this one need no closer look.
_SAFE = 2**63


def text(value: object, what: str) -> str:
    """Read a name.

    Raises:
        ValueError: it is neither text nor UTF-8 bytes; says what it should be.
    """
    try:
        return as_text(value)
    except BadName as error:
        raise ValueError(f"{what} should be text, not {shown(value)}") from error


def encoded(data: object) -> bytes:
    """Encode a unit's data as they are kept."""
    return encode(text_keys(data))


def key_list(value: object) -> list[bytes]:
    """Read an array of unit keys."""
    return [key_bytes(key) for key in _sequence(value, "work_unit_keys")]


def name_list(value: object, what: str) -> list[str]:
    """Read an array of names."""
    return [text(name, what) for name in _sequence(value, what)]


@define
class Options:
    """The last parameter of most operations: a map of options, each of which may be left out.

    None means the same as leaving an option out. A client that has said ``hello`` may not send an
    unknown one; 0.1.5's clients may, as their server ignores it.

    Arguments:
        given: the options that are not None.
    """

    given: dict[str, Any]
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: object, call: Call, known: frozenset[str]) -> Self:
        """Take what a client sent.

        Arguments:
            given: the map; None for no options.
            call: whose it is.
            known: the names there are.

        Raises:
            ValueError: it is no map, or has an unknown name and the client has said ``hello``.
        """
        if given is None:
            return cls({})
        if not isinstance(given, dict):
            raise ValueError(f"options should be a map, not {shown(given)}")
        named: dict[str, Any] = given
        if not given.keys() <= known:
            named = {text(name, "the name of an option"): given[name] for name in given}
            if call.greeted and not named.keys() <= known:
                raise ValueError(_unknown(named, known))
        if None in named.values():
            named = {name: value for name, value in named.items() if value is not None}
        return cls(named)

    @property
    def message(self) -> str | None:
        """What was clamped, for people; None if nothing was."""
        return "; ".join(self.notes) if self.notes else None

    def note(self, message: str | None) -> None:
        """Add something to the message; None is nothing."""
        if message is not None:
            self.notes = (*self.notes, message)

    def has(self, name: str) -> bool:
        """Whether the option was given, and not as None."""
        return name in self.given

    def number(
        self, name: str, default: Any = None, least: float = -math.inf, most: float = math.inf
    ) -> Any:
        """Read a number within a range."""
        value = self.given.get(name, default)
        if value is None or (
            type(value) is int and -_SAFE < value < _SAFE and least <= value <= most
        ):
            return value
        _require_number(name, value)
        if not least <= value <= most:
            raise ValueError(f"{name} is {shown(value)}, out of the range {_range(least, most)}")
        return value

    def integer(self, name: str, default: Any, least: int, most: int) -> int:
        """Read a whole number within a range."""
        value = self.given.get(name, default)
        if type(value) is int and least <= value <= most:
            return value
        value = self.number(name, default, least, most)
        if int(value) != value:
            raise ValueError(f"{name} should be a whole number, not {shown(value)}")
        return int(value)

    def clamped(self, name: str, default: Any, least: float, most: float) -> Any:
        """Read a number and move it into a range, saying so: 0.1.5's clients rely on that."""
        value = self.number(name, default)
        if value is None or least <= value <= most:
            return value
        nearest = least if value < least else most
        outside = f"{name} {shown(value)} is out of the range {_range(least, most)}"
        self.note(f"{outside}, taken as {nearest!r}")
        return nearest

    def flag(self, name: str) -> bool:
        """Read a yes or no; 0.1.5's clients also say it by number."""
        return bool(self.given.get(name, False))

    def name(self, name: str) -> str | None:
        """Read a name."""
        return text(self.given[name], name) if name in self.given else None

    def names(self, name: str) -> list[str] | None:
        """Read an array of names."""
        return name_list(self.given[name], name) if name in self.given else None

    def array(self, name: str) -> Sequence[Any]:
        """Read an array of anything; none is empty."""
        return _sequence(self.given[name], name) if name in self.given else ()

    def key(self, name: str) -> bytes | None:
        """Read one unit key."""
        return key_bytes(self.given[name]) if name in self.given else None

    def keys(self, name: str) -> list[bytes] | None:
        """Read an array of unit keys."""
        return key_list(self.given[name]) if name in self.given else None

    def states(self, name: str, call: Call) -> list[int] | None:
        """Read a status or an array of them; for 0.1.5's clients, available includes delayed."""
        value = self.given.get(name)
        if value is None:
            return None
        states = [_state(state) for state in _many(value)]
        if not call.greeted and AVAILABLE in states and DELAYED not in states:
            states.append(DELAYED)
        return states


def _many(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _state(value: object) -> int:
    if type(value) is not int or value not in STATUS_NAMES:
        raise ValueError(f"state {shown(value)} is none of {sorted(STATUS_NAMES)}")
    return value


def _require_number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        raise ValueError(f"{name} should be a number, not {shown(value)}")
    # An integer that no float holds would fail later, where it is added to a time.
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise ValueError(f"{name} is {shown(value)}, beyond the range of a float")


def _range(least: float, most: float) -> str:
    return f"{least:g} to {most:g}"


def _sequence(value: object, what: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{what} should be an array, not {shown(value)}")
    return value


def _unknown(named: Iterable[str], known: Iterable[str]) -> str:
    unknown = min(set(named) - set(known))
    return f"unknown option {unknown!r}, known are {', '.join(sorted(known))}"
