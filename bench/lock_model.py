"""What locks cost in the model alone: without socket, wire and store."""

import gc
import statistics
import time
from collections.abc import Iterable

from attrs import frozen
from lock_shapes import Shape

from coordinate_server.model import Instant, Model
from coordinate_server.model.locks import Granted, LockRequest, Locks, LockWait
from coordinate_server.model.locks.paths import Path, path_of

__all__ = ["Page", "Tree", "hand_over", "in_turns", "pages"]

AT = Instant(1000.0, 1_700_000_000.0)
PATH_BYTES = 8192
HELD_SECONDS, SECONDS = 1e6, 60.0
PROBES = 2000
DAY = 86_400.0
PROBER = "prober"
HANDED = 1000
THE_LOCK = ("the", "lock")


def path(parts: Iterable[str]) -> Path:
    """A path as the model has it."""
    return path_of(list(parts), PATH_BYTES)


class Tree:
    """A namespace in which locks of a shape are held, each by a locker of its own.

    Arguments:
        shape: where they are.
        count: how many.
    """

    def __init__(self, shape: Shape, count: int) -> None:
        self.model = Model()
        self.locks: Locks = self.model.namespace("bench").locks
        for number, parts in enumerate(shape.held(count)):
            request = LockRequest(f"holder-{number:06}", HELD_SECONDS, (path(parts),))
            granted(self.locks.lock(AT, request))
        self.model.take_changes(AT)
        paths = [path(shape.free(number)) for number in range(PROBES)]
        # These end before all that are held, which is where a queue of deadlines costs most.
        self.probes = [LockRequest(PROBER, SECONDS, (each,)) for each in paths]

    def microseconds(self) -> float:
        """Lock and unlock each of the free paths; the time of one of them, both calls."""
        locks = self.locks
        began = time.perf_counter()
        for request in self.probes:
            token = granted(locks.lock(AT, request)).token
            locks.unlock(AT, PROBER, request.paths, token)
        spent = time.perf_counter() - began
        self.model.take_changes(AT)
        return spent / PROBES * 1e6

    def slowest(self, pairs: int) -> float:
        """Lock and unlock so many times; the seconds of the slowest pair.

        Among so many is whatever is put off for long, like cleaning the queue of deadlines.
        """
        worst = 0.0
        for number in range(pairs):
            request = self.probes[number % PROBES]
            called = time.perf_counter()
            granted(self.locks.lock(AT, request))
            self.locks.unlock(AT, PROBER, request.paths)
            worst = max(worst, time.perf_counter() - called)
            if not number % PROBES:
                self.model.take_changes(AT)
        return worst


def granted(outcome: object) -> Granted:
    """What was granted.

    Raises:
        RuntimeError: nothing was, so there is no figure.
    """
    if not isinstance(outcome, Granted):
        raise RuntimeError(f"not granted: {outcome!r}")
    return outcome


def in_turns(one: Tree, other: Tree, rounds: int) -> tuple[float, float]:
    """The medians of both trees' microseconds, measured in turns."""
    gc.collect()
    gc.freeze()
    for warm in (one, other):
        warm.microseconds()
    times = [(one.microseconds(), other.microseconds()) for _ in range(rounds)]
    return statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)


# ---- waiting ----


class Line:
    """A lock that one has and others wait for.

    Arguments:
        waiters: how many wait.
        own: whether each has another lock besides, so that circles are searched for.
    """

    def __init__(self, waiters: int, *, own: bool) -> None:
        self.model = Model()
        self.locks: Locks = self.model.namespace("bench").locks
        lockers = [f"locker-{number:06}" for number in range(waiters + 1)]
        for locker in lockers if own else ():
            granted(
                self.locks.lock(AT, LockRequest(locker, HELD_SECONDS, (path(["own", locker]),)))
            )
        self.holder = lockers[0]
        granted(self.locks.lock(AT, self.request(self.holder)))
        for locker in lockers[1:]:
            self.wait(locker)
        self.model.take_changes(AT)

    def request(self, locker: str) -> LockRequest:
        """Make what each of them wants."""
        return LockRequest(locker, SECONDS, (path(THE_LOCK),), wait=DAY)

    def wait(self, locker: str) -> None:
        """Have one more wait."""
        outcome = self.locks.lock(AT, self.request(locker))
        if not isinstance(outcome, LockWait):
            raise RuntimeError(f"does not wait: {outcome!r}")

    def times(self) -> tuple[float, float]:
        """The microseconds of passing the lock on, and of having its last holder wait again."""
        released = joined = 0.0
        wanted = (path(THE_LOCK),)
        for _ in range(HANDED):
            began = time.perf_counter()
            self.locks.unlock(AT, self.holder, wanted)
            over = time.perf_counter()
            (following,) = self.model.take_settled()
            self.wait(self.holder)
            joined += time.perf_counter() - over
            released += over - began
            assert isinstance(following, LockWait)
            granted(following.outcome)
            self.holder = following.request.locker
        self.model.take_changes(AT)
        return released / HANDED * 1e6, joined / HANDED * 1e6


def hand_over(few: int, many: int, rounds: int, *, own: bool) -> list[tuple[float, float]]:
    """The medians of (with few waiters, with many) of a hand-over, then of waiting again.

    Arguments:
        few: how many wait at first.
        many: how many in the other case, which is measured in turns with the first.
        rounds: how often.
        own: whether all of them have another lock.
    """
    lines = Line(few, own=own), Line(many, own=own)
    gc.collect()
    gc.freeze()
    times = [(lines[0].times(), lines[1].times()) for _ in range(rounds)]
    return [
        (statistics.median(t[0][what] for t in times), statistics.median(t[1][what] for t in times))
        for what in (0, 1)
    ]


# ---- lists ----


@frozen
class Page:
    """A page of a list.

    Arguments:
        title: which.
        seconds: how long it took to make.
    """

    title: str
    seconds: float


def pages(tree: Tree, shape: Shape, count: int, limit: int, rounds: int) -> list[Page]:
    """The first, a middle and the last page of all that is held."""
    held = sorted(path(parts) for parts in shape.held(count))
    starts = {"first": None, "middle": held[count // 2], "last": held[count - limit]}
    made = []
    for title, start in starts.items():
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            found, _ = tree.locks.list(AT, path(["tree"]), limit, start)
            times.append(time.perf_counter() - began)
            if len(found) != limit:
                raise RuntimeError(f"{len(found)} locks instead of {limit}")
        made.append(Page(title, statistics.median(times)))
    return made
