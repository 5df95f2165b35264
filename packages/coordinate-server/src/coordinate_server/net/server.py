"""The server's sockets and the connections that come in on them."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence

from attrs import define, field

from coordinate_protocol.limits import DEFAULT_LIMITS, Limits
from coordinate_server.net.backend import Backend
from coordinate_server.net.connection import Connection
from coordinate_server.net.shared import Shared

__all__ = ["Server"]


@define
class Server:
    """Accepts connections until it is stopped.

    Arguments:
        backend: answers them.
        sockets: listening ones.
        limits: bounds on input.
    """

    backend: Backend
    sockets: Sequence[socket.socket]
    limits: Limits = DEFAULT_LIMITS
    _shared: Shared | None = field(default=None, init=False)
    _servers: list[asyncio.Server] = field(factory=list, init=False)

    async def start(self) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        shared = self._shared = Shared(self.backend, loop, self.limits)
        for sock in self.sockets:
            self._servers.append(await loop.create_server(lambda: Connection(shared), sock=sock))

    async def stop(self, seconds: float) -> None:
        """Accept nothing more, answer what was taken, close.

        Arguments:
            seconds: how long answers may take; then the rest is dropped.
        """
        self._stop_accepting()
        if self._shared is None:
            return
        for member in list(self._shared.members):
            member.finish()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._shared.empty.wait(), seconds)
        self.abort()

    def abort(self) -> None:
        """Close everything now."""
        self._stop_accepting()
        for member in list(self._shared.members) if self._shared else ():
            member.abort()

    def _stop_accepting(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
