"""A load of lock-step calls over many connections, from one loop in this process."""

import asyncio
import time
from collections.abc import Sequence
from typing import cast

import uvloop
from attrs import define

WRAPPED_HEADS = {0x58: 1, 0x59: 2, 0x5A: 4}
"""The byte string's head after tag 24, and how many bytes of length follow it."""


@define
class Tally:
    """What one run of a load counted."""

    calls: int = 0
    failures: int = 0


class Caller(asyncio.Protocol):
    """Sends the same request again as soon as its answer is there, until told to stop."""

    def __init__(self, request: bytes, tally: Tally) -> None:
        self.request = request
        self.tally = tally
        self.buffer = b""
        self.running = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; `start` sends the first request."""
        # uvloop's transport is none by class, so only a cast tells mypy.
        self.transport = cast("asyncio.Transport", transport)

    def start(self) -> None:
        """Send the first request."""
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Count the answer once it is whole, and ask again."""
        self.buffer += data
        if not is_whole(self.buffer):
            return
        self.tally.calls += 1
        # A failure's envelope says "error", and no answer of the measured calls has that word.
        self.tally.failures += b"error" in self.buffer
        self.buffer = b""
        if self.running:
            self.transport.write(self.request)


def is_whole(buffer: bytes) -> bool:
    """Whether the buffer holds one whole wrapped message (of any length but a very short one)."""
    if len(buffer) < 3:  # noqa: PLR2004 - tag 24 is two bytes, the string's head one
        return False
    head = buffer[2]
    if 0x40 <= head <= 0x57:  # noqa: PLR2004 - RFC 8949: a byte string of 0 to 23 bytes
        return len(buffer) >= 3 + head - 0x40
    size = WRAPPED_HEADS[head]
    return len(buffer) >= 3 + size + int.from_bytes(buffer[3 : 3 + size], "big")


async def drive(host: str, port: int, requests: Sequence[bytes], seconds: float) -> float:
    """Call over one connection for each request, lock-step, for some seconds.

    Returns:
        Calls per second, all connections together.

    Raises:
        RuntimeError: a call was answered with a failure, so there is no figure.
    """
    loop = asyncio.get_running_loop()
    tally = Tally()
    callers = []
    for request in requests:
        _, caller = await loop.create_connection(
            lambda request=request: Caller(request, tally),  # type: ignore[misc]  # a default binds it
            host,
            port,
        )
        callers.append(caller)
    for caller in callers:
        caller.start()
    await asyncio.sleep(seconds / 10)  # the first calls warm both sides up
    before, began = tally.calls, time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (tally.calls - before) / (time.perf_counter() - began)
    for caller in callers:
        caller.running = False
        caller.transport.abort()
    if tally.failures:
        raise RuntimeError(f"{tally.failures} of {tally.calls} calls were answered with a failure")
    return rate


def calls_per_second(address: str, requests: Sequence[bytes], seconds: float) -> float:
    """What `drive` measures at "host:port"."""
    host, _, port = address.rpartition(":")
    return uvloop.run(drive(host, int(port), requests, seconds))
