"""Telling the server what became of units, however long the server is away."""

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from coordinate_client import TaskMaster, WorkUnit
from coordinate_client.exceptions import CoordinateException
from coordinate_client.updates import UpdateResult

if TYPE_CHECKING:
    from coordinate_client.workers.current import AnyUnit

__all__ = ["finish", "give_back", "note_results", "said_of"]

logger = logging.getLogger("coordinate_client.worker")

# The seconds of a lease that says: anybody can have it now.
_OVER = -1.0


def finish(task_master: TaskMaster, units: Sequence[WorkUnit]) -> None:
    """Say that units are done.

    Raises:
        CoordinateException: where the server could not be told.
    """
    if units:
        note_results(units, task_master.finish_units(units))


def note_results(units: Iterable[WorkUnit], results: Iterable[UpdateResult]) -> None:
    """Look at what became of units that were to be finished.

    One that the server would not finish, because its data are too large for instance, is failed.
    """
    for unit, result in zip(units, results, strict=True):
        if result.done:
            continue
        if result.lost:
            logger.warning("lost the lease before it was told", extra=said_of(unit))
        else:
            logger.error("cannot be finished: %s", result.message, extra=said_of(unit))
            _fail(unit, f"it ran well, and could not be finished: {result.message}")


def _fail(unit: WorkUnit, reason: str) -> None:
    unit.data = {"traceback": reason}
    try:
        unit.fail()
    except CoordinateException as error:
        logger.warning("could not be failed: %s", error, extra=said_of(unit))


def give_back(task_master: TaskMaster, units: Sequence[WorkUnit]) -> None:
    """Let others have units that were not begun; where that fails, their leases run out."""
    if not units:
        return
    updates = [
        (unit.work_spec_name, unit.key, {"lease_time": _OVER, **_holder(unit)}) for unit in units
    ]
    try:
        task_master.update_work_units(updates)
    except CoordinateException as error:
        logger.warning("%d units could not be given back: %s", len(units), error)
    else:
        logger.info("gave %d units back that were not begun", len(units))


def _holder(unit: WorkUnit) -> dict[str, object]:
    attempt = {} if unit.attempt is None else {"attempt": unit.attempt}
    return {"worker_id": unit.worker_id, **attempt}


def said_of(unit: "AnyUnit") -> dict[str, object]:
    """What a log record says of a unit, as `extra`."""
    return {"unit": unit}
