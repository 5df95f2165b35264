"""A call, from when it is made until its answer is there, over however many connections."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field

from coordinate_client.server import Server
from coordinate_client.waits import Wait
from coordinate_protocol.catalogue import CATALOGUE

__all__ = ["Call", "Params", "ParamsFor"]

Params = Sequence[Any] | Mapping[str, Any]
ParamsFor = Callable[[Server | None], Params]


@define(eq=False)
class Call:
    """One call.

    Args:
        method: the operation's name.
        params_for: its parameters, by position or by name, for the server that is asked.
        wait: how long the server may keep the answer back on purpose; None for a call that is
            answered at once.
        until: when to give up, on the client's clock; infinity for when the settings say.
        retries: how many rounds over all addresses follow the first; None for the setting's.

    Attributes:
        seq: its number within the session; None until it was sent with one.
    """

    method: str
    params_for: ParamsFor
    wait: Wait | None = None
    until: float = math.inf
    retries: int | None = None
    seq: int | None = field(default=None, init=False)

    @property
    def changes(self) -> bool:
        """Whether the call must not be done twice; what only a plug-in knows, may change things."""
        operation = CATALOGUE.get(self.method)
        return operation is None or operation.changes

    @property
    def ended(self) -> bool:
        """Whether somebody said that the call is to wait no longer."""
        return self.wait is not None and self.wait.ended

    def params(self, server: Server | None) -> list[Any] | dict[str, Any]:
        """The parameters as they are sent."""
        params = self.params_for(server)
        if type(params) is list:
            return params
        return dict(params) if isinstance(params, Mapping) else list(params)

    def silence(self, seconds: float) -> float:
        """For how long the server may be silent.

        Args:
            seconds: what the settings say about calls that are answered at once.
        """
        return seconds if self.wait is None else seconds + self.wait.part
