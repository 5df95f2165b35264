"""The lines of a process, or of an event loop: one for most calls, and more for those that wait."""

from typing import Any

from coordinate_client._async.dialer import AsyncDialer
from coordinate_client._async.line import AsyncLine
from coordinate_client.calls import Call
from coordinate_client.transport_async import Lock
from coordinate_client.waits import Wait

__all__ = ["AsyncLines"]


class AsyncLines:
    """Calls that are answered at once take turns; each that waits at the server has its own line.

    Attributes:
        waits: those that `close` ends.
    """

    def __init__(self, dialer: AsyncDialer) -> None:
        """Begin unconnected.

        Args:
            dialer: knows the servers.
        """
        self.waits: set[Wait] = set()
        self._dialer = dialer
        self._main = AsyncLine(dialer)
        self._turn = Lock()
        self._spare: list[AsyncLine] = []
        self._all = [self._main]

    async def call(self, call: Call) -> Any:
        """Make a call; see `AsyncCborRpcClient._rpc`."""
        if call.wait is None:
            async with self._turn:
                return await self._main.call(call)
        line = self._taken()
        try:
            return await line.call(call)
        finally:
            self._spare.append(line)

    async def meet(self) -> None:
        """Connect and greet, if that has not happened yet.

        Raises:
            ConnectionFailed: where no server could be reached.
        """
        async with self._turn:
            await self._main.meet()

    def _taken(self) -> AsyncLine:
        try:
            # The one that was used last: the others have had time to break.
            return self._spare.pop()
        except IndexError:
            line = AsyncLine(self._dialer)
            self._all.append(line)
            return line

    def drop(self) -> None:
        """Let go of all connections at once; they are another process's, or another loop's."""
        for line in self._all:
            line.drop()

    async def close(self) -> None:
        """End what waits, then the connections; the next call opens another one."""
        for wait in tuple(self.waits):
            wait.end()
        async with self._turn:
            await self._main.close()
        for line in tuple(self._spare):
            await line.close()
