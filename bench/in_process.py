"""A server in this process, from a connection's bytes to its data file, without sockets."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import cbor2
from attrs import define, field
from load import WRAPPED_HEADS
from queues.messages import wrapped

from coordinate_protocol.limits import DEFAULT_LIMITS
from coordinate_server.assembly import assembled
from coordinate_server.model import Model
from coordinate_server.model.instant import Instant
from coordinate_server.net.connection import Connection
from coordinate_server.net.shared import Shared
from coordinate_server.service.clock import Clock
from coordinate_server.service.committer import Committer
from coordinate_server.store import Store, open_store
from coordinate_server.store.interface import StoreError

__all__ = ["InProcess", "in_process"]


class _Clock(Clock):
    """A moment that stays: attempts and deadlines are the same in each run."""

    def __init__(self) -> None:
        """Begin and stay at one moment."""

    def instant(self) -> Instant:
        """Give it."""
        return Instant(1000.0, 1_800_000_000.0)


class _Timer:
    """Never comes, for the clock stands."""

    def cancel(self) -> None:
        """Nothing is to be done."""


class _Loop:
    """Runs what is called soon when it is told to."""

    def __init__(self) -> None:
        self._ready: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self._ready.append(callback)

    def call_later(self, seconds: float, callback: Callable[..., None], *args: Any) -> _Timer:
        del seconds, callback, args
        return _Timer()

    def settle(self) -> None:
        while self._ready:
            ready, self._ready = self._ready, []
            for callback in ready:
                callback()


@define
class _Transport:
    """Keeps what is written."""

    written: list[bytes] = field(factory=list)

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""

    def get_extra_info(self, name: str) -> None:
        del name


class InProcess:
    """One connection to such a server.

    Arguments:
        store: where it keeps its data.
    """

    def __init__(self, store: Store) -> None:
        clock, self._loop = _Clock(), _Loop()
        self.store = store
        model = Model.load(store.load(), clock.instant())
        committer = Committer(model, store, clock, self._loop, _failed)
        backend = assembled(model, clock, committer, self._loop)
        loop = cast("asyncio.AbstractEventLoop", self._loop)
        self._connection = Connection(Shared(backend, loop, DEFAULT_LIMITS))
        self._transport = _Transport()
        self._connection.connection_made(cast("asyncio.Transport", self._transport))

    def call(self, method: str, *params: Any) -> Any:
        """Make a call; gives its result."""
        self.send(wrapped({"id": 1, "method": method, "params": params}))
        return self.result()

    def send(self, message: bytes) -> None:
        """Have the server answer a message: this is what is counted."""
        self._connection.data_received(message)
        self._loop.settle()

    def result(self) -> Any:
        """The result in the answer to the last message.

        Raises:
            RuntimeError: it was a failure.
        """
        data = b"".join(self._transport.written)
        self._transport.written.clear()
        answer = cbor2.loads(data[3 + WRAPPED_HEADS.get(data[2], 0) :])
        if "error" in answer:
            raise RuntimeError(f"the server answered {answer['error']!r}")
        return answer["result"]


def _failed(error: StoreError) -> None:
    raise error


@contextmanager
def in_process() -> Iterator[InProcess]:
    """Such a server with an empty data file, for as long as the block lasts."""
    with TemporaryDirectory(prefix="coordinate-bench-") as folder:
        store = open_store(Path(folder, "bench.db"))
        try:
            yield InProcess(store)
        finally:
            store.close()
