"""JobQueue: work specs, work units and workers, as 0.1.5's clients know it."""

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from coordinate_protocol.limits import DEFAULT_LIMITS, Limits
from coordinate_server.service.call import Call
from coordinate_server.service.dependencies import DependencyCalls
from coordinate_server.service.explanations import ExplainCalls
from coordinate_server.service.handouts import HandoutCalls
from coordinate_server.service.heartbeats import HeartbeatCalls
from coordinate_server.service.offers import Offer, declared
from coordinate_server.service.order_waits import OrderWaits
from coordinate_server.service.orders import OrderCalls
from coordinate_server.service.specs import SpecCalls
from coordinate_server.service.units import UnitCalls
from coordinate_server.service.waiting_line import WaitingLines
from coordinate_server.service.watchers import Watchers
from coordinate_server.service.watching import WatchCalls
from coordinate_server.service.workers import WorkerCalls

__all__ = ["JobQueue"]


@define(slots=False)
class JobQueue(
    SpecCalls,
    UnitCalls,
    HandoutCalls,
    DependencyCalls,
    WorkerCalls,
    HeartbeatCalls,
    OrderCalls,
    ExplainCalls,
    WatchCalls,
):
    """The operations of the catalogue's service ``jobs``.

    Each method takes the ``Call`` first and then the wire's parameters by their names in the
    catalogue. The state is the call's namespace; here are only the settings, and who waits.

    Arguments:
        lines: who waits for work.
        watchers: who waits for changes.
        order_waits: which workers wait for orders.
        limits: bounds on what is decoded.
        shown_config: the configuration as anybody may see it.
    """

    lines: WaitingLines
    watchers: Watchers
    order_waits: OrderWaits
    limits: Limits = DEFAULT_LIMITS
    shown_config: Mapping[str, Any] = field(factory=dict)
    title: str = field(default="JobQueue", init=False)

    def offers(self) -> dict[str, Offer]:
        """Its operations by name."""
        return declared(self, "jobs")

    def get_config(self, call: Call) -> tuple[dict[str, Any], None]:
        """Give (the server's configuration without its secrets, null)."""
        del call
        return dict(self.shown_config), None
