"""What a server does besides answering: in slices so short that no call waits for one."""

import asyncio
import gc
import logging
from collections.abc import Callable
from typing import Final

from attrs import define, field

from coordinate_server.model import Model
from coordinate_server.service.clock import Clock
from coordinate_server.service.committer import Committer
from coordinate_server.store.interface import Store, StoreError

__all__ = ["Upkeep"]

_LOG = logging.getLogger("coordinate.server")
_TICK_SECONDS: Final = 1.0
_SPARED_UNITS: Final = 10_000
# A slice is short enough to disturb no call, and the pause between two lets calls in.
_SLICE_ROWS: Final = 500
_SLICE_UNITS: Final = 200
_SLICE_PAUSE: Final = 0.02


@define
class Upkeep:
    """Writes the store's backlog, forgets old units, looks for room, spares the collector.

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
    # How many units the garbage collector need not look at any more.
    _spared: int = field(default=0, init=False)

    async def run(self) -> None:
        """Go on once a second, until the store fails."""
        try:
            while not self.committer.failed:
                await self._settle()
                await self._forget()
                self._look_for_room()
                self._spare_collector()
                await asyncio.sleep(_TICK_SECONDS)
        except StoreError as error:
            self.on_failure(error)

    async def _settle(self) -> None:
        """Write rows until none wait, or the last that do are not to be written now."""
        before = 0
        while not self.committer.failed and self.store.backlog != before:
            before = self.store.settle(_SLICE_ROWS)
            await asyncio.sleep(_SLICE_PAUSE)

    async def _forget(self) -> None:
        """Forget units that are beyond the limits."""
        while not self.committer.failed and self.model.retain(self.clock.instant(), _SLICE_UNITS):
            self.committer.request_flush()
            await asyncio.sleep(_SLICE_PAUSE)
        self.committer.request_flush()

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

    def _spare_collector(self) -> None:
        """Take what the model has grown by out of what the garbage collector looks at.

        It has no cycles that are ever let go, and a full collection over a million units would
        stop the loop for half a second.
        """
        number = self.model.unit_count
        if number - self._spared >= _SPARED_UNITS:
            gc.collect()
            gc.freeze()
            self._spared = number
        self._spared = min(self._spared, number)
