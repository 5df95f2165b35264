"""The operation by which workers say that they are there, and learn what is asked of them."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from coordinate_protocol.codec import encode
from coordinate_protocol.constants import MAX_WAIT
from coordinate_protocol.values import key_value, text_keys
from coordinate_server.model.calls import Presence
from coordinate_server.model.order_views import CancelView
from coordinate_server.service.arguments import Options, text
from coordinate_server.service.call import Call
from coordinate_server.service.order_waits import OrderWaits, Told
from coordinate_server.service.waiting import Pending

__all__ = ["HeartbeatCalls"]

_DEFAULT_EXPIRY, _MAX_EXPIRY = 300, 24 * 3600
_OPTIONS: Final = frozenset({"orders", "wait", "seen", "children"})
_MOST_CHILDREN = 10_000
# The one for people first; 0.1.5's workers have all three.
_HOST_NAMES = ("host", "hostname", "fqdn")

Answer = tuple[bool, str | None] | tuple[bool, str | None, dict[str, Any]]


class HeartbeatCalls:
    """Heartbeats of workers.

    Arguments:
        order_waits: who waits for orders.
    """

    order_waits: OrderWaits

    def worker_heartbeat(
        self,
        call: Call,
        worker_id: object,
        mode: object,
        expire_seconds: object,
        data: object,
        parent: object,
        options: object = None,
    ) -> Answer | Pending:
        """Register a worker or renew it; gives (true, what was clamped or null, orders?)."""
        read = Options.read(options, call, _OPTIONS)
        name, children = text(worker_id, "worker_id"), _children(read)
        wait = read.number("wait", 0, 0, MAX_WAIT)
        message = _beat(call, name, text(mode, "mode"), expire_seconds, data, parent, children)
        if not read.flag("orders"):
            return True, message
        told = self.order_waits.look(call.namespace, name, children)
        if not wait or read.given.get("seen") != told[0]:
            return _answer(message, told)
        waiting = self.order_waits.wait(call.namespace, name, children, told[0], wait)
        return waiting.mapped(partial(_answer, message))


def _children(read: Options) -> tuple[str, ...]:
    children = read.names("children") or []
    if len(children) > _MOST_CHILDREN:
        raise ValueError(f"children should be at most {_MOST_CHILDREN} names, not {len(children)}")
    return tuple(children)


def _beat(
    call: Call,
    worker_id: str,
    mode: str,
    expire_seconds: object,
    data: object,
    parent: object,
    children: tuple[str, ...],
) -> str | None:
    """Take note of a worker; gives what was clamped, for people."""
    given = _DEFAULT_EXPIRY if expire_seconds is None else expire_seconds
    read = Options({"expire_seconds": given})
    seconds = read.clamped("expire_seconds", None, 0, _MAX_EXPIRY)
    said, packages = _without_packages(text_keys(data))
    started_by = text(parent, "parent") if parent else None
    around = Presence(started_by, _hosts(said), children, packages)
    call.namespace.heartbeat(call.at, worker_id, mode, seconds, encode(said), around)
    return read.message


def _without_packages(said: Any) -> tuple[Any, bytes | None]:
    """Take out what is installed: it is said once, and kept while other things change."""
    if not isinstance(said, Mapping) or said.get("packages") is None:
        return said, None
    left = {name: value for name, value in said.items() if name != "packages"}
    return left, encode(said["packages"])


def _hosts(said: Any) -> tuple[str, ...]:
    """Give the names of a worker's machine; what is no name is none."""
    found: dict[str, None] = {}
    if not isinstance(said, Mapping):
        return ()
    for name in _HOST_NAMES:
        value = said.get(name)
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        if isinstance(value, str) and value:
            found[value] = None
    return tuple(found)


def _answer(message: str | None, told: Told) -> Answer:
    position, orders = told
    shown: dict[str, Any] = {
        "position": position,
        "mode": orders.mode,
        "cancel": [_cancel(order) for order in orders.cancels],
    }
    if orders.packages:
        shown["packages"] = True
    return True, message, shown


def _cancel(order: CancelView) -> tuple[Any, ...]:
    return order.spec, key_value(order.key), order.attempt, order.reason
