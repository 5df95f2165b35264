"""What became of a unit that was run."""

from attrs import define

__all__ = ["CANCELLED", "FAILED", "FINISHED", "LOST", "RELEASED", "Ran"]

FINISHED = "finished"
FAILED = "failed"
LOST = "lost"
RELEASED = "released"
CANCELLED = "cancelled"


@define
class Ran:
    """What became of a unit that was run.

    Args:
        outcome: "finished"; "failed", by its code or as it ran for too long; "lost", where it is
            another worker's or nobody's by now; "released", where it was given back unended;
            "cancelled", where somebody asked for its end.
        reason: why, in a line; None where it finished.
        seconds: how long it took.
    """

    outcome: str
    reason: str | None = None
    seconds: float = 0.0
