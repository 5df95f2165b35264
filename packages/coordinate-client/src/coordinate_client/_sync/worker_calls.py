# Generated from _async/worker_calls.py by tools/unasync.py: change that file, not this one.
"""The calls about workers."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from coordinate_client._sync.order_calls import OrderCalls
from coordinate_client.answers import named, pair, readable
from coordinate_client.environment import environment as environment_of
from coordinate_client.orders import Orders, orders_of, wire_units
from coordinate_client.server import Server, can
from coordinate_client.waits import Wait, check_wait
from coordinate_protocol.constants import RUN

__all__ = ["WorkerCalls"]

_LIFETIME = 6000


class WorkerCalls(OrderCalls):
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
        params = _told(worker_id, mode, lifetime, environment, parent)
        answer = self._rpc("worker_heartbeat", params)
        return bool(pair("worker_heartbeat", answer))

    def heartbeat(
        self,
        worker_id: str,
        mode: str | None = None,
        lifetime: float = _LIFETIME,
        environment: Mapping[str, Any] | None = None,
        parent: str | None = None,
        *,
        children: Iterable[str] = (),
        seen: Any = None,
        wait: float | None = None,
    ) -> Orders:
        """Tell the server that a worker is still there, and learn what is asked of it.

        Args:
            worker_id: its name.
            mode: RUN, IDLE or TERMINATE: what it does; None for RUN.
            lifetime: seconds after which it counts as gone, if it is not heard of again.
            environment: what to tell people about it.
            parent: the worker that started it.
            children: those that it has started, which are still there, too.
            seen: the position of the orders that it follows; None for none.
            wait: seconds to wait for other orders than those; infinity for as long as it takes.
                Other calls of this client go on meanwhile.

        Returns:
            What is asked; by servers that know no orders, nothing, and at once.

        Raises:
            ClientClosed: where the client was closed meanwhile.
        """
        told = _told(worker_id, mode, lifetime, environment, parent)
        options = {"orders": True, "seen": seen, "children": list(children)}
        options = {name: value for name, value in options.items() if value not in (None, [])}
        waited = Wait(0.0 if seen is None else check_wait(wait), self.clock)

        def ask(waits: bool) -> Orders:
            def params(server: Server | None) -> list[Any]:
                if not can(server, "orders"):
                    return told
                return [*told, options | ({"wait": waited.part} if waits else {})]

            answer = self._call("worker_heartbeat", params, waited if waits else None)
            return orders_of(answer)

        def is_news(orders: Orders) -> bool:
            return orders.position is None or orders.position != seen

        if waited.over:
            return ask(waits=False)
        found: Orders = self._waited("worker_heartbeat", "orders", waited, ask, is_news)
        return found

    def worker_unregister(self, worker_id: str, parent: str | None = None) -> bool:
        """Tell the server that a worker goes; whether it was there.

        Args:
            worker_id: its name.
            parent: not used; 0.1.5's callers may give it.
        """
        del parent
        return bool(pair("worker_unregister", self._rpc("worker_unregister", [worker_id])))

    def release_worker(self, worker_id: str, lost: Iterable[tuple[str, Any]] = ()) -> bool:
        """Tell the server that a worker is gone for good, and has nothing any more.

        Servers that know no orders let its units wait for the end of their leases.

        Args:
            worker_id: its name.
            lost: (spec, key) of the units that it may have been ended by: each counts as a lost
                lease; the others that it had are given back.

        Returns:
            Whether it was there.
        """
        options = {"release": True, "lost": wire_units(lost)}

        def params(server: Server | None) -> list[Any]:
            return [worker_id, options] if can(server, "orders") else [worker_id]

        return bool(pair("worker_unregister", self._call("worker_unregister", params)))

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


def _told(
    worker_id: str,
    mode: str | None,
    lifetime: float,
    environment: Mapping[str, Any] | None,
    parent: str | None,
) -> list[Any]:
    said = None if environment is None else dict(environment)
    return [worker_id, RUN if mode is None else mode, lifetime, said, parent]
