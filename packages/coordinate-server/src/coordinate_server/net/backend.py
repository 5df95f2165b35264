"""What the network asks of the rest of the server."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from coordinate_protocol.messages import Failure, Incoming, Response

__all__ = ["Answer", "Backend", "Peer"]

Answer = Response | Failure


class Peer(Protocol):
    """One connection's way to the operations."""

    def answers(self, incoming: Incoming) -> Sequence[Answer | Awaitable[Answer]]:
        """Answer each request of a message, in order."""


class Backend(Protocol):
    """Peers, and the moment in which replies may leave."""

    def open(self) -> Peer:
        """Begin with a new connection."""

    def after_commit(self, send: Callable[[], None], /) -> None:
        """Have ``send`` called once everything applied so far is durable."""
