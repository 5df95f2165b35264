"""Telling the server how units ended, from an event loop; as `reports` does it from a thread."""

import logging

from coordinate_client import AsyncWorkUnit
from coordinate_client.exceptions import LostLease, OutcomeUnknown, RpcError
from coordinate_client.workers.running.endings import FAIL, RETRY, Ending, lost
from coordinate_client.workers.running.reports import GONE, refused

__all__ = ["tell"]

logger = logging.getLogger("coordinate_client.worker")


async def tell(unit: AsyncWorkUnit, ending: Ending) -> Ending:
    """Tell the server how a unit ended; what has become of it then.

    Raises:
        CoordinateException: that was not possible.
    """
    try:
        if ending.tell == RETRY:
            return await _released(unit, ending)
        if ending.tell == FAIL:
            return await _failed(unit, ending)
        return await _finished(unit, ending)
    except LostLease as error:
        return lost(str(error))


async def _finished(unit: AsyncWorkUnit, ending: Ending) -> Ending:
    try:
        if await unit.finish():
            return ending
    except OutcomeUnknown:
        raise
    except RpcError as error:
        return await _failed(unit, refused(error))
    return GONE


async def _failed(unit: AsyncWorkUnit, ending: Ending) -> Ending:
    try:
        if await unit.fail(ending.text):
            return ending
    except OutcomeUnknown:
        raise
    except RpcError as error:
        logger.warning("data are left out: %s", error.message, extra={"unit": unit})
    unit.restore()
    await unit.fail(ending.text)
    return ending


async def _released(unit: AsyncWorkUnit, ending: Ending) -> Ending:
    if not unit.can_be_sent():
        unit.restore()
    await unit.retry()
    return ending
