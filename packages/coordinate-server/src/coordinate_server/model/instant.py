"""The two times that go into every call."""

from attrs import define

__all__ = ["Instant"]


@define
class Instant:
    """One moment on both clocks.

    Arguments:
        now: seconds of the monotonic clock that goes on across restarts; it rules leases.
        wall: seconds since 1970; it rules delays, retention, and what people see.
    """

    now: float
    wall: float
