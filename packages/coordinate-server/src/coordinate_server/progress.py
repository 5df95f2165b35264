"""How far a start is, for whoever waits for it."""

import time
from collections.abc import Callable, Iterator

from attrs import define, field

from coordinate_server.model.changes import UNIT
from coordinate_server.model.unit_loading import Page, Pages

__all__ = ["Progress"]

_EVERY_SECONDS = 1.0


@define
class Progress:
    """Counts the units that are read, and says each second how many there are by then.

    Arguments:
        source: what is read.
        say: writes one line; a start of less than a second writes none.
        clock: gives seconds.
    """

    source: Pages
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _told_at: float = field(init=False)

    @_told_at.default
    def _begun_at(self) -> float:
        return self.clock()

    def pages(self, table: int) -> Iterator[Page]:
        """Give the pages of a table."""
        if table != UNIT:
            yield from self.source(table)
            return
        number = 0
        for page in self.source(table):
            number += len(page)
            yield page
            if self.clock() - self._told_at >= _EVERY_SECONDS:
                self._told_at = self.clock()
                self.say(f"reading data: {number:,} work units so far")
