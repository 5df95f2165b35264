"""What locks cost over the wire, on servers of their own."""

import asyncio
import statistics
from contextlib import ExitStack
from functools import partial
from typing import Any

from attrs import frozen
from load import Ask, calls_per_second, in_turn
from lock_shapes import Parts, Shape
from processes import rss_bytes
from servers import Started, coordinated
from wire import LONGEST, Answer, Line, Unread, connected, connected_many, run

from coordinate_protocol.connection import ClientConnection
from coordinate_protocol.limits import DEFAULT_LIMITS

__all__ = ["HandOver", "Pairs", "Stop", "hand_overs", "pairs", "stops"]

LONG, SECONDS, DAY = 1_000_000, 60, 86_400
BATCH = 1000
THE_LOCK = ["the", "lock"]


@frozen
class Pairs:
    """How fast locks come and go.

    Arguments:
        connections: how many clients lock and unlock, lock-step.
        few: pairs of calls per second while few locks are held.
        many: the same while many are.
        lock_bytes: memory of the server for each of the many.
    """

    connections: int
    few: float
    many: float
    lock_bytes: float


@frozen
class Full:
    """A server on which locks are held.

    Arguments:
        server: it.
        lock_bytes: what each of the locks takes.
    """

    server: Started
    lock_bytes: float


async def fill(server: Started, paths: list[Parts]) -> float:
    """Lock paths, each for a locker of its own; gives the bytes that each takes."""
    line = await connected(server.place)
    await line.call("list_locks", {})
    before = rss_bytes(server.pid)
    for first in range(0, len(paths), BATCH):
        calls: list[tuple[str, Any]] = [
            ("lock", [f"holder-{number:06}", LONG, [path]])
            for number, path in enumerate(paths[first : first + BATCH], first)
        ]
        for result in await line.batch(calls):
            if result[0] is not True:
                raise RuntimeError(f"lock answered {result!r}")
    line.close()
    return (rss_bytes(server.pid) - before) / len(paths)


def asker(shape: Shape, number: int) -> Ask:
    """Lock and unlock one free path, again and again."""
    connection, path, locker = (
        ClientConnection(DEFAULT_LIMITS),
        shape.free(number),
        f"free-{number}",
    )
    _, lock = connection.request("lock", [locker, SECONDS, [path]])
    _, unlock = connection.request("unlock", [locker, [path]])
    return in_turn(lock, unlock)


async def release(server: Started, paths: list[Parts]) -> None:
    """Release what those who were stopped in the midst of a pair have left."""
    line = await connected(server.place)
    await line.call("force_unlock", paths)
    line.close()


def pairs(store: str, shape: Shape, few: int, many: int, plan: "Plan") -> list[Pairs]:
    """Measure two servers in turns, for each number of connections."""
    measured = []
    with ExitStack() as stack:
        servers = []
        for count in (few, many):
            server = stack.enter_context(coordinated(store))
            held = shape.held(count)
            servers.append(Full(server, run(partial(fill, server, held))))
        for connections in plan.connections:
            rates: list[list[float]] = [[], []]
            for _ in range(plan.rounds):
                for full, of_one in zip(servers, rates, strict=True):
                    asks = [asker(shape, number) for number in range(connections)]
                    calls = calls_per_second(full.server.address, asks, plan.seconds)
                    of_one.append(calls / 2)
                    free = [shape.free(number) for number in range(connections)]
                    run(partial(release, full.server, free))
            few_rate, many_rate = (statistics.median(of_one) for of_one in rates)
            measured.append(Pairs(connections, few_rate, many_rate, servers[1].lock_bytes))
    return measured


@frozen
class Plan:
    """How much is measured.

    Arguments:
        connections: with so many connections each.
        rounds: how often, of which the median counts.
        seconds: how long each.
    """

    connections: tuple[int, ...]
    rounds: int
    seconds: float


# ---- waiting ----


@frozen
class HandOver:
    """What becomes of a lock that many wait for.

    Arguments:
        latencies: seconds from sending an unlock to the grant's being with the next.
        answered: how many got an answer for each.
        waiter_bytes: what each takes that waits on a connection of its own.
    """

    latencies: list[float]
    answered: list[int]
    waiter_bytes: float


