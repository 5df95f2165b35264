"""A load of lock-step calls over many connections, from one loop in this process."""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from typing import cast

import uvloop
from attrs import define, field

WRAPPED_HEADS = {0x58: 1, 0x59: 2, 0x5A: 4}
"""The byte string's head after tag 24, and how many bytes of length follow it."""

REFUSED = bytes.fromhex("d88082f4")
"""A tuple of two of which the first is false: how most calls say that nothing was done."""

LONGEST = 600.0
"""Seconds after which a load that was to end by itself is given up."""

Ask = Callable[[bytes], bytes]
"""Makes the next request of the answer to the one before, which is empty for the first; gives
nothing where there is nothing more to ask."""


@define
class Tally:
    """What one run of a load counted, and whether everything is asked."""

    calls: int = 0
    failures: int = 0
    over: asyncio.Event = field(factory=asyncio.Event)


class Caller(asyncio.Protocol):
    """Asks as soon as its answer is there, until it is told to stop or has nothing to ask.

    Arguments:
        ask: makes the requests.
        tally: where calls are counted.
        ended: called when there is nothing more to ask.
    """

    def __init__(self, ask: Ask, tally: Tally, ended: Callable[[], None]) -> None:
        self.ask = ask
        self.tally = tally
        self.ended = ended
        self.buffer = b""
        self.running = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; `start` sends the first request."""
        # uvloop's transport is none by class, so only a cast tells mypy.
        self.transport = cast("asyncio.Transport", transport)

    def start(self) -> None:
        """Send the first request."""
        self.go_on(b"")

    def data_received(self, data: bytes) -> None:
        """Count the answer once it is whole, and ask again."""
        self.buffer += data
        if not is_whole(self.buffer):
            return
        answer, self.buffer = self.buffer, b""
        self.tally.calls += 1
        # A failure's envelope says "error", and no answer of the measured calls has that word.
        self.tally.failures += b"error" in answer or REFUSED in answer
        if self.running:
            self.go_on(answer)

    def go_on(self, answer: bytes) -> None:
        """Send the next request, if there is one."""
        request = self.ask(answer)
        if request:
            self.transport.write(request)
        else:
            self.ended()


def is_whole(buffer: bytes | bytearray) -> bool:
    """Whether the buffer holds one whole wrapped message (of any length but a very short one)."""
    if len(buffer) < 3:  # noqa: PLR2004 - tag 24 is two bytes, the string's head one
        return False
    head = buffer[2]
    if 0x40 <= head <= 0x57:  # noqa: PLR2004 - RFC 8949: a byte string of 0 to 23 bytes
        return len(buffer) >= 3 + head - 0x40
    size = WRAPPED_HEADS[head]
    return len(buffer) >= 3 + size + int.from_bytes(buffer[3 : 3 + size], "big")


def in_turn(*requests: bytes) -> Ask:
    """Ask the same again and again; of several requests, one after the other."""
    endless = itertools.cycle(requests)
    return lambda _: next(endless)


async def callers(host: str, port: int, asks: Sequence[Ask], tally: Tally) -> list[Caller]:
    """Connect as many callers; once all of them have ended, the tally knows.

    They are connected before the first of them is started.
    """
    loop = asyncio.get_running_loop()
    left = itertools.count(len(asks) - 1, -1)

    def ended() -> None:
        if not next(left):
            tally.over.set()

    made = []
    for ask in asks:
        _, caller = await loop.create_connection(
            lambda ask=ask: Caller(ask, tally, ended),  # type: ignore[misc]  # a default binds it
            host,
            port,
        )
        made.append(caller)
    return made


def stop(made: Sequence[Caller], tally: Tally) -> None:
    """Let callers end.

    Raises:
        RuntimeError: a call was answered with a failure, so there is no figure.
    """
    for caller in made:
        caller.running = False
        caller.transport.abort()
    if tally.failures:
        raise RuntimeError(f"{tally.failures} of {tally.calls} calls were answered with a failure")


async def drive(host: str, port: int, asks: Sequence[Ask], seconds: float) -> float:
    """Call over one connection for each ask, lock-step, for some seconds.

    Returns:
        Calls per second, all connections together.
    """
    tally = Tally()
    made = await callers(host, port, asks, tally)
    for caller in made:
        caller.start()
    await asyncio.sleep(seconds / 10)  # the first calls warm both sides up
    before, began = tally.calls, time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (tally.calls - before) / (time.perf_counter() - began)
    stop(made, tally)
    return rate


def calls_per_second(address: str, asks: Sequence[Ask], seconds: float) -> float:
    """What `drive` measures at "host:port"."""
    host, _, port = address.rpartition(":")
    return uvloop.run(drive(host, int(port), asks, seconds))


async def exhaust(host: str, port: int, asks: Sequence[Ask]) -> float:
    """Call over one connection for each ask, lock-step, until none has anything to ask.

    Returns:
        The seconds that it took.
    """
    tally = Tally()
    made = await callers(host, port, asks, tally)
    began = time.perf_counter()
    for caller in made:
        caller.start()
    await asyncio.wait_for(tally.over.wait(), LONGEST)
    spent = time.perf_counter() - began
    stop(made, tally)
    return spent


def seconds_to_the_end(address: str, asks: Sequence[Ask]) -> float:
    """What `exhaust` measures at "host:port"."""
    host, _, port = address.rpartition(":")
    return uvloop.run(exhaust(host, int(port), asks))
