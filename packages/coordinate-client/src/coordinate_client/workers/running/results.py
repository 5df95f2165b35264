"""What a unit's code has made, in the unit's data."""

import logging
from typing import Any

from coordinate_client.exceptions import ProgrammerError
from coordinate_client.units import encoded
from coordinate_client.workers.running.failures import PlainFailure
from coordinate_protocol.errors import EncodeError

__all__ = ["check", "keep_output", "put"]

logger = logging.getLogger("coordinate_client.worker")


def put(unit: Any, name: str, value: Any) -> bool:
    """Put something into a unit's data, where that is a map; whether it is."""
    if unit.data is None:
        unit.data = {}
    if not isinstance(unit.data, dict):
        logger.warning("the data is no map: it has no room for %r", name, extra={"unit": unit})
        return False
    unit.data[name] = value
    return True


def keep_output(unit: Any, value: Any) -> None:
    """Make a result the `output` in a unit's data.

    Raises:
        PlainFailure: it has no form on the wire, or the data is no map.
    """
    _check("the return value", value)
    if not put(unit, "output", value):
        raise PlainFailure("the data is no map: it has no room for the output")


def check(unit: Any) -> None:
    """Look whether a unit's data can be sent, and have them be sent as they are now.

    Raises:
        PlainFailure: it has no form on the wire.
    """
    try:
        unit.fix()
    except EncodeError as error:
        raise PlainFailure(f"the data: {error}") from error


def _check(what: str, value: Any) -> None:
    try:
        encoded(what, value)
    except ProgrammerError as error:
        raise PlainFailure(str(error)) from error
