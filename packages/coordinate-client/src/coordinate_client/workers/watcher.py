"""What those who watch a worker are told about the units that it runs."""

from typing import Any

from coordinate_client import WorkUnit

__all__ = ["Watcher"]


class Watcher:
    """Is told what happens to units; this one does nothing about it."""

    def began(self, unit: WorkUnit, limit: float | None) -> None:
        """A unit begins.

        Args:
            unit: which.
            limit: seconds that it may run for; None for as long as it takes.
        """

    def renewed(self, unit: WorkUnit) -> None:
        """The lease on the unit that runs was renewed."""

    def progressed(self, unit: WorkUnit, progress: Any) -> None:
        """The unit that runs said how far it is: a number from 0 to 1, a text, or a map."""

    def ended(self, unit: WorkUnit) -> None:
        """A unit has ended, whichever way; whether that was told to the server is not said."""
