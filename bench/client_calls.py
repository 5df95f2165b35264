"""What a call costs its client, counted without a server: each answer is there before its call."""

from typing import TYPE_CHECKING, Any, Final, cast

from instructions import executed
from queues.coordinate import FINISHED, SPEC, WORKER
from queues.messages import wrapped

from coordinate_client import CborRpcClient

if TYPE_CHECKING:
    from coordinate_client.transport_sync import Transport

__all__ = ["Client"]

_UNIT: Final = (SPEC, "unit-0000001", {"payload": "x" * 53}, {"attempt": 1_700_000_000_000_000})
_FINISHED: Final = (SPEC, "unit-0000001", {"status": FINISHED, "attempt": 1_700_000_000_000_000})
_OPTIONS: Final = {"get_work": {"worker_id": WORKER, "max_jobs": 1, "lease_time": 900}}
_GREETING: Final = {"protocol": 1, "capabilities": ["sessions", "tokens"], "session": b"s" * 16}


class Client:
    """A client, and a connection that gives the answers that were put there."""

    def __init__(self) -> None:
        self._client = CborRpcClient(
            {"address": "localhost"}, connect=lambda *_: cast("Transport", self)
        )
        self._answers: list[bytes] = []
        self._answered = 0
        self._answer(_GREETING)
        # The first call connects.
        self.finish_and_next()

    def finish_and_next(self) -> int:
        """One unit, by `update_work_units` with `get_work`."""
        self._answer(([{"done": True}], [_UNIT], None))
        call = self._client._rpc  # noqa: SLF001 - so is the way to call by name named since 0.1.5
        return executed(lambda: call("update_work_units", [[_FINISHED], _OPTIONS]))

    def _answer(self, result: Any) -> None:
        self._answered += 1
        self._answers.append(wrapped({"id": self._answered, "result": result}))

    def send(self, data: bytes) -> None:
        """Take a request."""

    def receive(self, seconds: float) -> bytes:
        """The next answer."""
        del seconds
        return self._answers.pop(0)
