"""What workers are told, and what is told of them with what they have."""

from attrs import frozen

from coordinate_server.model.calls import WorkerView

__all__ = ["CancelView", "HeldView", "WorkerOrders", "WorkerState"]


@frozen
class CancelView:
    """A unit that its worker is to end.

    Arguments:
        spec: the name of its spec.
        key: its key.
        attempt: the hand-out that is meant.
        reason: why, for people.
    """

    spec: str
    key: bytes
    attempt: int
    reason: str | None


@frozen
class WorkerOrders:
    """All that is asked of a worker.

    Arguments:
        mode: RUN, IDLE or TERMINATE.
        cancels: the units that are to end, of the worker and of those that it has started.
        packages: whether it is to say what is installed.
    """

    mode: str
    cancels: tuple[CancelView, ...]
    packages: bool


@frozen
class HeldView:
    """A unit that a worker has, without its data.

    Arguments:
        spec: the name of its spec.
        key: its key.
        attempt: the number of its hand-out.
        deadline: when its lease ends, on ``now``.
        began: when it was handed out, on ``wall``; None if that is not known.
        cancel: why the worker is to end it; None if it is not.
    """

    spec: str
    key: bytes
    attempt: int
    deadline: float | None
    began: float | None
    cancel: str | None


@frozen
class WorkerState:
    """A worker with what it has.

    Arguments:
        view: what is known of it.
        asked: the mode that is asked of it.
        host: the machine that it says it is on; None if it does not.
        units: what it has in its hands, the first of it.
        count: how many units that are in all.
    """

    view: WorkerView
    asked: str
    host: str | None
    units: tuple[HeldView, ...]
    count: int
