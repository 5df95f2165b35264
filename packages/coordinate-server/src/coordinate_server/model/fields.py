"""Reading the fields of a map that somebody wrote, each with what would be right in its place."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from coordinate_protocol.errors import shown
from coordinate_server.model.errors import Refused

__all__ = ["Fields"]

_LONGEST = 1 << 40


@frozen
class Fields:
    """Reads single fields; a field with None counts as left out. 0.1.5 also took numbers as text.

    Arguments:
        given: the map.
        whose: what it is, for errors.
    """

    given: Mapping[str, Any]
    whose: str

    def text(self, field: str) -> str | None:
        """Read a text; an empty one counts as none."""
        value = self.given.get(field)
        if value is not None and not isinstance(value, str):
            raise self.refused(field, "text")
        return value or None

    def one_of(self, field: str, known: tuple[str, ...]) -> str:
        """Read one of several texts, the first of which holds where there is none."""
        value = self.text(field)
        if value is not None and value not in known:
            raise self.refused(field, " or ".join(known))
        return value or known[0]

    def texts(self, field: str) -> frozenset[str]:
        """Read an array of texts."""
        value = self.given.get(field)
        if value is None:
            return frozenset()
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise self.refused(field, "an array of names")
        return frozenset(value)

    def part(self, field: str) -> "Fields | None":
        """Read a map inside the map."""
        value = self.given.get(field)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.refused(field, "a map")
        return Fields(value, f"{field} of {self.whose}")

    def number(self, field: str, least: float | None, most: float | None = None) -> float | None:
        """Read a number within a range."""
        value = self.given.get(field)
        if value is None:
            return None
        try:
            number = float(value)
            number = value if type(value) in (int, float) else number
        except (TypeError, ValueError, OverflowError):
            raise self.refused(field, "a number") from None
        if number != number or (least is not None and number < least):  # noqa: PLR0124 - NaN
            raise self.refused(field, "a number" if least is None else f"at least {least}")
        if most is not None and number > most:
            raise self.refused(field, f"at most {most}")
        return number

    def number_or(self, field: str, default: float, least: float, most: float = _LONGEST) -> float:
        """Read a number within a range; the default where there is none."""
        number = self.number(field, least, most)
        return default if number is None else number

    def whole(self, field: str, least: int, most: int | None = None) -> int | None:
        """Read a whole number within a range; a fraction is cut off, as 0.1.5 does."""
        number = self.number(field, least, most)
        if number is None:
            return None
        if number == float("inf"):
            raise self.refused(field, "a whole number")
        return int(number)

    def flag(self, field: str, *, default: bool) -> bool:
        """Read a yes or no, which 0.1.5's files also say by number."""
        value = self.given.get(field)
        return default if value is None else bool(value)

    def refused(self, field: str, right: str) -> Refused:
        """Give the error for a field, saying what would be right."""
        value = self.given[field]
        return Refused(f"{field} of {self.whose} should be {right}, not {shown(value)}")
