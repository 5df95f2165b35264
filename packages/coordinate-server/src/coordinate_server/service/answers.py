"""What a call is answered with."""

from collections.abc import Callable

from attrs import frozen

from coordinate_protocol.messages import Failure, Response

__all__ = ["Answer", "Delivery"]

Answer = Response | Failure


@frozen
class Delivery(Response):
    """A response that must not get lost.

    Arguments:
        undelivered: called if the connection was gone before it was written.
    """

    undelivered: Callable[[], None]
