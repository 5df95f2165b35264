"""What the heart of an `AsyncWorker` knows of it, and tells it."""

from asyncio import AbstractEventLoop
from collections.abc import Iterable
from typing import Any

from attrs import define, field

from coordinate_client.constants import IDLE, RUN, TERMINATE
from coordinate_client.orders import CancelOrder, Orders
from coordinate_client.workers.heart import Pulse
from coordinate_client.workers.presence import presence, running_shown
from coordinate_client.workers.unit_tasks import UnitTasks
from coordinate_protocol.values import key_bytes

__all__ = ["AsyncCrew"]


@define
class AsyncCrew:
    """The tasks of an event loop, for the threads beside it.

    Args:
        pulse: who they are.
        tasks: what runs.
        loop: where it runs.
        packages: whether each heartbeat says what is installed.
    """

    pulse: Pulse
    tasks: UnitTasks
    loop: AbstractEventLoop
    packages: bool = False
    _mode: str = field(default=RUN, init=False)

    def mode(self) -> str:
        """What they do."""
        return self._mode

    def told(self, *, packages: bool) -> dict[str, Any]:
        """What heartbeats say of them."""
        pulse = self.pulse
        shown = [(pulse.worker_id, unit) for unit in tuple(self.tasks.running.values())]
        wants = packages or self.packages
        said = presence(pulse.worker_id, pulse.parent, wants_packages=wants)
        return said | {"running": running_shown(shown)}

    def children(self) -> Iterable[str]:
        """None: they are one worker."""
        return ()

    def follow(self, orders: Orders) -> None:
        """Do as was asked."""
        changed = self._mode not in {orders.mode, TERMINATE}
        if changed:
            # Here, not in the loop: the next heartbeat says it, and follows at once.
            self._mode = orders.mode
        self.loop.call_soon_threadsafe(self._follow, orders, changed)

    def _follow(self, orders: Orders, changed: bool) -> None:
        if changed:
            acts = {TERMINATE: self.tasks.stop, IDLE: self.tasks.pause, RUN: self.tasks.resume}
            acts.get(orders.mode, self.tasks.resume)()
        for order in orders.cancelled:
            self._cancel(order)

    def _cancel(self, order: CancelOrder) -> None:
        name = order.work_spec_name, key_bytes(order.work_unit_key)
        for unit, running in tuple(self.tasks.running.items()):
            same = (running.work_spec_name, running.key) == name
            if same and order.attempt in {None, running.attempt}:
                self.tasks.runner.cancel(unit, order.reason or "cancelled")

    def stop(self) -> None:
        """Finish what runs, then stop."""
        self._mode = TERMINATE
        self.loop.call_soon_threadsafe(self.tasks.stop)

    def stop_now(self) -> None:
        """Give back what runs, and stop."""
        self._mode = TERMINATE
        self.loop.call_soon_threadsafe(self.tasks.stop_now)
