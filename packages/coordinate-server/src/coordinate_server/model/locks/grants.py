"""Grants: what one call locks, all of it at one moment and under one token."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coordinate_server.model.instant import Instant
from coordinate_server.model.locks.entries import Entry
from coordinate_server.model.locks.holdings import Holdings
from coordinate_server.model.locks.outcomes import Granted
from coordinate_server.model.locks.queue import Queue
from coordinate_server.model.locks.waits import LockRequest

if TYPE_CHECKING:
    from coordinate_server.model.core import Core

__all__ = ["Grants"]


class Grants:
    """Locks what is free.

    Arguments:
        core: what the model shares; its counter gives the tokens.
        holdings: who has what.
        queue: who waits.
    """

    def __init__(self, core: "Core", holdings: Holdings, queue: Queue) -> None:
        self._core, self._holdings, self._queue = core, holdings, queue

    def make(self, at: Instant, request: LockRequest, entries: Sequence[Entry]) -> Granted:
        """Lock what is free, under one token.

        Paths that the locker may lock again are counted; only of those that are all of one grant
        the token is that of before.

        Arguments:
            at: the moment.
            request: who locks, how long, and whether again.
            entries: what; those that waited are in the tree still.
        """
        deadline = at.now + request.seconds
        again = self._again(request, entries)
        token = self._token(entries, again)
        for entry in entries:
            held = again.get(entry)
            if held is None:
                self._holdings.hold(at, entry, token, deadline)
            else:
                self._holdings.again(held, token, deadline)
                self._queue.vanish(entry, held)
        if again and len(again) == len(entries):
            deadline = min(held.deadline or deadline for held in again.values())
        return Granted(token or None, deadline)

    def _again(self, request: LockRequest, entries: Sequence[Entry]) -> dict[Entry, Entry]:
        if not request.reentrant:
            return {}
        held = (
            self._holdings.sufficient(request.locker, entry.path, request.mode) for entry in entries
        )
        return {entry: lock for entry, lock in zip(entries, held, strict=True) if lock is not None}

    def _token(self, entries: Sequence[Entry], again: dict[Entry, Entry]) -> int:
        tokens = {held.token for held in again.values()}
        if len(tokens) == 1 and len(again) == len(entries):
            return tokens.pop()
        return self._core.next_attempt() if entries else 0
