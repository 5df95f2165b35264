"""Modules from the configuration: ``server.modules: [{module, class}]``."""

import importlib
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any

from attrs import define, frozen

from coordinate_server.service.call import Call
from coordinate_server.service.offers import Offer

__all__ = ["Plugin", "PluginError", "PluginName", "in_threads", "load"]


class PluginError(Exception):
    """A plug-in cannot be used; the message is one line for the person who configured it."""


@frozen
class PluginName:
    """Where a plug-in's class is.

    Arguments:
        module: a module that can be imported.
        class_name: a class in it.
    """

    module: str
    class_name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.class_name}"


@define
class Plugin:
    """A plugged-in module: plain methods run in threads, async ones on the loop.

    Arguments:
        title: how an error names it.
        instance: the object of its class.
        run: runs a plain function in a thread; gives an awaitable of its result.
    """

    title: str
    instance: object
    run: Callable[[Callable[[], Any]], Awaitable[Any]]

    def offers(self) -> dict[str, Offer]:
        """Its operations by name: those it declares, or else the public methods of its class."""
        named = getattr(self.instance, "operations", None)
        names = _declared(named, self.title) if named is not None else _public(type(self.instance))
        return {name: self._offer(name) for name in names}

    def _offer(self, name: str) -> Offer:
        if name.startswith("_") or not _is_method(type(self.instance), name):
            raise PluginError(f"plug-in {self.title}: operation {name!r} is not a public method")
        method = getattr(self.instance, name)
        function = (
            _Coroutine(method) if inspect.iscoroutinefunction(method) else _Plain(method, self.run)
        )
        return Offer(name, function, None, inspect.signature(method), 0, -1)


@frozen
class _Coroutine:
    method: Callable[..., Awaitable[Any]]

    def __call__(self, call: Call, *args: Any, **kwargs: Any) -> Awaitable[Any]:
        del call
        return self.method(*args, **kwargs)


@frozen
class _Plain:
    method: Callable[..., Any]
    run: Callable[[Callable[[], Any]], Awaitable[Any]]

    def __call__(self, call: Call, *args: Any, **kwargs: Any) -> Awaitable[Any]:
        del call
        return self.run(partial(self.method, *args, **kwargs))


def load(
    name: PluginName,
    offered: Mapping[str, Callable[[], object]],
    run: Callable[[Callable[[], Any]], Awaitable[Any]],
) -> Plugin:
    """Import a plug-in's class and make its object.

    Arguments:
        name: where the class is.
        offered: what its ``__init__`` may ask for by name (``clock``, ``area``, ``config``), each
            made only if it does. A class of 0.1.5's time asks for nothing and is called so.
        run: runs plain methods.

    Raises:
        PluginError: no such module or class, or it cannot be made.
    """
    made = _class(name)
    try:
        arguments = {key: offered[key]() for key in _asked(made) if key in offered}
        instance = made(**arguments)
    except (Exception, SystemExit) as error:
        raise PluginError(f"plug-in {name}: cannot be made: {error!r}") from error
    return Plugin(str(name), instance, run)


def in_threads(loop: Any, executor: Executor) -> Callable[[Callable[[], Any]], Awaitable[Any]]:
    """Give what runs plain methods in an executor's threads."""
    return partial(loop.run_in_executor, executor)


def _class(name: PluginName) -> type:
    try:
        found = getattr(importlib.import_module(name.module), name.class_name)
    except (Exception, SystemExit) as error:
        raise PluginError(f"plug-in {name}: cannot be imported: {error!r}") from error
    if not inspect.isclass(found):
        raise PluginError(f"plug-in {name}: {name.class_name!r} is not a class")
    return found


def _asked(made: type) -> Iterable[str]:
    try:
        parameters = inspect.signature(made).parameters.values()
    except ValueError:
        return ()
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]


def _declared(named: object, title: str) -> list[str]:
    if isinstance(named, str) or not isinstance(named, Iterable):
        raise PluginError(f"plug-in {title}: operations should be names, not {named!r}")
    names = list(named)
    if not all(isinstance(name, str) for name in names):
        raise PluginError(f"plug-in {title}: operations should be names, not {named!r}")
    return names


def _public(made: type) -> list[str]:
    return [name for name in dir(made) if not name.startswith("_") and _is_method(made, name)]


def _is_method(made: type, name: str) -> bool:
    found = inspect.getattr_static(made, name, None)
    return inspect.isfunction(found) or isinstance(found, classmethod)
