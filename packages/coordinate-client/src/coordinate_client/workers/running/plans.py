"""What is to be done for the units of a spec: read from the spec once, not for every unit."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import define, field

from coordinate_client.exceptions import ProgrammerError
from coordinate_client.running import run_function, run_names, run_params
from coordinate_client.workers.running.allowed import (
    check_commands,
    check_function,
    check_module,
)
from coordinate_client.workers.running.settings import RunnerSettings

__all__ = ["Plan", "Plans"]

# Specs are fetched anew from time to time, and each time they are other maps.
_MOST = 256
_RETURN = "return"
_STDOUT = "stdout"


@define(eq=False)
class Plan:
    """What is to be done for the units of a spec.

    Args:
        spec: which; its `name` may be missing.
        limit: seconds that a unit may run for; None for as long as it takes.
        allowed: modules that functions may come from; None for all.
        command: a command and its arguments; None for a function.
        names: the names of the function's module and of the function; None for a command.
        args: what follows the unit, by position.
        kwargs: what follows the unit, by name.
        keeps: whether the result becomes the `output` in the unit's data.
        config: the configuration of the unit's code; None for that of the worker.
        is_profiled: whether its units are profiled.
        function: what is called; None until it is loaded.
        is_async: whether it runs in an event loop.
    """

    spec: Mapping[str, Any]
    limit: float | None
    allowed: tuple[str, ...] | None
    command: tuple[str, ...] | None
    names: tuple[str, str] | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    keeps: bool
    config: Mapping[str, Any] | None
    is_profiled: bool
    function: Callable[..., Any] | None = None
    is_async: bool = False

    @classmethod
    def of(cls, spec: Mapping[str, Any], settings: RunnerSettings) -> "Plan":
        """Read a spec; nothing is imported yet.

        Args:
            spec: as the server has it.
            settings: what is allowed.

        Raises:
            ProgrammerError: it does not say what to run, or what it says is not allowed.
        """
        command = _command(spec)
        names = None if command else run_names(spec)
        if names is None:
            check_commands(settings.allow_commands)
        else:
            check_module(names[0], settings.allow_modules)
        args, kwargs = ((), {}) if command else run_params(spec)
        return cls(
            spec,
            _limit(spec, settings.max_runtime),
            settings.allow_modules,
            command,
            names,
            args,
            kwargs,
            spec.get("output") == (_STDOUT if command else _RETURN),
            _config(spec),
            spec.get("name") in settings.profile.work_specs,
        )

    def load(self) -> Callable[..., Any]:
        """Import the function's module, whose code is the user's, and find the function.

        Raises:
            ProgrammerError: there is none, or it is nothing that can be called, or that is allowed.
            ImportError: there is no such module.
            AttributeError: there is no such function in it.
        """
        if self.names is None:
            raise ProgrammerError(f"work spec {self.spec.get('name')!r} has no function")
        module, name = self.names
        function = run_function(module, name)
        if not callable(function):
            raise ProgrammerError(f"{name!r} of {module!r} is {function!r}: it cannot be called")
        check_function(function, name, module, self.allowed)
        self.is_async = _is_async(function)
        self.function = function
        return function


def _command(spec: Mapping[str, Any]) -> tuple[str, ...] | None:
    command = spec.get("command")
    if command is None:
        return None
    if spec.get("module") is not None:
        raise ProgrammerError(
            f"work spec {spec.get('name')!r} has a 'module' and a 'command': it must have one"
        )
    texts = isinstance(command, (list, tuple)) and all(isinstance(one, str) for one in command)
    if not texts or not command:
        raise ProgrammerError(f"command {command!r} must be a list of texts, the program first")
    return tuple(command)


def _limit(spec: Mapping[str, Any], default: float | None) -> float | None:
    limit = spec.get("max_runtime")
    if limit is None:
        return default
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not limit > 0:
        raise ProgrammerError(f"max_runtime {limit!r} must be a number of seconds above 0")
    return float(limit)


def _config(spec: Mapping[str, Any]) -> Mapping[str, Any] | None:
    config = spec.get("config")
    if not config:
        return None
    if not isinstance(config, Mapping):
        raise ProgrammerError(f"config {config!r:.200} must be a map")
    return config


def _is_async(function: Any) -> bool:
    while isinstance(function, partial):
        function = function.func
    called = function if inspect.isroutine(function) else getattr(function, "__call__", None)  # noqa: B004 - its code is wanted, not whether it can be called
    return any(
        inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one)
        for one in (function, called)
    )


@define
class Plans:
    """The plans of the specs that came lately.

    Args:
        settings: what is allowed.
    """

    settings: RunnerSettings
    _known: dict[int, Plan] = field(factory=dict, init=False)

    def of(self, spec: Mapping[str, Any]) -> Plan:
        """The plan of a spec; the same for the same map, which must not be changed.

        Raises:
            ProgrammerError: as for `Plan.of`.
        """
        found = self._known.get(id(spec))
        # A plan keeps its spec, so that the id is not another's.
        if found is not None and found.spec is spec:
            return found
        if len(self._known) >= _MOST:
            self._known.clear()
        plan = self._known[id(spec)] = Plan.of(spec, self.settings)
        return plan

    def limit(self, spec: Mapping[str, Any]) -> float | None:
        """Seconds that a unit of a spec may run for; None for as long as it takes."""
        try:
            return self.of(spec).limit
        except ProgrammerError:
            # It will not run at all.
            return self.settings.max_runtime
