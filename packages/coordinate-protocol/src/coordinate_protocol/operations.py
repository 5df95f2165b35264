"""What an operation is: its parameters, its result, who may call it, and how a call binds to it."""

from collections.abc import Iterator
from typing import Any, Literal

from attrs import field, frozen

from coordinate_protocol.errors import ParameterError, shown

__all__ = ["Access", "Operation", "Parameter", "Room", "Service", "Since"]

Access = Literal["read", "work", "submit", "admin"]
Service = Literal["jobs", "locks", "server"]
Since = Literal["0.1.5", "1.0"]
Room = Literal["adds", "keeps", "frees"]


@frozen
class Parameter:
    """One parameter of an operation.

    Args:
        name: what a call by keyword names it.
        type: its type on the wire, in words.
        required: whether a call must give it.
        doc: what it means.
    """

    name: str
    type: str
    required: bool
    doc: str


@frozen
class Operation:
    """A method that may be called.

    Args:
        name: its name on the wire.
        service: what offers it: the job queue, the locks, or the server itself.
        parameters: in positional order, required ones first.
        result: its result in words; ( ) is a tuple (tag 128), [ ] an array, { } a map.
        access: the least that a caller must be allowed to: read, work, submit, or admin.
        changes: whether it changes anything that outlives the connection.
        since: the first version whose servers offer it.
        doc: what it does.
        room: what it does to the room on the server's disk. One that adds work is refused when
            there is little; when there is next to none, only those that free some are done.
    """

    name: str
    service: Service
    parameters: tuple[Parameter, ...]
    result: str
    access: Access
    changes: bool
    since: Since
    doc: str
    room: Room = "keeps"
    _names: frozenset[str] = field(init=False, repr=False, eq=False)
    _required: tuple[str, ...] = field(init=False, repr=False, eq=False)

    @_names.default
    def _all_names(self) -> frozenset[str]:
        return frozenset(parameter.name for parameter in self.parameters)

    @_required.default
    def _required_names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters if parameter.required)

    def bind(self, params: list[Any] | dict[str, Any]) -> dict[str, Any]:
        """The parameters by name.

        Args:
            params: positional as a list, by keyword as a dict with text keys.

        Returns:
            What was given, under the parameters' names; an optional one that was not is absent.

        Raises:
            ParameterError: (a TypeError) for one missing, one unknown, or too many.
        """
        if isinstance(params, dict):
            bound = params
            for unknown in self._unknown(params):
                raise ParameterError(f"{self.name}: unknown parameter {shown(unknown)}")
        else:
            bound = self._by_position(params)
        for name in self._required:
            if name not in bound:
                raise ParameterError(f"{self.name}: missing parameter {name!r}")
        return bound

    def _unknown(self, params: dict[str, Any]) -> Iterator[str]:
        return (name for name in params if name not in self._names)

    def _by_position(self, params: list[Any]) -> dict[str, Any]:
        if len(params) > len(self.parameters):
            most = len(self.parameters)
            raise ParameterError(
                f"{self.name}: {len(params)} parameters given but at most {most} taken"
            )
        return {
            parameter.name: value for parameter, value in zip(self.parameters, params, strict=False)
        }
