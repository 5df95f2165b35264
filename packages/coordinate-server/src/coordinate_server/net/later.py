"""A message of which some answers come later."""

import asyncio
from collections.abc import Awaitable, Sequence

from coordinate_protocol.errors import LimitError
from coordinate_protocol.messages import Failure, Incoming, Request
from coordinate_server.net.backend import Answer, Waiting

__all__ = ["Later", "refused"]


class Later:
    """What is known of the answers to one message.

    Arguments:
        incoming: the message.
        answers: those that are there, and what stands for the others.
    """

    __slots__ = ("answers", "incoming", "waiting")

    def __init__(self, incoming: Incoming, answers: Sequence[Answer | Awaitable[Answer]]) -> None:
        self.incoming, self.answers = incoming, answers
        self.waiting = [answer for answer in answers if isinstance(answer, Waiting)]

    @property
    def given(self) -> list[Answer]:
        """The answers that are there by now, apart from what is done in threads and tasks."""
        found = [
            answer.outcome if isinstance(answer, Waiting) else answer for answer in self.answers
        ]
        return [a for a in found if a is not None and not isinstance(a, Awaitable)]

    async def complete(self) -> list[Answer]:
        """Wait for all of them."""
        later = [answer for answer in self.answers if isinstance(answer, Awaitable)]
        done = iter(await asyncio.gather(*later))
        return [next(done) if isinstance(a, Awaitable) else a for a in self.answers]


def refused(
    incoming: Incoming, answers: Sequence[Answer | Awaitable[Answer]], most: int
) -> list[Answer | Awaitable[Answer]]:
    """Give up the calls of a message that would wait, where too many of its connection do."""
    text = str(LimitError("{} calls that wait", "requests_in_flight", most, most + 1))
    kept: list[Answer | Awaitable[Answer]] = []
    for request, answer in zip(incoming.requests, answers, strict=True):
        if isinstance(answer, Waiting):
            answer.abandon()
            kept.append(Failure(request.id if isinstance(request, Request) else None, text))
        else:
            kept.append(answer)
    return kept
