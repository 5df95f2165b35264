"""What a test is told: what became of units that were run, and how a unit is."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

__all__ = ["RanUnit", "UnitState"]


@frozen
class RanUnit:
    """What became of a unit that was run.

    Args:
        work_spec_name: the spec it is of.
        key: its name within the spec.
        outcome: "finished", "failed", "lost", "released" or "cancelled", as for a worker.
        reason: why, in a line; None where it finished.
        data: its data as its code left them.
    """

    work_spec_name: str
    key: str | bytes
    outcome: str
    reason: str | None
    data: Any


@frozen
class UnitState:
    """How a unit is.

    Args:
        status: "available", "blocked", "pending", "finished", "failed" or "delayed".
        data: its data.
        attempts: its hand-outs, oldest first, as `get_work_unit_attempts` gives them.
        details: all else that `get_work_unit_status` says, by its names.
    """

    status: str
    data: Any
    attempts: tuple[Mapping[str, Any], ...]
    details: Mapping[str, Any]

    @property
    def traceback(self) -> str | None:
        """The traceback that it failed with; None where it did not."""
        return self.details.get("traceback")

    @property
    def reason(self) -> str | None:
        """Why the server failed it; None where it did not."""
        return self.details.get("reason")

    @property
    def failures(self) -> int:
        """How often it failed since it was added."""
        return int(self.details.get("failures", 0))
