"""What counts as a number."""

from coordinate_server.model.errors import Refused

__all__ = ["check_number"]

# An integer that no float holds would fail later, where it is added to a time.
_MOST_BITS = 1023
# Whole numbers below this one need no closer look.
_SAFE = 2**63


def check_number(what: str, value: object, least: float | None = None) -> None:
    """Refuse what cannot be compared with other numbers, or is too small.

    Raises:
        Refused: the value is no number, or below ``least``.
    """
    if type(value) is int and -_SAFE < value < _SAFE and (least is None or value >= least):
        return
    if type(value) not in (int, float) or value != value:  # noqa: PLR0124 - NaN; math.isnan fails for huge integers
        raise Refused(f"{what} should be a number, not {value!r:.80}")
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise Refused(f"{what} is beyond the range of a float")
    if least is not None and value < least:  # type: ignore[operator]  # a number after the check above
        raise Refused(f"{what} should be at least {least}, not {value!r:.80}")
