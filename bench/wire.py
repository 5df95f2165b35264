"""Calls one by one over many connections, each answer with the moment at which it came."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import uvloop
from attrs import frozen
from load import is_whole

from coordinate_protocol.connection import ClientConnection
from coordinate_protocol.messages import Failure

__all__ = [
    "LONGEST",
    "Answer",
    "Line",
    "Unread",
    "connected",
    "connected_many",
    "run",
]

LONGEST = 60.0
"""Seconds for any answer that is waited for here: then something is wrong."""


@frozen
class Answer:
    """What was answered.

    Arguments:
        result: the result.
        moment: when its bytes were here, on ``time.perf_counter``.
    """

    result: Any
    moment: float


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._connection = ClientConnection()
        self._futures: dict[int, asyncio.Future[Answer]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's transport is none by class, so only a cast tells mypy.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let whoever still waits know."""
        for future in self._futures.values():
            if not future.done():
                future.set_exception(exc or ConnectionError("the connection was closed"))
                future.exception()  # there may be nobody who waits for just this one

    def data_received(self, data: bytes) -> None:
        """Note when it came, then read it."""
        moment = time.perf_counter()
        for answer in self._connection.receive(data):
            if isinstance(answer, Failure) or answer.id is None:
                raise RuntimeError(f"answered with {answer!r}")
            future = self._futures.pop(answer.id)
            if not future.done():
                future.set_result(Answer(answer.result, moment))

    def send(
        self, method: str, *params: Any, **numbers: int
    ) -> tuple[float, asyncio.Future[Answer]]:
        """Send a call; gives when, and what will be its answer."""
        request_id, data = self._connection.request(method, list(params), **numbers)
        future = self._futures[request_id] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        self._transport.write(data)
        return began, future

    async def call(self, method: str, *params: Any, **numbers: int) -> Any:
        """Send a call and wait for its answer; gives the result."""
        _, future = self.send(method, *params, **numbers)
        return (await asyncio.wait_for(future, LONGEST)).result

    async def done(self, method: str, *params: Any, **numbers: int) -> None:
        """Make a call that answers (true, null).

        Raises:
            RuntimeError: it answered anything else.
        """
        result = await self.call(method, *params, **numbers)
        if result[0] is not True:
            raise RuntimeError(f"{method} answered {result!r}")

    async def batch(self, calls: Sequence[tuple[str, list[Any] | dict[str, Any]]]) -> list[Any]:
        """Make many calls in one message; gives their results."""
        ids, data = self._connection.batch(calls)
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in ids]
        self._futures.update(zip(ids, futures, strict=True))
        self._transport.write(data)
        answers = await asyncio.wait_for(asyncio.gather(*futures), LONGEST)
        return [answer.result for answer in answers]

    def close(self) -> None:
        """Close it."""
        self._transport.abort()


class Unread(asyncio.Protocol):
    """One connection whose answers are not read, only timed: what reads them is late for others."""

    def __init__(self) -> None:
        self._connection = ClientConnection()
        self._answer: asyncio.Future[float] | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Note when the whole answer was here."""
        self._buffer += data
        if self._answer is not None and is_whole(self._buffer):
            self._answer.set_result(time.perf_counter())

    def send(self, method: str, *params: Any) -> tuple[float, asyncio.Future[float]]:
        """Send a call; gives when, and what will be when its answer came."""
        self._buffer.clear()
        self._answer = asyncio.get_running_loop().create_future()
        _, data = self._connection.request(method, list(params))
        began = time.perf_counter()
        self._transport.write(data)
        return began, self._answer

    @property
    def answer_bytes(self) -> int:
        """The size of the last answer."""
        return len(self._buffer)

    def close(self) -> None:
        """Close it."""
        self._transport.abort()


async def connected(place: tuple[str, int]) -> Line:
    """Connect to a server."""
    _, line = await asyncio.get_running_loop().create_connection(Line, *place)
    return line


async def connected_many(place: tuple[str, int], count: int) -> list[Line]:
    """Connect so many times."""
    return [await connected(place) for _ in range(count)]


def run(main: Callable[[], Any]) -> Any:
    """Run a coroutine function on the loop that servers use, too."""
    return uvloop.run(main())
