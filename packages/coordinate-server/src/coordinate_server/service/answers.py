"""What a call is answered with."""

from collections.abc import Callable
from typing import Any

from attrs import define

from coordinate_protocol.messages import Failure, Response

__all__ = ["Answer", "Delivery"]

Answer = Response | Failure


@define
class Delivery(Response):
    """A response that must not get lost.

    Arguments:
        undelivered: called if the connection was gone before it was written.
        rest: the result without what is undone by that; None where nothing is left of the call.
    """

    undelivered: Callable[[], None]
    rest: Any = None
