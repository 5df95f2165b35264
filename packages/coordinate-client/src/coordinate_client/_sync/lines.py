# Generated from _async/lines.py by tools/unasync.py: change that file, not this one.
"""The lines of a process, or of an event loop: one for most calls, and more for those that wait."""

from typing import Any

from coordinate_client._sync.dialer import Dialer
from coordinate_client._sync.line import Line
from coordinate_client.calls import Call
from coordinate_client.transport_sync import Lock
from coordinate_client.waits import Wait

__all__ = ["Lines"]


class Lines:
    """Calls that are answered at once take turns; each that waits at the server has its own line.

    Attributes:
        waits: those that `close` ends.
    """

    def __init__(self, dialer: Dialer) -> None:
        """Begin unconnected.

        Args:
            dialer: knows the servers.
        """
        self.waits: set[Wait] = set()
        self._dialer = dialer
        self._main = Line(dialer)
        self._turn = Lock()
        self._spare: list[Line] = []
        self._all = [self._main]

    def call(self, call: Call) -> Any:
        """Make a call; see `CborRpcClient._rpc`."""
        if call.wait is None:
            with self._turn:
                return self._main.call(call)
        line = self._taken()
        try:
            return line.call(call)
        finally:
            self._spare.append(line)

    def meet(self) -> None:
        """Connect and greet, if that has not happened yet.

        Raises:
            ConnectionFailed: where no server could be reached.
        """
        with self._turn:
            self._main.meet()

    def _taken(self) -> Line:
        try:
            # The one that was used last: the others have had time to break.
            return self._spare.pop()
        except IndexError:
            line = Line(self._dialer)
            self._all.append(line)
            return line

    def drop(self) -> None:
        """Let go of all connections at once; they are another process's, or another loop's."""
        for line in self._all:
            line.drop()

    def close(self) -> None:
        """End what waits, then the connections; the next call opens another one."""
        for wait in tuple(self.waits):
            wait.end()
        with self._turn:
            self._main.close()
        for line in tuple(self._spare):
            line.close()
