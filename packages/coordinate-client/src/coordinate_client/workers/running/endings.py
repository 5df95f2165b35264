"""What follows from how a unit's code ended: a decision, without doing it."""

from attrs import frozen

from coordinate_client.exceptions import Cancelled, LeaseLost, RunTimeExceeded
from coordinate_client.workers.running.allowed import NotAllowed
from coordinate_client.workers.running.failures import PlainFailure
from coordinate_client.workers.running.ran import CANCELLED, FAILED, FINISHED, LOST, RELEASED
from coordinate_client.workers.running.tracebacks import one_line, traceback_text

__all__ = [
    "EXPIRED",
    "FAIL",
    "FINISH",
    "LOSE",
    "NOTHING",
    "RETRY",
    "STOPPED",
    "WELL",
    "Ending",
    "cancelled_by",
    "failed",
    "failed_plainly",
    "interrupted",
    "lost",
    "told_already",
]

STOPPED = "stopped"
"""Asked for by a worker that stops: the unit is given back."""
EXPIRED = "job expired"
"""Asked for by a parent that tells the server itself."""
LOSE = "lost"
"""Asked for where the unit is another worker's, or nobody's."""

NOTHING = "nothing"
FINISH = "finish"
FAIL = "fail"
RETRY = "retry"


@frozen
class Ending:
    """What became of a unit, and what the server is to be told.

    Args:
        outcome: as in `Ran`.
        reason: as in `Ran`.
        tell: NOTHING, FINISH, FAIL or RETRY.
        text: what a unit is failed with.
    """

    outcome: str
    reason: str | None
    tell: str
    text: str = ""


WELL = Ending(FINISHED, None, FINISH)


def cancelled_by(reason: str) -> Cancelled:
    """What is raised in the code of a unit that is to end for a reason."""
    return LeaseLost("lost the lease") if reason == LOSE else Cancelled(reason)


def interrupted(why: Cancelled, error: BaseException | None) -> Ending:
    """The end of code that was told to end.

    Args:
        why: what it was told.
        error: how it ended; None where it returned.
    """
    reason = str(why)
    if isinstance(why, LeaseLost):
        return lost(reason)
    if isinstance(why, RunTimeExceeded):
        where = "" if error is None else f"\n\n{traceback_text(error)}"
        return Ending(FAILED, reason, FAIL, f"{reason}{where}")
    if reason == STOPPED:
        return Ending(RELEASED, reason, RETRY)
    if reason == EXPIRED:
        return Ending(CANCELLED, reason, NOTHING)
    return Ending(CANCELLED, reason, FAIL, reason)


def failed(error: BaseException) -> Ending:
    """The end of code that raised something."""
    if isinstance(error, PlainFailure):
        return Ending(FAILED, str(error), FAIL, error.text)
    if isinstance(error, NotAllowed):
        return failed_plainly(str(error))
    return Ending(FAILED, one_line(error), FAIL, traceback_text(error))


def failed_plainly(reason: str) -> Ending:
    """The end of a unit that cannot be run, or finished, for a reason that says it all."""
    return Ending(FAILED, reason, FAIL, reason)


def lost(reason: str) -> Ending:
    """The end of a unit that is another worker's, or nobody's."""
    return Ending(LOST, reason, NOTHING)


def told_already(outcome: str, error: BaseException | None) -> Ending:
    """The end of a unit whose code has told the server itself.

    Args:
        outcome: what it told.
        error: what the code raised after that.
    """
    return Ending(outcome, None if error is None else one_line(error), NOTHING)
