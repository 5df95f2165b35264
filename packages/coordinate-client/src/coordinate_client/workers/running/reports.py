"""Telling the server how units ended."""

import logging
import os
from collections.abc import Callable
from threading import Thread

from coordinate_client import WorkUnit
from coordinate_client.exceptions import Cancelled, LostLease, OutcomeUnknown, RpcError
from coordinate_client.workers.running.endings import (
    FAIL,
    NOTHING,
    RETRY,
    Ending,
    failed_plainly,
    interrupted,
    lost,
)
from coordinate_client.workers.running.interruption import Interruption

__all__ = ["GONE", "end_process", "refused", "tell"]

logger = logging.getLogger("coordinate_client.worker")

# Seconds that the server has to hear of a unit before the process ends.
_LAST_WORDS = 5.0

GONE = lost("the server does not have the unit any more")
"""The end of a unit that was deleted while it ran."""


def tell(unit: WorkUnit, ending: Ending) -> Ending:
    """Tell the server how a unit ended; what has become of it then.

    Raises:
        CoordinateException: that was not possible.
    """
    try:
        if ending.tell == RETRY:
            return _released(unit, ending)
        if ending.tell == FAIL:
            return _failed(unit, ending)
        return _finished(unit, ending)
    except LostLease as error:
        return lost(str(error))


def _finished(unit: WorkUnit, ending: Ending) -> Ending:
    try:
        if unit.finish():
            return ending
    except OutcomeUnknown:
        raise
    except RpcError as error:
        return _failed(unit, refused(error))
    return GONE


def refused(error: RpcError) -> Ending:
    """The end of a unit that the server would not finish: its data may be more than it takes."""
    return failed_plainly(f"it ran well, and could not be finished: {error.message}")


def _failed(unit: WorkUnit, ending: Ending) -> Ending:
    try:
        if unit.fail(ending.text):
            return ending
    except OutcomeUnknown:
        raise
    except RpcError as error:
        logger.warning("data are left out: %s", error.message, extra={"unit": unit})
    unit.restore()
    unit.fail(ending.text)
    return ending


def _released(unit: WorkUnit, ending: Ending) -> Ending:
    if not unit.can_be_sent():
        unit.restore()
    unit.retry()
    return ending


def end_process(
    interruption: Interruption, snapshot: Callable[[], WorkUnit], why: Cancelled
) -> None:
    """Tell the server of a unit whose code does not end, and end the process.

    Args:
        interruption: knows whether the code has ended meanwhile.
        snapshot: gives the unit as the server has it.
        why: what the code was told.
    """
    if not interruption.runs:
        return
    logger.critical("its code does not end (%s): the process does", why)
    teller = Thread(target=lambda: _last_words(snapshot(), why), daemon=True)
    teller.start()
    # The code may have what it takes to speak with the server.
    teller.join(_LAST_WORDS)
    if interruption.runs:
        os._exit(1)


def _last_words(unit: WorkUnit, why: Cancelled) -> None:
    ending = interrupted(why, None)
    if ending.tell != NOTHING:
        tell(unit, ending)
