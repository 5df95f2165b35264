"""What goes into the calls on work units, and what comes out of them."""

from collections.abc import Iterable

from attrs import field, frozen

__all__ = [
    "HandOut",
    "HeldUnit",
    "NewUnit",
    "UnitUpdate",
    "UnitView",
    "WorkRequest",
    "WorkerView",
]


@frozen
class NewUnit:
    """A unit to add.

    Arguments:
        key: its key; UTF-8 where it is text.
        data: its data as CBOR.
        priority: higher runs first; None for the standard one.
        delay: seconds until it may run; None for at once.
    """

    key: bytes
    data: bytes
    priority: float | None = None
    delay: float | None = None


@frozen
class UnitUpdate:
    """What to change in a unit; None leaves a part as it is.

    Arguments:
        lease_time: seconds from now; below zero gives the unit back at once.
        status: the status to go to.
        data: the new data as CBOR.
        worker_id: who says so; None for a caller that does not say, who may do more.
    """

    lease_time: float | None = None
    status: int | None = None
    data: bytes | None = None
    worker_id: str | None = None


def _names(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


@frozen
class WorkRequest:
    """What a worker asks for.

    Arguments:
        max_jobs: how many units at most; all are of one spec.
        spec_names: the specs to choose from; None for all.
        lease_time: seconds; None for the usual 300.
        available_gb: memory at hand; None for enough.
    """

    max_jobs: int = 1
    spec_names: frozenset[str] | None = field(default=None, converter=_names)
    lease_time: float | None = None
    available_gb: float | None = None


@frozen
class HandOut:
    """A unit that a worker has now.

    Arguments:
        spec: the name of its spec.
        key: its key.
        data: its data as CBOR.
        attempt: the number of this hand-out, larger than that of any before.
        deadline: when the lease ends, on ``now``.
        message: what was changed about the request, for people; None for nothing.
    """

    spec: str
    key: bytes
    data: bytes
    attempt: int
    deadline: float
    message: str | None = None


@frozen
class UnitView:
    """How a unit is at one moment.

    Arguments:
        key: its key.
        status: its status.
        priority: its priority.
        data: its data as CBOR.
        worker_id: who has it or ended it, or None.
        attempt: the number of its last hand-out, 0 for none.
        deadline: when its lease ends, on ``now``; None unless it is pending.
        not_before: when it may run, on ``wall``; None unless it is delayed.
        ended: when it ended, on ``wall``; None unless it has.
    """

    key: bytes
    status: int
    priority: float
    data: bytes
    worker_id: str | None
    attempt: int
    deadline: float | None
    not_before: float | None
    ended: float | None


@frozen
class HeldUnit:
    """A unit in somebody's hands.

    Arguments:
        spec: the name of its spec.
        key: its key.
        data: its data as CBOR.
        worker_id: who has it.
        deadline: when the lease ends, on ``now``.
    """

    spec: str
    key: bytes
    data: bytes
    worker_id: str
    deadline: float


@frozen
class WorkerView:
    """What is known of a worker.

    Arguments:
        worker_id: its name.
        mode: what it said it does.
        parent: its parent's name or None.
        data: what its last heartbeat said, as CBOR; an empty map after a restart.
        heard: when that was, on ``now``.
        expiry: when it is forgotten, on ``now``; None for never.
    """

    worker_id: str
    mode: str
    parent: str | None
    data: bytes
    heard: float
    expiry: float | None
