"""Why something does not run: a code for programs, a text for people, and what it is about."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

__all__ = ["Reason", "are", "units"]


@frozen
class Reason:
    """One reason.

    Arguments:
        code: what kind it is.
        text: one sentence.
        details: the numbers and names in it.
    """

    code: str
    text: str
    details: Mapping[str, Any] = field(factory=dict)


def units(number: int) -> str:
    """Say how many units: ``1 unit``, ``1,204 units``."""
    return "1 unit" if number == 1 else f"{number:,} units"


def are(number: int) -> str:
    """Say ``is`` of one, ``are`` of others."""
    return "is" if number == 1 else "are"
