"""Coordinate, with its store in memory and durable, over a plain socket and by its own client."""

from typing import Any, Final

from servers import coordinated

from coordinate_client import CborRpcClient
from queues.messages import Messages, plain
from queues.work import BATCH, Queue, Way, keys

__all__ = ["DURABLE", "FINISHED", "SPEC", "WORKER", "Finisher", "Units", "queues"]

SPEC: Final = "bench"
WORKER: Final = "bench-worker"
FINISHED: Final = 4
_DATA: Final = {"payload": "x" * 53}
"""64 bytes as they are sent."""

DURABLE: Final = "Coordinate (each answer after a sync)"
"""The name of the one that all are compared with."""

_GET: Final = {"available_gb": 1, "lease_time": 900}


class Units:
    """A connection that adds units.

    Arguments:
        place: where to connect to.
    """

    def __init__(self, place: tuple[str, int]) -> None:
        self._messages = Messages(place)
        self.close = self._messages.close

    def prepare(self, **settings: Any) -> None:
        """Make the spec."""
        self._messages.call("set_work_spec", {"name": SPEC, "min_gb": 1, **settings})

    def add(self, first: int, count: int) -> None:
        """Add units in one request."""
        added = [(key, _DATA) for key in keys(first, count)]
        result = plain(self._messages.call("add_work_units", SPEC, added))
        if result[0] is not True:
            raise RuntimeError(f"add_work_units answered {result!r}")


class _Called:
    """Calls by the client library, with its sessions and its second attempts."""

    def __init__(self, place: tuple[str, int]) -> None:
        client = CborRpcClient({"address": place})
        self.close = client.close
        self._call = client._rpc  # noqa: SLF001 - so is the way to call by name named since 0.1.5

    def call(self, method: str, *params: Any) -> Any:
        """Make one call."""
        return self._call(method, list(params))


class _TwoCalls:
    """Takes with one call, and finishes with another."""

    def __init__(self, line: Messages | _Called) -> None:
        self._call, self.close = line.call, line.close
        self._unit: tuple[str, Any] | None = None

    def step(self) -> int | None:
        """Take, or finish what was taken."""
        if self._unit is None:
            spec, key, *_ = plain(plain(self._call("get_work", WORKER, _GET))[0])
            if spec is None:
                return None
            self._unit = (spec, key)
            return 0
        spec, key = self._unit
        options = {"status": FINISHED, "worker_id": WORKER}
        result = plain(self._call("update_work_unit", spec, key, options))
        if result[0] is not True:
            raise RuntimeError(f"update_work_unit answered {result!r}")
        self._unit = None
        return 1


class Finisher:
    """Finishes units and takes as many, with one call.

    Arguments:
        line: makes calls.
        size: how many.
    """

    def __init__(self, line: Messages | _Called, size: int) -> None:
        self._call, self.close = line.call, line.close
        self._options = {"get_work": {"worker_id": WORKER, "max_jobs": size, **_GET}}
        self._units: list[Any] = []

    def step(self) -> int | None:
        """Finish what was taken and take more; None once there was nothing of either."""
        finished = [_finish(unit) for unit in self._units]
        self._units = _next(self._call("update_work_units", finished, self._options))
        return len(finished) if finished or self._units else None


class _Listed:
    """Finishes units and takes as many, with a request for each in one message."""

    def __init__(self, line: Messages, size: int) -> None:
        self._batch, self.close = line.batch, line.close
        self._options = {"get_work": {"worker_id": WORKER, **_GET}}
        self._units: list[list[Any]] = [[] for _ in range(size)]

    def step(self) -> int | None:
        """Finish what was taken and take more; None once there was nothing of either."""
        finished = [[_finish(unit) for unit in units] for units in self._units]
        calls = [("update_work_units", (updates, self._options)) for updates in finished]
        self._units = list(map(_next, self._batch(calls)))
        done = sum(map(len, finished))
        return done if done or any(self._units) else None


def _finish(unit: Any) -> tuple[Any, ...]:
    spec, key, _, handed = plain(unit)
    return spec, key, {"status": FINISHED, "worker_id": WORKER, "attempt": handed["attempt"]}


def _next(result: Any) -> list[Any]:
    """The units in an answer, all of whose updates were done."""
    results, units, _ = plain(result)
    if not all(each["done"] for each in results):
        refused = next(each for each in results if not each["done"])
        raise RuntimeError(f"update_work_units answered {refused!r}")
    return list(units)


def _prepare(place: tuple[str, int]) -> None:
    units = Units(place)
    units.prepare()
    units.close()


_WAYS: Final = (
    Way("two calls", 16, lambda place: _TwoCalls(Messages(place)), 1, 5_000),
    Way("two calls, its client", 16, lambda place: _TwoCalls(_Called(place)), 1, 3_000),
    Way("one message", 16, lambda place: Finisher(Messages(place), 1), 1, 8_000),
    Way("one message, its client", 16, lambda place: Finisher(_Called(place), 1), 1, 5_000),
    Way("100, one message", 4, lambda place: _Listed(Messages(place), BATCH), BATCH, 15_000),
    Way("100, one request", 4, lambda place: Finisher(Messages(place), BATCH), BATCH, 30_000),
)


def _queue(durability: str, store: str, expected: int) -> Queue:
    return Queue(
        title="Coordinate",
        durability=durability,
        start=lambda: coordinated(store),
        prepare=_prepare,
        adder=Units,
        expected=expected,
        ways=_WAYS,
    )


def queues() -> list[Queue]:
    """It with `--memory`, and durable as it is by default."""
    return [
        _queue("nothing", "memory", 80_000),
        _queue("each answer after a sync", "durable", 40_000),
    ]
