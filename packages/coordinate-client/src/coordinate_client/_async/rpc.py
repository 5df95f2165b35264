"""Calls to a server: connect when needed, try again, go on to the next address."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from coordinate_client._async.link import AsyncLink
from coordinate_client.backoff import Backoff, chance
from coordinate_client.exceptions import ConnectionFailed, RpcError, Unsupported
from coordinate_client.server import Server, check_offered, check_options, says_no_such_method
from coordinate_client.settings import ClientSettings, global_config
from coordinate_client.transport_async import Connect, Lock, Sleep, connect, current_owner, sleep
from coordinate_protocol.messages import Failure

__all__ = ["AsyncCborRpcClient"]

Params = Sequence[Any] | Mapping[str, Any]
logger = logging.getLogger("coordinate_client")


class AsyncCborRpcClient:
    """A client that calls a server's methods by name.

    It connects with its first call. A call whose connection breaks is made again: at once at the
    next address, and after a pause when all have been tried; the pause doubles each time. So a
    call may be carried out twice, as with 0.1.5. It may be used by several threads or tasks, one
    call at a time, and in a forked child, which gets a connection of its own.

    Attributes:
        config: the configuration it was made with.
        settings: what was read from it.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        connect: Connect = connect,
        sleep: Sleep = sleep,
        chance: Callable[[], float] = chance,
    ) -> None:
        """Read the configuration; nothing is connected yet.

        Args:
            config: `address`, `addresses`, `registry_addresses` ("host:port", [host, port], or
                lists of them), `retries`, `base_retry_seconds`, `namespace`, `default_lifetime`,
                `connect_seconds`, `response_seconds`. None for the `coordinate` block of the
                application's yakonfig configuration, or localhost:5932.
            connect: makes a connection to (address, seconds to connect, seconds to answer).
            sleep: waits that many seconds.
            chance: a number from 0 to 1 for each pause.

        Raises:
            ProgrammerError: for a setting that cannot be used.
        """
        self.config = dict(global_config() if config is None else config)
        self.settings = ClientSettings.of(self.config)
        self._connect = connect
        self._sleep = sleep
        self._chance = chance
        self._backoff = Backoff(self.settings.base_retry_seconds)
        self._turn = 0
        self._server: Server | None = None
        self._link: AsyncLink | None = None
        self._owner: object = None
        self._lock = Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def server(self) -> Server | None:
        """Who answered the latest greeting; None before the first call, and for a 0.1.5 server."""
        return self._server

    async def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._settle_owner()
        async with self._lock:
            link, self._link = self._link, None
            if link is not None:
                await link.close()

    async def _rpc(self, method: str, params: Params = ()) -> Any:
        """Call a method.

        Args:
            method: its name.
            params: its parameters, by position or by name.

        Returns:
            Its result, as the server gave it.

        Raises:
            RpcError: where the server answers with an error.
            Unsupported: where it does not know the method.
            ConnectionFailed: where no server could be reached.
            InvalidAnswer: where it answers what cannot be understood.
            ProgrammerError: for parameters that cannot be sent.
        """
        return await self._call(method, lambda _: params)

    async def _with_options(self, method: str, params: list[Any], options: dict[str, Any]) -> Any:
        """Call a method whose last parameter is a map, if the server knows all that is in it."""

        def checked(server: Server | None) -> list[Any]:
            check_options(method, options, server)
            return [*params, options]

        return await self._call(method, checked)

    async def _call(self, method: str, params_for: Callable[[Server | None], Params]) -> Any:
        """Call a method with parameters that depend on the server."""
        self._settle_owner()
        async with self._lock:
            failures = 0
            while True:
                try:
                    return await self._attempt(method, params_for)
                except OSError as error:
                    self._turn += 1
                    failures += 1
                    pause = self._pause(method, failures, error)
                if pause:
                    await self._sleep(pause)

    def _settle_owner(self) -> None:
        """Leave a connection to its owner: another process, or another event loop."""
        owner = current_owner()
        if self._owner != owner:
            if self._link is not None and self._owner is not None:
                self._link.drop()
            self._link, self._lock, self._owner = None, Lock(), owner

    def _pause(self, method: str, failures: int, error: OSError) -> float:
        """Seconds until the next attempt, or ConnectionFailed where there is to be none."""
        addresses = self.settings.addresses
        rounds, within = divmod(failures, len(addresses))
        reason = str(error) or type(error).__name__
        if rounds > self.settings.retries:
            raise ConnectionFailed(method, [str(one) for one in addresses], reason) from error
        pause = 0.0 if within else self._backoff.pause(rounds - 1, self._chance())
        logger.debug("%s: %s; trying again in %.1f s", method, reason, pause)
        return pause

    async def _attempt(self, method: str, params_for: Callable[[Server | None], Params]) -> Any:
        link = self._link or await self._linked()
        check_offered(method, link.server)
        params = params_for(link.server)
        request = link.request(
            method, dict(params) if isinstance(params, Mapping) else list(params)
        )
        try:
            answer = await link.exchange(*request)
        except BaseException:
            # An answer that nobody waited for must not meet the next call.
            self._drop()
            raise
        if isinstance(answer, Failure):
            raise self._error(method, answer)
        return answer.result

    async def _linked(self) -> AsyncLink:
        """Connect to the server whose turn it is, and greet it."""
        settings = self.settings
        address = settings.addresses[self._turn % len(settings.addresses)]
        transport = await self._connect(
            address, settings.connect_seconds, settings.response_seconds
        )
        link = AsyncLink(transport)
        try:
            await link.greet(settings.namespace)
        except BaseException:
            link.drop()
            raise
        self._link, self._server = link, link.server
        return link

    def _error(self, method: str, failure: Failure) -> RpcError:
        if failure.id is None:
            self._drop()
        if says_no_such_method(method, failure.message):
            return Unsupported(method, failure.message)
        return RpcError(method, failure.message)

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.drop()
