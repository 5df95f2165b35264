"""What a worker may run: modules by their prefixes, commands at all."""

import logging
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

from coordinate_client.exceptions import ProgrammerError

__all__ = ["NotAllowed", "check_commands", "check_function", "check_module", "say_once"]

logger = logging.getLogger("coordinate_client.worker")

_said = count()


class NotAllowed(ProgrammerError):
    """A spec asks for what this worker does not run."""


def say_once() -> None:
    """Say that all is allowed, the first time in a process and those that are forked from it."""
    if next(_said) == 0:
        logger.info("allow_modules is not set: functions of every module may be run")


def check_module(name: str, allowed: tuple[str, ...] | None) -> None:
    """Refuse a module before it is imported.

    Args:
        name: the module's.
        allowed: modules that are allowed with all that is below them; None for all.

    Raises:
        NotAllowed: it is outside of them.
    """
    if not _covers(allowed, name):
        raise NotAllowed(f"module {name!r} is not allowed: {_listed(allowed)}")


def check_function(
    function: Callable[..., Any], name: str, module: str, allowed: tuple[str, ...] | None
) -> None:
    """Refuse a function that an allowed module only hands on, such as `os.system`.

    Args:
        function: what is to be called.
        name: what it is called in the spec.
        module: where it was looked up.
        allowed: as for `check_module`.

    Raises:
        NotAllowed: it comes from a module outside of them.
    """
    origin = _origin(function)
    if not _covers(allowed, origin):
        raise NotAllowed(
            f"{name!r} of {module!r} comes from module {origin!r}, which is not allowed: "
            f"{_listed(allowed)}"
        )


def check_commands(allowed: bool) -> None:
    """Refuse commands where they are not allowed.

    Raises:
        NotAllowed: they are not.
    """
    if not allowed:
        raise NotAllowed("commands are not allowed: allow_commands is false")


def _covers(allowed: tuple[str, ...] | None, name: Any) -> bool:
    if allowed is None:
        return True
    if not isinstance(name, str):
        return False
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed)


def _origin(function: Any) -> Any:
    """The module that the code of a callable is of; None where that cannot be known."""
    while isinstance(function, partial):
        function = function.func
    bound = getattr(function, "__func__", function)
    # An object that can be called has the module of its class.
    return getattr(bound, "__module__", None)


def _listed(allowed: tuple[str, ...] | None) -> str:
    return f"allow_modules has {', '.join(allowed or ()) or 'nothing'}"
