"""A work spec's run function: finding it, and calling it."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from coordinate_client.exceptions import ProgrammerError

__all__ = ["call_run_function", "run_function", "run_names", "run_params"]


def call_run_function(unit: Any, spec: Mapping[str, Any]) -> Any:
    """Import a spec's `module` and call its `run_function` with the unit and the `run_params`.

    Args:
        unit: the first argument.
        spec: `run_params` may be a list, for arguments by position, or a map, for those by name.

    Returns:
        What the function returns.

    Raises:
        ProgrammerError: where the spec does not say what to run.
        ImportError: where there is no such module.
        AttributeError: where there is no such function in it.
    """
    function = run_function(*run_names(spec))
    args, kwargs = run_params(spec)
    return function(unit, *args, **kwargs)


def run_names(spec: Mapping[str, Any]) -> tuple[str, str]:
    """The names of a spec's module, and of the function in it.

    Raises:
        ProgrammerError: where the spec does not say them.
    """
    return _named(spec, "module"), _named(spec, "run_function")


def run_function(module: str, name: str) -> Callable[..., Any]:
    """Import a module, and find a function in it.

    Raises:
        ImportError: where there is no such module.
        AttributeError: where there is no such function in it.
    """
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def run_params(spec: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments that follow the unit, by position and by name.

    Raises:
        ProgrammerError: for anything but a list or a map.
    """
    params = spec.get("run_params")
    if params is None:
        return (), {}
    if isinstance(params, Mapping):
        return (), dict(params)
    if isinstance(params, (list, tuple)):
        return tuple(params), {}
    raise ProgrammerError(f"run_params {params!r} must be a list or a map")


def _named(spec: Mapping[str, Any], key: str) -> str:
    name = spec.get(key)
    if not isinstance(name, str) or not name:
        raise ProgrammerError(f"work spec {spec.get('name')!r} has no {key!r}: nothing can be run")
    return name
