"""What a server asks of a worker, in its answer to a heartbeat."""

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from coordinate_client.answers import named, readable
from coordinate_client.exceptions import InvalidAnswer
from coordinate_protocol.constants import RUN

__all__ = ["NO_ORDERS", "CancelOrder", "Orders", "orders_of", "readable_worker", "wire_units"]


@frozen
class CancelOrder:
    """A unit that is to end.

    Args:
        work_spec_name: the spec it is of.
        work_unit_key: which it is.
        attempt: the hand-out that is meant; None where the server does not say it.
        reason: why, for people; None where nobody said it.
    """

    work_spec_name: str
    work_unit_key: str | bytes
    attempt: int | None = None
    reason: str | None = None


@frozen
class Orders:
    """All that is asked of a worker at one moment.

    Args:
        position: which orders these are, for the next heartbeat; None by servers that have none.
        mode: RUN, IDLE or TERMINATE.
        cancelled: the units that are to end, of the worker and of those that it has started.
        packages: whether it is to say what is installed.
    """

    position: Any
    mode: str
    cancelled: tuple[CancelOrder, ...] = ()
    packages: bool = False


NO_ORDERS = Orders(None, RUN)
"""What servers that know no orders ask."""


def orders_of(answer: Any) -> Orders:
    """Read what a heartbeat was answered with.

    Raises:
        InvalidAnswer: where it is neither orders nor the pair of servers that have none.
    """
    if not isinstance(answer, (list, tuple)) or len(answer) not in (_PAIR, _WITH_ORDERS):
        raise _not_understood(answer)
    if len(answer) == _PAIR:
        return NO_ORDERS
    try:
        found = answer[2]
        cancelled = tuple(_cancel_order(*order) for order in found.get("cancel", ()))
        mode, packages = readable(found["mode"]), bool(found.get("packages"))
        return Orders(found["position"], mode, cancelled, packages)
    except (TypeError, KeyError, AttributeError) as error:
        raise _not_understood(answer) from error


_PAIR, _WITH_ORDERS = 2, 3


def _not_understood(answer: Any) -> InvalidAnswer:
    return InvalidAnswer(f"worker_heartbeat was answered with {answer!r:.200}: it must be orders")


def _cancel_order(spec: Any, key: Any, attempt: Any, reason: Any) -> CancelOrder:
    return CancelOrder(readable(spec), readable(key), attempt, readable(reason))


def wire_units(units: Iterable[Any]) -> list[list[Any]]:
    """(spec, key) of units, as they are sent."""
    return [[spec, key] for spec, key in units]


def readable_worker(worker: Mapping[str, Any]) -> dict[str, Any]:
    """A worker of the list of them, with names that are text."""
    found = dict(named(worker, "worker_id", "parent", "mode", "asked", "host"))
    names = ("work_spec_name", "work_unit_key", "cancel")
    found["units"] = [dict(named(unit, *names)) for unit in worker.get("units", ())]
    return found
