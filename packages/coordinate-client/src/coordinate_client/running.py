"""A work spec's run function: finding it, and calling it."""

import importlib
from collections.abc import Mapping
from typing import Any

from coordinate_client.exceptions import ProgrammerError

__all__ = ["call_run_function"]


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
    function = getattr(
        importlib.import_module(_named(spec, "module")), _named(spec, "run_function")
    )
    params = spec.get("run_params")
    if isinstance(params, Mapping):
        return function(unit, **params)
    if isinstance(params, (list, tuple)):
        return function(unit, *params)
    if params is not None:
        raise ProgrammerError(f"run_params {params!r} must be a list or a map")
    return function(unit)


def _named(spec: Mapping[str, Any], key: str) -> str:
    name = spec.get(key)
    if not isinstance(name, str) or not name:
        raise ProgrammerError(f"work spec {spec.get('name')!r} has no {key!r}: nothing can be run")
    return name
