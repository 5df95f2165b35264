"""What goes into the calls on work units, and what comes out of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

from coordinate_server.model.numbers import check_number
from coordinate_server.model.reasons import Reason

__all__ = [
    "AttemptView",
    "EdgeEnd",
    "HandOut",
    "HeldUnit",
    "LockSet",
    "Need",
    "NeedView",
    "NewEdge",
    "NewUnit",
    "Presence",
    "SpecExplanation",
    "SpecPlace",
    "UnitExplanation",
    "UnitUpdate",
    "UnitView",
    "WorkRequest",
    "WorkerExplanation",
    "WorkerView",
]


LockSet = tuple[tuple[tuple[bytes, ...], int], ...]
"""Paths of locks (parts as CBOR), each with its mode; none is another one, or under it."""


@frozen
class Need:
    """A unit that another one needs.

    Arguments:
        spec: the name of its spec; None for that of the other.
        key: its key.
        hard: whether it must have finished, not only ended.
    """

    spec: str | None
    key: bytes
    hard: bool = True


@frozen
class EdgeEnd:
    """One of the two units of a dependency that is to be added.

    Arguments:
        spec: the name of its spec.
        key: its key.
        data: its data as CBOR, to add it; None for one that is there.
    """

    spec: str
    key: bytes
    data: bytes | None = None


@frozen
class NewEdge:
    """A dependency to add.

    Arguments:
        later: the unit that needs the other.
        earlier: the unit that it needs.
        hard: whether that must have finished, not only ended.
    """

    later: EdgeEnd
    earlier: EdgeEnd
    hard: bool = True


@define
class NewUnit:
    """A unit to add.

    Arguments:
        key: its key; UTF-8 where it is text.
        data: its data as CBOR.
        priority: higher runs first; None for the standard one.
        delay: seconds until it may run; None for at once.
        needs: the units that it needs.
        locks: the locks that it needs while it is pending; None for what it needed before.
    """

    key: bytes
    data: bytes
    priority: float | None = None
    delay: float | None = None
    needs: tuple["Need", ...] = ()
    locks: LockSet | None = None

    @property
    def is_plain(self) -> bool:
        """Whether there is no more to it than its key and data."""
        return (
            self.priority is None and self.delay is None and not self.needs and self.locks is None
        )


@define
class UnitUpdate:
    """What to change in a unit; None leaves a part as it is.

    Arguments:
        lease_time: seconds from now; below zero gives the unit back at once.
        status: the status to go to.
        data: the new data as CBOR.
        worker_id: who says so; None for a caller that does not say.
        attempt: the hand-out that it rests on; None for a caller that does not say. One that says
            neither may do more.
        delay: seconds until it may run again, if it is to; None for what its spec says.
    """

    lease_time: float | None = None
    status: int | None = None
    data: bytes | None = None
    worker_id: str | None = None
    delay: float | None = None
    attempt: int | None = None

    @property
    def owned(self) -> bool:
        """Whether the caller says that the unit is its own."""
        return self.worker_id is not None or self.attempt is not None


def _names(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


@define
class WorkRequest:
    """What a worker asks for.

    Arguments:
        max_jobs: how many units at most; all are of one spec.
        spec_names: the specs to choose from; None for all.
        lease_time: seconds; None for the usual 300.
        available_gb: memory at hand; None for enough.
        runtimes: what it can run; None for everything.

    Raises:
        Refused: less than one unit is asked for, or the lease or memory is no number.
    """

    max_jobs: int = 1
    spec_names: frozenset[str] | None = field(default=None, converter=_names)
    lease_time: float | None = None
    available_gb: float | None = None
    runtimes: frozenset[str] | None = field(default=None, converter=_names)

    def __attrs_post_init__(self) -> None:
        check_number("max_jobs", self.max_jobs, 1)
        if self.lease_time is not None:
            check_number("lease_time", self.lease_time)
        if self.available_gb is not None:
            check_number("available_gb", self.available_gb)


@define
class HandOut:
    """A unit that a worker has now.

    Arguments:
        spec: the name of its spec.
        key: its key.
        data: its data as CBOR.
        attempt: the number of this hand-out, larger than that of any before.
        deadline: when the lease ends, on ``now``.
        message: what was changed about the request, for people; None for nothing.
        locks: the locks that it has.
    """

    spec: str
    key: bytes
    data: bytes
    attempt: int
    deadline: float
    message: str | None = None
    locks: LockSet = ()


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
        failures: how often it failed since it was added or taken up again.
        lost_leases: how many leases it lost since then.
        reason: why the server failed it; None if it did not.
        output_error: what of its output made no unit, or None.
        cancel: why whoever has it is to end it; None if they are not.
        needs: the first thousand units that it needs.
        needs_count: how many units it needs.
        unmet: how many of these keep it from running.
        locks: the locks that it has while it is pending.
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
    failures: int = 0
    lost_leases: int = 0
    reason: str | None = None
    output_error: str | None = None
    cancel: str | None = None
    needs: tuple["NeedView", ...] = ()
    needs_count: int = 0
    unmet: int = 0
    locks: LockSet = ()


@frozen
class NeedView:
    """A unit that another one needs, as it is at one moment.

    Arguments:
        spec: the name of its spec.
        key: its key.
        hard: whether it must have finished, not only ended.
        status: its status.
    """

    spec: str
    key: bytes
    hard: bool
    status: int


@frozen
class AttemptView:
    """One hand-out of a unit.

    Arguments:
        attempt: its number.
        worker_id: who got it, or None for a caller that did not say.
        began: when, on ``wall``.
        ended: when it was over, on ``wall``; None if it is not.
        outcome: pending, finished, failed, lost, released or replaced.
        reason: why the server ended it, or None.
        traceback: what the unit's data said of a failure, or None.
    """

    attempt: int
    worker_id: str | None
    began: float | None
    ended: float | None
    outcome: str
    reason: str | None = None
    traceback: str | None = None


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
class Presence:
    """What a heartbeat tells of the worker's surroundings.

    Arguments:
        parent: the name of the worker that started it, or None.
        hosts: the names of the machine that it is on, the one for people first.
        children: workers that it has started, which are there still.
        packages: what is installed, as CBOR; None if it does not say it.
    """

    parent: str | None = None
    hosts: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    packages: bytes | None = None


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
        packages: what it last said that is installed, as CBOR; None if it has not said it.
    """

    worker_id: str
    mode: str
    parent: str | None
    data: bytes
    heard: float
    expiry: float | None
    packages: bytes | None = None


