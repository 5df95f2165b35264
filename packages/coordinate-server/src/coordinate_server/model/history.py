"""What is remembered of a unit besides how it is: its attempts, and why it is where it is."""

from attrs import define, field

from coordinate_server.model.calls import AttemptView

__all__ = ["ATTEMPTS_KEPT", "TRACEBACK_KEPT", "History"]

ATTEMPTS_KEPT = 100
"""How many attempts of a unit are remembered, the newest ones."""

TRACEBACK_KEPT = 8192
"""How many characters of an attempt's traceback are kept, the last ones."""


@define(eq=False)
class History:
    """The past of a unit that has one.

    Arguments:
        failures: how often it failed since it was added or taken up again.
        lost: how many leases it lost since then.
        reason: why the server failed it; None if it did not.
        culprit: the unit whose failure failed it, as people name it; None if it was its own.
        output_error: what of its output made no unit, or None.
        cancel: why whoever has it is to end it; None if they are not.
        attempts: its earlier hand-outs, oldest first; the last one is in the unit itself.
    """

    failures: int = 0
    lost: int = 0
    reason: str | None = None
    culprit: str | None = None
    output_error: str | None = None
    cancel: str | None = None
    attempts: list[AttemptView] = field(factory=list)

    def begin_anew(self) -> None:
        """Forget why it ended and how often it failed; attempts stay."""
        self.failures = self.lost = 0
        self.reason = self.culprit = self.output_error = None
