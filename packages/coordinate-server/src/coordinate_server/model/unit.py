"""One work unit, as lean as a million of them need it."""

from attrs import define

from coordinate_protocol.constants import AVAILABLE, STANDARD
from coordinate_server.model.calls import LockSet, UnitView
from coordinate_server.model.graph import Links
from coordinate_server.model.history import History

__all__ = ["LockSet", "Unit"]


@define(eq=False)
class Unit:
    """A work unit; two are the same only if they are one object.

    Arguments:
        key: its key.
        data: its data as CBOR, the bytes as they came.
        priority: higher runs first.
        status: its status.
        attempt: the number of its last hand-out, 0 for none.
        worker_id: who has it, or who ended it.
        deadline: when its lease ends, on ``now``; None unless it is pending.
        not_before: when it may run, on ``wall``; None unless it is delayed.
        ended: when it ended, on ``wall``; None unless it has.
        began: when its last hand-out was, on ``wall``; None for none.
        history: what came before; None for nothing.
        links: what it needs and who needs it; None for nothing.
        locks: the locks that it has while it is pending; None for none.
        held: the value of its spec's ``serial_key`` that it was handed out with, as CBOR, where its
            data have another one by now; None where they do not.
    """

    key: bytes
    data: bytes
    priority: float = 0
    status: int = AVAILABLE
    attempt: int = 0
    worker_id: str | None = None
    deadline: float | None = None
    not_before: float | None = None
    ended: float | None = None
    began: float | None = None
    history: History | None = None
    links: Links | None = None
    locks: LockSet | None = None
    held: bytes | None = None

    def is_fresh(self) -> bool:
        """Whether it is as it was added, with no more to it than its key and data."""
        return (
            self.status == AVAILABLE
            and self.priority == STANDARD
            and not self.attempt
            and self.not_before is None
            and self.history is None
            and self.links is None
            and self.locks is None
        )

    def free(self) -> None:
        """Forget whose it is, when it ended and what it waits for."""
        self.worker_id = self.deadline = self.not_before = self.ended = None

    def past(self) -> History:
        """Give its history, which begins if it had none."""
        if self.history is None:
            self.history = History()
        return self.history

    def view(self) -> UnitView:
        """Give how it is now, apart from what becomes of it."""
        history = self.history or _NO_HISTORY
        return UnitView(
            key=self.key,
            status=self.status,
            priority=self.priority,
            data=self.data,
            worker_id=self.worker_id,
            attempt=self.attempt,
            deadline=self.deadline,
            not_before=self.not_before,
            ended=self.ended,
            failures=history.failures,
            lost_leases=history.lost,
            reason=history.reason,
            output_error=history.output_error,
            cancel=history.cancel,
            locks=self.locks or (),
        )


_NO_HISTORY = History()
