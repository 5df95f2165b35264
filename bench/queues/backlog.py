"""What a server has in its journal and must still write to its rows."""

import time
from typing import Final

from queues.messages import Messages

__all__ = ["backlog", "rows_written", "settled"]

_POLL_SECONDS: Final = 0.05
_LONGEST: Final = 600.0


def backlog(messages: Messages) -> int:
    """How many rows wait."""
    rows: int = messages.call("hello", {"protocol": [1], "backlog": True})["backlog"]
    return rows


def rows_written(place: tuple[str, int]) -> None:
    """Wait until a server has written all; see `settled`."""
    with Messages(place) as messages:
        settled(messages)


def settled(messages: Messages) -> None:
    """Wait until none does.

    Raises:
        RuntimeError: some still do after a long time.
    """
    end = time.monotonic() + _LONGEST
    while backlog(messages):
        if time.monotonic() > end:
            raise RuntimeError(f"the backlog is not written after {_LONGEST:g} s")
        time.sleep(_POLL_SECONDS)
