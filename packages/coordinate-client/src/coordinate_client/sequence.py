"""The numbers that calls have within a session, so that the server knows one that it sees again."""

from attrs import define, field

__all__ = ["CallSequence"]


@define(eq=False)
class CallSequence:
    """The calls that are made one after the other on a line, over all of its connections.

    A line has a session of its own: in a session that several lines share, a call that waits for a
    day would keep every later answer from being acknowledged. So the lowest number without an
    answer is always the newest one, and calls that were given up are never carried out later.

    Args:
        wanted: whether there is to be a session.

    Attributes:
        session: its name, 16 bytes; None where there is none, or none yet.
    """

    wanted: bool
    session: bytes | None = field(default=None, init=False)
    _last: int = field(default=0, init=False)

    def greeting(self, *, changes: bool) -> bytes | bool | None:
        """What to say of the session when a connection begins.

        Args:
            changes: whether it begins with a call that has to have one.

        Returns:
            The session's name to go on with it, True to open one, None to say nothing.
        """
        return self.session or (True if changes and self.wanted else None)

    def greeted(self, session: bytes | None) -> None:
        """Take note of the session that the connection has; None for none."""
        if session != self.session:
            self.session, self._last = session, 0

    def take(self) -> int:
        """The next number."""
        self._last += 1
        return self._last
