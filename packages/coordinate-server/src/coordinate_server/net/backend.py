"""What the network asks of the rest of the server."""

from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, Protocol, runtime_checkable

from coordinate_protocol.messages import Failure, Incoming, Response

__all__ = ["Answer", "Backend", "Delivery", "Peer", "Waiting"]

Answer = Response | Failure


@runtime_checkable
class Delivery(Protocol):
    """An answer whose loss has to be told."""

    undelivered: Callable[[], None]


@runtime_checkable
class Waiting(Protocol):
    """An answer that is waited for, and that can be waited for no longer."""

    def __await__(self) -> Generator[Any, None, Answer]:
        """Wait for it."""

    @property
    def outcome(self) -> Answer | None:
        """The answer, or None if it has not come yet."""

    def abandon(self) -> None:
        """Say that nobody wants it any more."""

    def expire(self) -> None:
        """Have it come now, as if the time of the wait were over."""


class Peer(Protocol):
    """One connection's way to the operations."""

    def answers(self, incoming: Incoming) -> Sequence[Answer | Awaitable[Answer]]:
        """Answer each request of a message, in order."""

    def closed(self) -> None:
        """Take note that the connection is gone."""


class Backend(Protocol):
    """Peers, and the moment in which replies may leave."""

    def open(self) -> Peer:
        """Begin with a new connection."""

    def after_commit(self, send: Callable[[], None], /) -> None:
        """Have ``send`` called once everything applied so far is durable."""
