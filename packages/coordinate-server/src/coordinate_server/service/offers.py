"""How a module of the server says which operations it offers."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from attrs import frozen

from coordinate_protocol.catalogue import CATALOGUE, Operation

__all__ = ["Module", "Offer", "declared"]


@frozen
class Offer:
    """One operation as a module offers it.

    Arguments:
        name: the method's name on the wire.
        function: called with the ``Call`` and the parameters in their order; gives the result, or
            an awaitable of it.
        operation: what the catalogue says of it; None for a plug-in's.
        signature: of a plug-in's method, what parameters are bound to.
        least: how many parameters it needs.
        most: how many it takes, where they need no binding; below 0 for a plug-in's, which do.
        changes: whether it may change what outlives the connection.
    """

    name: str
    function: Callable[..., Any]
    operation: Operation | None
    signature: inspect.Signature | None
    least: int
    most: int
    changes: bool = True


class Module(Protocol):
    """What ``MultiBackendProxyObject`` is made of."""

    @property
    def title(self) -> str:
        """How an error names it."""

    def offers(self) -> Mapping[str, Offer]:
        """Its operations by name."""


def declared(module: object, service: str) -> dict[str, Offer]:
    """Match a module's methods with the operations of the catalogue that are of its service.

    Arguments:
        module: has a method of the same name, call first, for each.
        service: ``jobs`` or ``server``.

    Returns:
        An offer for each operation of that service.
    """
    return {
        name: _offer(operation, getattr(module, name))
        for name, operation in CATALOGUE.items()
        if operation.service == service
    }


def _offer(operation: Operation, function: Callable[..., Any]) -> Offer:
    parameters = operation.parameters
    least = sum(1 for parameter in parameters if parameter.required)
    most, changes = len(parameters), operation.changes
    return Offer(operation.name, function, operation, None, least, most, changes)
