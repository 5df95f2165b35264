"""The group commit: what one turn of the loop applied is durable before its replies."""

from collections.abc import Callable
from typing import Final, Protocol

from attrs import define, field

from coordinate_server.model import Model
from coordinate_server.model.changes import Change
from coordinate_server.service.clock import Clock
from coordinate_server.store.interface import Store, StoreError

__all__ = ["Committer"]


_MOST_LOOKS: Final = 4
"""So many turns of the loop the end of a group is put off while more comes in."""

_LONGEST: Final = 0.002
"""Seconds after which it is put off no more: a commit takes less than that."""


class Loop(Protocol):
    """What is used of asyncio's loop."""

    def call_soon(self, callback: Callable[[], None], /) -> object:
        """Run it in the next turn."""


@define
class Committer:
    """Holds replies back until what they rest on is durable.

    The commit is made inline, on the loop: in a thread it costs more in fights for the GIL than
    it wins by waiting elsewhere.

    Arguments:
        model: where changes come from.
        store: where they go.
        clock: gives the moment that goes with each commit.
        loop: runs what ends a group after everything that is ready now.
        on_failure: called once with the error; nothing is acknowledged any more.

    Attributes:
        before_commit: called at the beginning of every group's end: what waits and is served there
            is durable together with what made that possible.
        after_commit: called at its end, when replies have left.
    """

    model: Model
    store: Store
    clock: Clock
    loop: Loop
    on_failure: Callable[[StoreError], None]
    before_commit: list[Callable[[], None]] = field(factory=list, init=False)
    after_commit: list[Callable[[], None]] = field(factory=list, init=False)
    failed: bool = field(default=False, init=False)
    commits: int = field(default=0, init=False)
    _sends: list[Callable[[], None]] = field(factory=list, init=False)
    _extra: list[Change] = field(factory=list, init=False)
    _after: list[Callable[[], None]] = field(factory=list, init=False)
    _scheduled: bool = field(default=False, init=False)
    # How often it was looked whether more has come, and how many replies waited then.
    _looks: int = field(default=0, init=False)
    _seen: int = field(default=0, init=False)
    # When the group began, on ``now``.
    _began: float = field(default=0.0, init=False)

    def reply_after_commit(self, send: Callable[[], None]) -> None:
        """Have ``send`` called once everything applied so far is durable; never, if that fails."""
        self._sends.append(send)
        self.request_flush()

    def add(self, change: Change, committed: Callable[[], None]) -> None:
        """Put a change of somebody else than the model into this group.

        Arguments:
            change: the row.
            committed: called when it is durable, before the replies.
        """
        self._extra.append(change)
        self._after.append(committed)
        self.request_flush()

    def request_flush(self) -> None:
        """Have the group end with this turn of the loop, or with the next ones if more comes in."""
        if not self._scheduled:
            self._scheduled = True
            self._looks = self._seen = 0
            self._began = self.clock.instant().now
            self.loop.call_soon(self._gather)

    def _gather(self) -> None:
        """End the group when nothing came in while the last of it was applied.

        A commit costs the same for one call as for many, so what has come meanwhile goes with it.
        """
        came = len(self._sends)
        if came > self._seen and self._looks < _MOST_LOOKS and self._is_young():
            self._seen = came
            self._looks += 1
            self.loop.call_soon(self._gather)
        else:
            self.flush()

    def _is_young(self) -> bool:
        return self.clock.instant().now - self._began < _LONGEST

    def flush(self) -> None:
        """Commit what there is, then let the replies go."""
        self._scheduled = False
        if self._is_over():
            return
        for serve in self.before_commit:
            serve()
        sends, self._sends = self._sends, []
        if self._committed():
            for send in sends:
                send()
            for go_on in self.after_commit:
                go_on()

    def _committed(self) -> bool:
        if self._is_over():
            return False
        changes = self.model.take_changes(self.clock.instant())
        if self._extra:
            changes = [*changes, *self._extra]
            self._extra = []
        if changes:
            try:
                self.store.commit(changes)
            except StoreError as error:
                # The outcome is unknown: SQLite was seen to report an error for rows that were
                # there after a restart. Only recovery from the file can tell.
                self._fail(error)
                return False
            self.commits += 1
        after, self._after = self._after, []
        for committed in after:
            committed()
        return True

    def _is_over(self) -> bool:
        """Whether nothing may be committed any more."""
        failure = self.model.failure
        if failure is not None and not self.failed:
            # A call may have done half of what it was to do when it came to a row that it needed.
            self._fail(StoreError(str(failure) or repr(failure)))
        return self.failed

    def _fail(self, error: StoreError) -> None:
        self.failed = True
        self.on_failure(error)
