"""What a worker can do, before it is sent: how much memory it has, which specs and runtimes."""

from collections.abc import Iterable
from typing import Any

from coordinate_client.units import as_keys

__all__ = ["suitable", "whole"]


def suitable(
    available_gb: float | None,
    work_spec_names: Iterable[str] | None,
    runtimes: Iterable[str] | None,
) -> dict[str, Any]:
    """The options that say what work a worker can do.

    Args:
        available_gb: memory there is, or None.
        work_spec_names: one or several, or None for all.
        runtimes: one or several, or None for all.

    Raises:
        ValueError: for a memory that is not a number.
    """
    options: dict[str, Any] = {}
    if work_spec_names is not None:
        options["work_spec_names"] = as_keys(work_spec_names)
    if available_gb is not None:
        options["available_gb"] = _quantity("available_gb", available_gb)
    if runtimes is not None:
        options["runtimes"] = as_keys(runtimes)
    return options


def whole(name: str, value: Any) -> int:
    """A whole number.

    Args:
        name: what it is, for the error.
        value: what was given.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} {value!r} must be a whole number")
    return value


def _quantity(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{name} {value!r} must be a number")
    return value
