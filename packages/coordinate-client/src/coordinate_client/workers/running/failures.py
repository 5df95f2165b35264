"""Failures of units that no traceback explains."""

__all__ = ["PlainFailure"]


class PlainFailure(Exception):
    """A unit cannot be finished, and the reason says it all.

    Attributes:
        text: what is kept in the unit's data: the reason, and what belongs to it.
    """

    def __init__(self, reason: str, text: str | None = None) -> None:
        """Take both.

        Args:
            reason: why, in a line.
            text: the reason with all that is to be kept; None for the reason alone.
        """
        super().__init__(reason)
        self.text = reason if text is None else text
