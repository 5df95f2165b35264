"""The rooms of a server put together, from the state to what the network talks to."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from attrs import field, frozen

from coordinate_protocol.limits import DEFAULT_LIMITS, Limits
from coordinate_server.model import Model
from coordinate_server.proxy import Backend, MultiBackendProxyObject
from coordinate_server.service.call import Calls
from coordinate_server.service.clock import Clock
from coordinate_server.service.committer import Committer
from coordinate_server.service.job_queue import JobQueue
from coordinate_server.service.locks import LockService
from coordinate_server.service.offers import Module
from coordinate_server.service.order_waits import OrderWaits
from coordinate_server.service.server_info import ServerInfo
from coordinate_server.service.sessions import SessionCalls
from coordinate_server.service.waiting import Timer
from coordinate_server.service.waiting_line import WaitingLines
from coordinate_server.service.watchers import Watchers

__all__ = ["ServiceSettings", "Timers", "assembled"]


class Timers(Protocol):
    """What is used of asyncio's loop."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer:
        """Call a function after so many seconds."""


@frozen
class ServiceSettings:
    """How a server behaves towards those who call.

    Arguments:
        limits: bounds on input.
        namespace: that of connections which never say another.
        shared: whether namespaces are ignored.
        shown_config: the configuration as anybody may see it.
        tracebacks: whether answers to failed calls have one.
        rpclog: whether every call's name is logged.
    """

    limits: Limits = DEFAULT_LIMITS
    namespace: str = "default"
    shared: bool = False
    shown_config: Mapping[str, Any] = field(factory=dict)
    tracebacks: bool = True
    rpclog: bool = False


def assembled(
    model: Model,
    clock: Clock,
    committer: Committer,
    timers: Timers,
    settings: ServiceSettings | None = None,
    plugins: Iterable[Module] = (),
) -> Backend:
    """Put the modules of a server together, and give what answers its connections.

    Arguments:
        model: the state.
        clock: gives the moment.
        committer: makes changes durable; those who wait are served with each of its groups.
        timers: end waits.
        settings: how it behaves; None for as it does by default.
        plugins: modules besides our own.

    Raises:
        CollisionError: two modules offer an operation of one name.
    """
    lines = WaitingLines(clock, timers.call_later, committer.request_flush)
    watchers = Watchers(clock, timers.call_later, committer.request_flush)
    orders = OrderWaits(timers.call_later, committer.request_flush)
    locks = LockService(model, clock, committer.request_flush)
    # Those who watch see what those who wait for work have got.
    committer.before_commit += [lines.serve, watchers.serve, locks.serve, orders.serve]
    told = settings or ServiceSettings()
    queue = JobQueue(lines, watchers, orders, told.limits, told.shown_config)
    info = ServerInfo(model, told.shared, backlog=lambda: committer.store.backlog)
    modules: list[Module] = [queue, locks, info, *plugins]
    proxy = MultiBackendProxyObject(
        modules,
        tracebacks=told.tracebacks,
        rpclog=told.rpclog,
        sessions=SessionCalls(model, clock),
        shortage=lambda: committer.store.shortage,
    )
    return Backend(proxy, Calls(model, clock, told.namespace), committer)
