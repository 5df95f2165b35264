"""The unit that runs now, for log lines that are written meanwhile."""

from contextvars import ContextVar
from typing import TYPE_CHECKING

from coordinate_client import WorkUnit

if TYPE_CHECKING:
    from coordinate_client import AsyncWorkUnit

    AnyUnit = WorkUnit | AsyncWorkUnit

__all__ = ["CURRENT"]

CURRENT: "ContextVar[AnyUnit | None]" = ContextVar("coordinate_unit", default=None)
"""The unit that runs in this thread or task; None while none does."""