@frozen
class UnitExplanation:
    """Why a unit does not run.

    Arguments:
        status: its status.
        text: the first reason.
        reasons: all of them, in the scheduler's order.
    """

    status: int
    text: str
    reasons: tuple[Reason, ...]


@frozen
class SpecExplanation:
    """Why a spec hands out nothing.

    Arguments:
        text: the first reason.
        counts: its units by status, and of the available ones how many are runnable and, by the
            code of the reason, how many are waiting.
        reasons: all of them, in the scheduler's order.
    """

    text: str
    counts: Mapping[str, Any]
    reasons: tuple[Reason, ...]


@frozen
class SpecPlace:
    """Why a worker gets nothing of a spec.

    Arguments:
        spec: its name.
        reasons: why, in the scheduler's order.
        place: its place among those whose turn it is by weight; None if it is not among them.
    """

    spec: str
    reasons: tuple[Reason, ...]
    place: int | None


@frozen
class WorkerExplanation:
    """What a worker would get.

    Arguments:
        text: that, in a sentence.
        spec: the name of the spec of what it would get; None for nothing.
        key: the unit's key; None for nothing, or for one that is to be made up.
        holds: spec, key and deadline (on ``now``) of what it has.
        specs: each spec, by name.
    """

    text: str
    spec: str | None
    key: bytes | None
    holds: tuple[tuple[str, bytes, float], ...]
    specs: tuple[SpecPlace, ...]
