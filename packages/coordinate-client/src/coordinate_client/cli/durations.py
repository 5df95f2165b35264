"""Lengths of time for people."""

__all__ = ["duration"]

_UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def duration(seconds: float) -> str:
    """A length of time, as in ``0.5 s``, ``12 s``, ``3 min 20 s``, ``2 d 4 h``; not below 0."""
    left = max(0.0, seconds)
    if left < 9.95:  # noqa: PLR2004 - from there on, tenths tell nothing
        return f"{left:.1f} s"
    whole = round(left)
    for size, name, smaller, smaller_name in _UNITS:
        if whole >= size:
            rest = whole % size // smaller
            return (
                f"{whole // size} {name} {rest} {smaller_name}"
                if rest
                else f"{whole // size} {name}"
            )
    return f"{whole} s"
