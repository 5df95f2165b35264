"""Workers that wait for other orders than those that they follow."""

from collections.abc import Callable, Iterator
from hashlib import blake2b

import cbor2
from attrs import astuple, define, field

from coordinate_protocol.constants import RUN
from coordinate_server.model import Namespace
from coordinate_server.model.order_views import WorkerOrders
from coordinate_server.service.waiting import Later, Pending, Timer

__all__ = ["OrderWaits", "Told", "position_of"]

_POSITION_BYTES = 8
Told = tuple[bytes, WorkerOrders]
"""What is asked of a worker, with its position."""


def position_of(orders: WorkerOrders) -> bytes:
    """Give what orders are known by: the same for the same ones, whenever and wherever."""
    if orders.mode == RUN and not orders.cancels and not orders.packages:
        return b""
    return blake2b(cbor2.dumps(astuple(orders)), digest_size=_POSITION_BYTES).digest()


@define(eq=False)
class _Waiter:
    """A worker that waits.

    Arguments:
        worker_id: its name.
        children: those that it says it has started.
        position: that of the orders which it follows.
        pending: its answer.
        timer: ends the wait.
    """

    worker_id: str
    children: tuple[str, ...]
    position: bytes
    pending: Pending
    timer: Timer


@define(eq=False)
class _Waiting:
    """Who waits in one namespace, by the names of those whose orders they wait for."""

    namespace: Namespace
    by_name: dict[str, dict[_Waiter, None]] = field(factory=dict, init=False)

    def add(self, waiter: _Waiter) -> None:
        for name in (waiter.worker_id, *waiter.children):
            self.by_name.setdefault(name, {})[waiter] = None

    def remove(self, waiter: _Waiter) -> None:
        for name in (waiter.worker_id, *waiter.children):
            waiters = self.by_name.get(name, {})
            waiters.pop(waiter, None)
            if not waiters:
                self.by_name.pop(name, None)

    def concerned(self, names: frozenset[str] | None) -> Iterator[_Waiter]:
        """Give those who may be asked something else, once each."""
        wanted = list(self.by_name) if names is None else [*names, *self._parents(names)]
        found = {waiter: None for name in wanted for waiter in self.by_name.get(name, ())}
        return iter(found)

    def _parents(self, names: frozenset[str]) -> Iterator[str]:
        found = (self.namespace.parent_of(name) for name in names)
        return (parent for parent in found if parent is not None)


@define
class OrderWaits:
    """Tells workers that wait what is asked of them, when that is something else.

    Arguments:
        later: calls a function after so many seconds.
        changed: called when an answer leaves that nothing has changed for.
    """

    later: Later
    changed: Callable[[], None]
    _waiting: dict[Namespace, _Waiting] = field(factory=dict, init=False)

    def look(self, namespace: Namespace, worker_id: str, children: tuple[str, ...]) -> Told:
        """Give what is asked of a worker now."""
        orders = namespace.orders(worker_id, children)
        return position_of(orders), orders

    def wait(
        self,
        namespace: Namespace,
        worker_id: str,
        children: tuple[str, ...],
        position: bytes,
        seconds: float,
    ) -> Pending:
        """Wait for other orders than those of a position, which are the present ones.

        Gives what is settled with ``Told``, after so many seconds with the same again.
        """
        waiting = self._waiting.setdefault(namespace, _Waiting(namespace))
        pending = Pending(
            lambda: self._remove(waiting, waiter), lambda: self._give_up(waiting, waiter)
        )
        timer = self.later(seconds, lambda: self._give_up(waiting, waiter))
        waiter = _Waiter(worker_id, children, position, pending, timer)
        waiting.add(waiter)
        return pending

    def serve(self) -> None:
        """Tell those of whom something else is asked."""
        for waiting in list(self._waiting.values()):
            if waiting.namespace.order_news:
                for waiter in waiting.concerned(waiting.namespace.order_news.take()):
                    told = self.look(waiting.namespace, waiter.worker_id, waiter.children)
                    if told[0] != waiter.position:
                        self._settle(waiting, waiter, told)

    def _give_up(self, waiting: _Waiting, waiter: _Waiter) -> None:
        told = self.look(waiting.namespace, waiter.worker_id, waiter.children)
        self._settle(waiting, waiter, told)
        self.changed()

    def _settle(self, waiting: _Waiting, waiter: _Waiter, told: Told) -> None:
        self._remove(waiting, waiter)
        waiter.pending.settle(told)

    def _remove(self, waiting: _Waiting, waiter: _Waiter) -> None:
        waiter.timer.cancel()
        waiting.remove(waiter)
        if not waiting.by_name:
            self._waiting.pop(waiting.namespace, None)
