"""What the connections of one server share: the limits, and who is there."""

import asyncio
from typing import Protocol

from attrs import define, field

from coordinate_protocol.errors import LimitError
from coordinate_protocol.limits import DEFAULT_LIMITS, Limits
from coordinate_server.net.backend import Backend

__all__ = ["Member", "Shared"]


class Member(Protocol):
    """A connection, as the server sees it."""

    def finish(self) -> None:
        """Take nothing more; close once everything taken is answered."""

    def abort(self) -> None:
        """Close now."""


@define
class Shared:
    """The state all connections of a server have in common.

    Arguments:
        backend: answers.
        limits: bounds on input.
        loop: runs the timers.
    """

    backend: Backend
    loop: asyncio.AbstractEventLoop
    limits: Limits = DEFAULT_LIMITS
    members: set[Member] = field(factory=set, init=False)
    empty: asyncio.Event = field(factory=asyncio.Event, init=False)
    buffered: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.empty.set()

    def admit(self, member: Member) -> LimitError | None:
        """Count a connection in; gives the error for one too many."""
        self.members.add(member)
        self.empty.clear()
        most, there = self.limits.connections, len(self.members)
        if there > most:
            return LimitError("{} connections", "connections", most, there)
        return None

    def leave(self, member: Member, buffered: int) -> None:
        """Count a connection out, with the bytes that it still had buffered."""
        self.members.discard(member)
        if not self.members:
            self.empty.set()
        self.buffered -= buffered

    def account(self, before: int, after: int) -> LimitError | None:
        """Keep the sum of what all connections buffer; gives the error for one over the budget."""
        self.buffered += after - before
        most = self.limits.decode_budget_bytes
        if after > before and self.buffered > most:
            what = "{} bytes of unfinished messages"
            return LimitError(what, "decode_budget_bytes", most, self.buffered)
        return None
