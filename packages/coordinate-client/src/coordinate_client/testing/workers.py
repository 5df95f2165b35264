"""What the server in memory knows of workers: what they last said."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from coordinate_client.testing.memory import Memory
from coordinate_protocol.values import as_text

__all__ = ["WorkerOperations"]


@frozen
class _Worker:
    mode: str
    data: Any
    heard: float
    expires: float
    parent: str | None


class WorkerOperations:
    """Workers: who is there, and in which mode."""

    memory: Memory

    def __init__(self) -> None:
        """Know nobody."""
        super().__init__()
        self._workers: dict[str, _Worker] = {}

    def worker_heartbeat(
        self, worker_id: object, mode: object, expire_seconds: Any, data: object, parent: object
    ) -> tuple[bool, None]:
        """Register a worker, or renew it."""
        now = self.memory.clock.wall
        expires = now + (300 if expire_seconds is None else expire_seconds)
        named = as_text(parent) if parent else None
        self._workers[as_text(worker_id)] = _Worker(as_text(mode), data, now, expires, named)
        return True, None

    def worker_unregister(self, worker_id: object) -> tuple[bool, str | None]:
        """Forget a worker."""
        name = as_text(worker_id)
        known = self._alive().pop(name, None)
        self._workers.pop(name, None)
        return (False, f"no worker {name!r}") if known is None else (True, None)

    def list_worker_modes(self) -> tuple[dict[str, str], None]:
        """The mode of every worker."""
        return {name: worker.mode for name, worker in self._alive().items()}, None

    def mode_counts(self) -> tuple[dict[str, int], None]:
        """How many workers are in each mode."""
        modes = [worker.mode for worker in self._alive().values()]
        return {mode: modes.count(mode) for mode in modes}, None

    def get_worker_info(self, worker_id: object) -> tuple[dict[Any, Any] | None, None]:
        """What a worker last said of itself."""
        worker = self._alive().get(as_text(worker_id))
        if worker is None:
            return None, None
        said = dict(worker.data) if isinstance(worker.data, Mapping) else {}
        return said | {"age_seconds": self.memory.clock.wall - worker.heard}, None

    def _alive(self) -> dict[str, _Worker]:
        now = self.memory.clock.wall
        return {name: one for name, one in self._workers.items() if one.expires > now}
