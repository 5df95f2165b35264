"""What servers answer, as callers get it: names are text, also those of a Python 2 server."""

import logging
from collections.abc import Mapping
from typing import Any

from coordinate_client.exceptions import InvalidAnswer

__all__ = [
    "halves",
    "named",
    "pair",
    "readable",
    "readable_spec",
    "readable_unit",
    "says_no_spec",
    "says_not_owner",
    "split",
]

logger = logging.getLogger("coordinate_client")

_SPEC_NAMES = ("name", "then", "module", "run_function", "runtime", "desc")


def readable(value: Any) -> Any:
    """Text of bytes that are UTF-8; any other value as it is."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    return value


def named(value: Any, *names: str) -> Any:
    """A map whose values under some keys are made readable."""
    if not isinstance(value, Mapping):
        return value
    return {key: readable(found) if key in names else found for key, found in value.items()}


def readable_spec(spec: Any) -> Any:
    """A work spec whose names are text; None as it is."""
    return named(spec, *_SPEC_NAMES)


def readable_unit(unit: Any) -> tuple[Any, Any]:
    """A unit's key and data."""
    key, data = unit
    return readable(key), data


def pair(method: str, answer: Any, level: int = logging.DEBUG) -> Any:
    """The value of a (value, message) pair; the message is logged.

    The log record has the message alone as its `server_message`.

    Args:
        method: what was called.
        answer: its result.
        level: of the log record.

    Raises:
        InvalidAnswer: where the result is no pair.
    """
    value, message = halves(method, answer)
    if message:
        message = str(readable(message))
        logger.log(level, "%s: %s", method, message, extra={"server_message": message})
    return value


def split(method: str, answer: Any) -> tuple[Any, str | None]:
    """Both halves of a (value, message) pair.

    Raises:
        InvalidAnswer: where the result is no pair.
    """
    value, message = halves(method, answer)
    return value, None if message is None else str(readable(message))


def halves(method: str, answer: Any) -> tuple[Any, Any]:
    """Both halves of any pair, as they came.

    Raises:
        InvalidAnswer: where the result is no pair.
    """
    if not isinstance(answer, (list, tuple)) or len(answer) != 2:  # noqa: PLR2004 - a pair
        raise InvalidAnswer(f"{method} was answered with {answer!r:.200}: it must be a pair")
    return answer[0], answer[1]


def says_no_spec(message: str | None) -> bool:
    """Whether a message says that there is no such work spec."""
    return message is not None and message.startswith(("no such work_spec", "no such work spec"))


def says_not_owner(message: str | None) -> bool:
    """Whether a refused update means that the lease is gone, and not the unit or a limit."""
    return message is not None and not message.startswith("no such") and "(setting: " not in message
