"""Tracebacks of users' code, as they are kept in a unit's data."""

import traceback
from types import TracebackType

__all__ = ["one_line", "traceback_text"]

_OURS = (
    "coordinate_client.running.",
    "coordinate_client.workers.running.",
    "importlib.",
    "asyncio.",
    "concurrent.futures.",
)
# What a repr of megabytes in a message would do to every list of failed units.
_MOST = 65536
_LINE = 500


def traceback_text(error: BaseException) -> str:
    """The traceback of an error, from the first frame that is the user's on.

    Where it is longer than 64 KiB, its middle is left out.
    """
    shown = traceback.TracebackException(type(error), error, _users_part(error.__traceback__))
    text = "".join(shown.format())
    if len(text) <= _MOST:
        return text
    half = _MOST // 2
    return f"{text[:half]}\n[{len(text) - _MOST} characters left out]\n{text[-half:]}"


def one_line(error: BaseException) -> str:
    """The kind of an error and the first line of what it says."""
    try:
        said = str(error).split("\n", 1)[0][:_LINE]
    except Exception:  # noqa: BLE001 - it is the user's code that says it
        said = ""
    kind = type(error).__name__
    return f"{kind}: {said}" if said else kind


def _users_part(found: TracebackType | None) -> TracebackType | None:
    """The rest of a traceback, after what leads to the user's code."""
    while found is not None and _is_ours(found):
        found = found.tb_next
    return found


def _is_ours(found: TracebackType) -> bool:
    name = found.tb_frame.f_globals.get("__name__", "")
    return f"{name}.".startswith(_OURS)
