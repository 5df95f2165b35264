"""What code yields: how far it is."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Progress", "Tell"]

logger = logging.getLogger("coordinate_client.worker")

Tell = Callable[[Any, Any], object]


class Progress:
    """Passes on how far one unit is."""

    __slots__ = ("_tell", "_unit", "_warned")

    def __init__(self, unit: Any, tell: Tell | None) -> None:
        """Begin.

        Args:
            unit: which.
            tell: is called with it and with a number from 0 to 1, a text, or a map; None where
                nobody wants to know.
        """
        self._unit = unit
        self._tell = tell
        self._warned = False

    def __call__(self, value: Any) -> None:
        """Pass on what was yielded; None says nothing, and other values are logged once."""
        if value is None or self._tell is None:
            return
        if not _is_progress(value):
            self._warn(value)
            return
        try:
            self._tell(self._unit, value)
        except Exception:
            # It is told for those who watch: the unit itself goes on.
            logger.exception("progress could not be told", extra={"unit": self._unit})

    def _warn(self, value: Any) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "%.200r is no progress: it must be a number from 0 to 1, a text or a map",
                value,
                extra={"unit": self._unit},
            )


def _is_progress(value: Any) -> bool:
    if isinstance(value, (int, float)):
        return not isinstance(value, bool) and 0 <= value <= 1
    return isinstance(value, (str, Mapping))
