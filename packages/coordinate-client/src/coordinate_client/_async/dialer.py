"""Which server to connect to, and how long to wait before the next attempt."""

import logging
from collections.abc import Callable

from coordinate_client.backoff import Backoff
from coordinate_client.calls import Call
from coordinate_client.exceptions import ClientClosed, ConnectionFailed
from coordinate_client.server import Server
from coordinate_client.settings import Address, ClientSettings
from coordinate_client.transport_async import AsyncTransport, Connect, Sleep

__all__ = ["AsyncDialer"]

logger = logging.getLogger("coordinate_client")


class AsyncDialer:
    """What all connections of a client share: the servers, and whose turn it is.

    Attributes:
        settings: the client's.
        server: who answered the latest greeting; None before the first one, and for 0.1.5.
        met: whether anybody was greeted yet.
    """

    def __init__(
        self,
        settings: ClientSettings,
        connect: Connect,
        sleep: Sleep,
        chance: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        """Begin with the first address; the arguments are those of the client."""
        self.settings = settings
        self.server: Server | None = None
        self.met = False
        self._connect = connect
        self._sleep = sleep
        self._chance = chance
        self._clock = clock
        self._backoff = Backoff(settings.base_retry_seconds)
        self._turn = 0

    @property
    def address(self) -> Address:
        """The server whose turn it is."""
        addresses = self.settings.addresses
        return addresses[self._turn % len(addresses)]

    async def dial(self, address: Address, call: Call) -> AsyncTransport:
        """Connect to a server.

        Raises:
            OSError: where it does not work, or takes too long for the call.
        """
        seconds = self.within(self.settings.connect_seconds, call)
        return await self._connect(address, seconds, self.settings.response_seconds)

    def meet(self, server: Server | None) -> None:
        """Take note of who answered a greeting."""
        self.server, self.met = server, True

    def within(self, seconds: float, call: Call) -> float:
        """The seconds, or how many the call has left where that is less.

        Raises:
            TimeoutError: where it has none left.
        """
        left = call.until - self._clock()
        if left <= 0:
            raise TimeoutError("the time is over")
        return min(seconds, left)

    async def recover(self, call: Call, address: Address, failures: int, error: Exception) -> None:
        """Wait until the next attempt of a call, at the next address.

        Args:
            call: the connection broke before its answer was there.
            address: where that happened.
            failures: how often, for this call.
            error: what happened last.

        Raises:
            ConnectionFailed: where there is to be no next attempt.
        """
        # Of several calls whose connections break at once, only the first one turns away.
        if address == self.address:
            self._turn += 1
        pause = self._pause(call, failures, error)
        if pause:
            await self._sleep(pause)

    def _pause(self, call: Call, failures: int, error: Exception) -> float:
        """Seconds until the next attempt."""
        addresses = self.settings.addresses
        names = [str(one) for one in addresses]
        reason = str(error) or type(error).__name__
        if call.ended:
            raise ClientClosed(call.method, names, "the client was closed") from error
        rounds, within = divmod(failures, len(addresses))
        left = call.until - self._clock()
        retries = self.settings.retries if call.retries is None else call.retries
        if rounds > retries or left <= 0:
            raise ConnectionFailed(call.method, names, reason) from error
        pause = 0.0 if within else self._backoff.pause(rounds - 1, self._chance())
        logger.debug("%s: %s; trying again in %.1f s", call.method, reason, pause)
        return min(pause, left)
