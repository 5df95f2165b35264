"""What a server does besides answering: in slices so short that no call waits for one."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from attrs import define, field

from coordinate_server import collector
from coordinate_server.model import Model
from coordinate_server.service.clock import Clock
from coordinate_server.service.committer import Committer
from coordinate_server.store.interface import Store, StoreError

__all__ = ["Upkeep"]

_LOG = logging.getLogger("coordinate.server")
_TICK_SECONDS: Final = 1.0
# A slice is short enough to disturb no call, and the pause between two lets calls in.
_SLICE_ROWS: Final = 500
_SLICE_ROWS_BUSY: Final = 100
_SLICE_UNITS: Final = 200
_SLICE_SHELVED: Final = 500
_SLICE_PAUSE: Final = 0.02


@define
class Upkeep:
    """Writes the store's backlog, forgets old units, or has them leave memory, and looks around.

    Arguments:
        store: the server's data.
        model: its state.
        clock: gives the moment.
        committer: makes durable what is forgotten.
        on_failure: called once with the error of a store that failed; upkeep ends with it.
    """

    store: Store
    model: Model
    clock: Clock
    committer: Committer
    on_failure: Callable[[StoreError], None]
    # Whether the shortage that was logged last was a dire one; None for none.
    _told: bool | None = field(default=None, init=False)
    # How many commits there had been at the last slice: more of them mean that calls come in.
    _commits: int = field(default=0, init=False)

    async def run(self) -> None:
        """Go on, slice by slice while there is something to do, until the store fails."""
        looked = -_TICK_SECONDS
        try:
            while not self.committer.failed:
                # All of it in turns: under load there are always rows to write.
                pause = _SLICE_PAUSE if self._do_some() else _TICK_SECONDS
                if self.clock.instant().now - looked >= _TICK_SECONDS:
                    looked = self.clock.instant().now
                    self._look_for_room()
                    collector.look()
                await asyncio.sleep(pause)
        except StoreError as error:
            self.on_failure(error)

    def _do_some(self) -> bool:
        """Do a slice of each kind of work; whether one of them is to go on at once."""
        return any([self._settle(), self._forget(), self.model.shelve(_SLICE_SHELVED)])

    def _settle(self) -> bool:
        """Write rows; none are left, or the last that are left are not to be written now."""
        busy, self._commits = self.committer.commits != self._commits, self.committer.commits
        before = self.store.backlog
        return self.store.settle(_SLICE_ROWS_BUSY if busy else _SLICE_ROWS) not in {0, before}

    def _forget(self) -> bool:
        """Forget units that are beyond the limits."""
        more = self.model.retain(self.clock.instant(), _SLICE_UNITS)
        self.committer.request_flush()
        return more

    def _look_for_room(self) -> None:
        """See whether the disk has room again, or has none any more, and say so once."""
        before = self._told
        self.store.look()
        shortage = self.store.shortage
        self._told = None if shortage is None else shortage.dire
        if shortage is not None and self._told != before:
            _LOG.error("%s", shortage.text)
        elif shortage is None and before is not None:
            _LOG.warning("there is room on the disk again: new work is taken")