class Crowd:
    """Lockers with a connection each, who wait for one lock.

    Arguments:
        lines: their connections.
    """

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.answers: asyncio.Queue[tuple[int, Answer]] = asyncio.Queue()

    def ask(self, number: int) -> None:
        """Have one of them wait for the lock."""
        options = {"wait": DAY, "grant": True}
        _, future = self.lines[number].send(
            "lock", f"locker-{number}", SECONDS, [THE_LOCK], options
        )
        future.add_done_callback(lambda future: self._tell(number, future))

    def _tell(self, number: int, future: "asyncio.Future[Answer]") -> None:
        if not future.cancelled() and future.exception() is None:
            self.answers.put_nowait((number, future.result()))

    async def granted(self) -> tuple[int, Answer]:
        """Who has it now; the number, and the answer that said so."""
        number, answer = await asyncio.wait_for(self.answers.get(), LONGEST)
        if not answer.result["granted"]:
            raise RuntimeError(f"lock answered {answer.result!r}")
        return number, answer


async def _hand_overs(server: Started, waiters: int, times: int) -> HandOver:
    before = rss_bytes(server.pid)
    crowd = Crowd(await connected_many(server.place, waiters + 1))
    for number in range(waiters + 1):
        crowd.ask(number)
    holder, answer = await crowd.granted()
    await asyncio.sleep(1)  # until all of them wait
    each = (rss_bytes(server.pid) - before) / waiters
    latencies, answered = [], []
    for _ in range(times):
        line, token = crowd.lines[holder], answer.result["token"]
        began, released = line.send("unlock", f"locker-{holder}", [THE_LOCK], {"token": token})
        following, answer = await crowd.granted()
        latencies.append(answer.moment - began)
        if (await asyncio.wait_for(released, LONGEST)).result[0] is not True:
            raise RuntimeError("unlock was refused")
        crowd.ask(holder)
        await line.call("readlock", [THE_LOCK])
        answered.append(1 + crowd.answers.qsize())
        holder = following
    for each_line in crowd.lines:
        each_line.close()
    return HandOver(latencies, answered, each)


def hand_overs(store: str, waiters: int, times: int) -> HandOver:
    """Have a lock go from one to the next while so many wait for it."""
    with coordinated(store) as server:
        result: HandOver = run(lambda: _hand_overs(server, waiters, times))
    return result


# ---- lists ----


@frozen
class Stop:
    """How long a list keeps the server from everything else.

    Arguments:
        title: of what it is a list.
        answered: seconds until the whole list was there.
        other: seconds that a call took which another connection made at the same time.
        size: bytes of the list.
    """

    title: str
    answered: float
    other: float
    size: int


async def _stops(server: Started, shape: Shape, count: int, limit: int, rounds: int) -> list[Stop]:
    paths = shape.held(count)
    await fill(server, paths)
    loop = asyncio.get_running_loop()
    _, lister = await loop.create_connection(Unread, *server.place)
    _, other = await loop.create_connection(Unread, *server.place)
    measured = []
    starts = {"first page": {}, "middle page": {"start": paths[count // 2]}}
    for title, start in starts.items():
        times, others = [], []
        for _ in range(rounds):
            began, listed = lister.send("list_locks", {"path": ["tree"], "limit": limit, **start})
            began_too, read = other.send("readlock", [THE_LOCK])
            times.append(await asyncio.wait_for(listed, LONGEST) - began)
            others.append(await asyncio.wait_for(read, LONGEST) - began_too)
        medians = statistics.median(times), statistics.median(others)
        measured.append(Stop(title, *medians, lister.answer_bytes))
    for each in (lister, other):
        each.close()
    return measured


def stops(store: str, shape: Shape, count: int, limit: int, rounds: int) -> list[Stop]:
    """List pages of all that is held, and see how long another connection waits for that."""
    with coordinated(store) as server:
        result: list[Stop] = run(lambda: _stops(server, shape, count, limit, rounds))
    return result
