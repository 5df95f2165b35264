# Generated from _async/worker_calls.py by tools/unasync.py: change that file, not this one.
"""The calls about workers."""

import logging
from collections.abc import Mapping
from typing import Any

from coordinate_client._sync.rpc import CborRpcClient
from coordinate_client.answers import named, pair, readable
from coordinate_client.environment import environment as environment_of
from coordinate_protocol.constants import RUN

__all__ = ["WorkerCalls"]

_LIFETIME = 6000


class WorkerCalls(CborRpcClient):
    """What can be told and asked about workers."""

    def worker_register(
        self,
        worker_id: str,
        mode: str | None = None,
        lifetime: float = _LIFETIME,
        environment: Mapping[str, Any] | None = None,
        parent: str | None = None,
    ) -> bool:
        """Tell the server that a worker is there.

        Args:
            worker_id: its name.
            mode: RUN, IDLE or TERMINATE: what it does; None for RUN.
            lifetime: seconds after which it counts as gone, if it is not heard of again.
            environment: what to tell people about it; None for host, process id and version.
            parent: the worker that started it.

        Returns:
            Whether the server took note.
        """
        told = environment_of(worker_id, parent) if environment is None else environment
        return self.worker_heartbeat(worker_id, mode, lifetime, told, parent)

    def worker_heartbeat(
        self,
        worker_id: str,
        mode: str | None = None,
        lifetime: float = _LIFETIME,
        environment: Mapping[str, Any] | None = None,
        parent: str | None = None,
    ) -> bool:
        """Tell the server that a worker is still there; arguments as for `worker_register`."""
        told = None if environment is None else dict(environment)
        params = [worker_id, RUN if mode is None else mode, lifetime, told, parent]
        answer = self._rpc("worker_heartbeat", params)
        return bool(pair("worker_heartbeat", answer))

    def worker_unregister(self, worker_id: str, parent: str | None = None) -> bool:
        """Tell the server that a worker goes; whether it was there.

        Args:
            worker_id: its name.
            parent: not used; 0.1.5's callers may give it.
        """
        del parent
        return bool(pair("worker_unregister", self._rpc("worker_unregister", [worker_id])))

    def workers(self, alive: bool = True) -> dict[str, str]:
        """The mode of each worker.

        Args:
            alive: not used: a server knows only of workers that were heard of in time.
        """
        del alive
        found = pair("list_worker_modes", self._rpc("list_worker_modes"), logging.WARNING)
        return {readable(name): readable(mode) for name, mode in (found or {}).items()}

    def get_heartbeat(self, worker_id: str) -> dict[str, Any]:
        """What a worker last told of itself, with `age_seconds`; {} for one that is not there."""
        answer = self._rpc("get_worker_info", [worker_id])
        found = pair("get_worker_info", answer, logging.WARNING)
        return dict(
            named(found or {}, "worker_id", "parent", "host", "hostname", "fqdn", "version")
        )

    def mode_counts(self) -> dict[str, int]:
        """How many workers are in each mode."""
        found = pair("mode_counts", self._rpc("mode_counts"), logging.WARNING)
        return {readable(mode): count for mode, count in (found or {}).items()}

    def worker_stats(self) -> dict[str, int]:
        """How many workers there are: num_workers, num_children, num_expirable."""
        found: dict[str, int] = self._rpc("worker_stats")
        return found

    def set_mode(self, mode: str) -> None:
        """Do nothing: 0.1.5's callers may call it.

        Args:
            mode: not used.
        """

    def get_mode(self) -> str:
        """RUN, always: 0.1.5's callers may call it."""
        return RUN
