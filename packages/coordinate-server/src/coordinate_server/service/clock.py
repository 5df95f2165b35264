"""The two times of the server, read in one place."""

import time

from attrs import define, field

from coordinate_server.model.instant import Instant

__all__ = ["Clock"]


@define
class Clock:
    """Reads the time for the model.

    Arguments:
        resume: the model's last committed ``now``, seconds; ours goes on from there, so that time
            which rules leases never runs backwards, not across restarts either.
    """

    resume: float = 0.0
    _offset: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._offset = self.resume - time.monotonic()

    def instant(self) -> Instant:
        """Give the present: ``now`` (monotonic) and ``wall`` (since 1970), both in seconds."""
        return Instant(self._offset + time.monotonic(), time.time())
