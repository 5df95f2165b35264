"""Reading what a client sent to the server in memory."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from coordinate_protocol.codec import encode
from coordinate_protocol.constants import STATUS_NAMES
from coordinate_protocol.errors import shown
from coordinate_protocol.values import as_text, key_bytes, text_keys

__all__ = ["Options", "array", "encoded"]


def encoded(data: object) -> bytes:
    """A unit's data as they are kept."""
    return encode(text_keys(data))


def array(value: object, what: str) -> Sequence[Any]:
    """An array, as it came.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(value, list | tuple):
        raise ValueError(f"{what} should be an array, not {shown(value)}")
    return value


@frozen
class Options:
    """A map of options; None counts as left out.

    Args:
        given: those that are not None.
    """

    given: Mapping[str, Any]

    @classmethod
    def read(cls, given: object, known: Iterable[str]) -> "Options":
        """Take what a client sent.

        Args:
            given: the map, or None.
            known: the names there are.

        Raises:
            ValueError: for no map, or a name that is not known.
        """
        if not isinstance(given, Mapping | None):
            raise ValueError(f"options should be a map, not {shown(given)}")
        named = {as_text(name): value for name, value in (given or {}).items()}
        unknown = sorted(named.keys() - set(known))
        if unknown:
            right = ", ".join(sorted(known))
            raise ValueError(f"unknown option {unknown[0]!r}, known are {right}")
        return cls({name: value for name, value in named.items() if value is not None})

    def get(self, name: str, default: Any = None) -> Any:
        """What was given, as it came."""
        return self.given.get(name, default)

    def number(
        self, name: str, default: Any = None, least: float = -math.inf, most: float = math.inf
    ) -> Any:
        """A number within a range."""
        value = self.given.get(name, default)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise ValueError(f"{name} should be a number, not {shown(value)}")
        if not least <= value <= most:
            raise ValueError(f"{name} is {shown(value)}, out of the range {least:g} to {most:g}")
        return value

    def clamped(self, name: str, default: Any, least: float, most: float) -> Any:
        """A number that is moved into a range."""
        value = self.number(name, default)
        return None if value is None else min(max(value, least), most)

    def names(self, name: str) -> frozenset[str] | None:
        """A set of names; None where none was given."""
        if name not in self.given:
            return None
        return frozenset(as_text(one) for one in array(self.given[name], name))

    def keys(self) -> list[bytes] | None:
        """The option work_unit_keys."""
        if "work_unit_keys" not in self.given:
            return None
        return [key_bytes(key) for key in array(self.given["work_unit_keys"], "work_unit_keys")]

    def states(self) -> frozenset[int] | None:
        """The option state: one status or several."""
        value = self.given.get("state")
        if value is None:
            return None
        states = frozenset(value if isinstance(value, list | tuple) else [value])
        if not states <= set(STATUS_NAMES):
            raise ValueError(f"state {shown(value)} is none of {sorted(STATUS_NAMES)}")
        return states
