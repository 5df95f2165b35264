"""The loops that run units in one process, and the heart that speaks for them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field

from coordinate_client import TaskMaster
from coordinate_client.constants import IDLE, RUN, TERMINATE
from coordinate_client.orders import CancelOrder, Orders
from coordinate_client.workers.heart import Heart, Pulse
from coordinate_client.workers.noted import NotedWatcher
from coordinate_client.workers.presence import presence, running_shown
from coordinate_client.workers.running import Runner
from coordinate_client.workers.unit_loop import UnitLoop
from coordinate_protocol.values import key_bytes

__all__ = ["Crew", "Hand", "crew_heart"]


@define
class Hand:
    """One loop of a crew.

    Args:
        loop: fetches and runs units.
        runner: runs them for the loop.
        watcher: knows what runs.
    """

    loop: UnitLoop
    runner: Runner
    watcher: NotedWatcher


@define
class Crew:
    """Some loops that are one worker at the server.

    Args:
        pulse: who they are.
        hands: the loops.
        packages: whether each heartbeat says what is installed.
    """

    pulse: Pulse
    hands: Sequence[Hand]
    packages: bool = False
    _mode: str = field(default=RUN, init=False)

    # ---- for the heart ----

    def mode(self) -> str:
        """What they do."""
        return self._mode

    def told(self, *, packages: bool) -> dict[str, Any]:
        """What heartbeats say of them."""
        pulse = self.pulse
        running = [hand.watcher.running for hand in self.hands]
        shown = [(pulse.worker_id, unit) for unit in running if unit is not None]
        wants = packages or self.packages
        said = presence(pulse.worker_id, pulse.parent, wants_packages=wants)
        return said | {"running": running_shown(shown)}

    def children(self) -> Iterable[str]:
        """None: they are one worker."""
        return ()

    def follow(self, orders: Orders) -> None:
        """Do as was asked."""
        if self._mode not in {orders.mode, TERMINATE}:
            self._mode = orders.mode
            self._change()
        for order in orders.cancelled:
            self._cancel(order)

    def _change(self) -> None:
        for hand in self.hands:
            if self._mode == TERMINATE:
                hand.loop.stop()
            elif self._mode == IDLE:
                hand.loop.pause()
            else:
                hand.loop.resume()

    def _cancel(self, order: CancelOrder) -> None:
        name = order.work_spec_name, key_bytes(order.work_unit_key)
        for hand in self.hands:
            unit = hand.watcher.running
            if unit is None or (unit.work_spec_name, unit.key) != name:
                continue
            if order.attempt in {None, unit.attempt}:
                hand.runner.cancel(order.reason or "cancelled", unit.attempt)

    # ---- for signals ----

    def stop(self) -> None:
        """Finish what runs, then stop."""
        self._mode = TERMINATE
        self._change()

    def stop_now(self) -> None:
        """Give back what runs, and stop."""
        self._mode = TERMINATE
        for hand in self.hands:
            hand.loop.stop_now()

    def give_up(self) -> None:
        """Give back what was not begun; the process ends then."""
        for hand in self.hands:
            hand.loop.give_up()


def crew_heart(config: Mapping[str, Any], crew: Crew) -> Heart:
    """A heart for a crew, with a way to the server of its own.

    Args:
        config: the `coordinate:` block.
        crew: whom it speaks for.
    """
    return Heart(TaskMaster(config), crew.pulse, crew)
