"""Calls to a server by name."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from coordinate_client._async.dialer import AsyncDialer
from coordinate_client._async.lines import AsyncLines
from coordinate_client.backoff import chance
from coordinate_client.calls import Call, Params, ParamsFor
from coordinate_client.exceptions import ClientClosed
from coordinate_client.server import Server, can, check_options
from coordinate_client.settings import ClientSettings, global_config
from coordinate_client.steady import steady
from coordinate_client.transport_async import Ask, Connect, Sleep, connect, current_owner, sleep
from coordinate_client.waits import Wait

__all__ = ["AsyncCborRpcClient"]


class AsyncCborRpcClient:
    """A client that calls a server's methods by name.

    It connects with its first call. A call whose connection breaks is made again: at once at the
    next address, and after a pause when all have been tried; the pause doubles each time. Where the
    server has sessions, such a call is carried out once all the same; by other servers it may be
    carried out twice, as with 0.1.5. The client may be used by several threads or tasks, one call
    at a time beside those that wait at the server, and in a forked child, which gets connections
    and a session of its own.

    Attributes:
        config: the configuration it was made with.
        settings: what was read from it.
        clock: seconds that go on evenly; waits and locks are measured by it.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        connect: Connect = connect,
        sleep: Sleep = sleep,
        chance: Callable[[], float] = chance,
        clock: Callable[[], float] = steady,
    ) -> None:
        """Read the configuration; nothing is connected yet.

        Args:
            config: `address`, `addresses`, `registry_addresses` ("host:port", [host, port], or
                lists of them), `retries`, `base_retry_seconds`, `namespace`, `default_lifetime`,
                `connect_seconds`, `response_seconds`, `sessions`, `poll_seconds`. None for the
                `coordinate` block of the application's yakonfig configuration, or localhost:5932.
            connect: makes a connection to (address, seconds to connect, seconds to send).
            sleep: waits that many seconds.
            chance: a number from 0 to 1 for each pause.
            clock: seconds that go on evenly.

        Raises:
            ProgrammerError: for a setting that cannot be used.
        """
        self.config = dict(global_config() if config is None else config)
        self.settings = ClientSettings.of(self.config)
        self.clock = clock
        self._sleep = sleep
        self._dialer = AsyncDialer(self.settings, connect, sleep, chance, clock)
        self._by_owner: dict[object, AsyncLines] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def server(self) -> Server | None:
        """Who answered the latest greeting; None before the first call, and for a 0.1.5 server."""
        return self._dialer.server

    async def close(self) -> None:
        """Close the connections; the next call opens another.

        Calls of other threads or tasks that wait at the server end with ClientClosed.
        """
        await self._lines().close()

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
            OutcomeUnknown: where the connection broke, and the server cannot tell any more whether
                it carried the call out.
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

    async def _call(self, method: str, params_for: ParamsFor, wait: Wait | None = None) -> Any:
        """Call a method with parameters that depend on the server.

        Args:
            method: its name.
            params_for: gives them; asked before each attempt.
            wait: how long the server is told to keep its answer back; None where it is not.
        """
        return await self._made(Call(method, params_for, wait))

    async def _made(self, call: Call) -> Any:
        """Make a call; one that waits ends when the client is closed."""
        lines = self._lines()
        if call.wait is None:
            return await lines.call(call)
        with _noted(lines, call.wait):
            return await lines.call(call)

    async def _waited(
        self, method: str, capability: str, wait: Wait, ask: Ask, enough: Callable[[Any], bool]
    ) -> Any:
        """Ask until there is something, or the time is over.

        A server that can, waits with its answer, a day at most; others are asked every
        `poll_seconds`.

        Args:
            method: what is asked, for the error.
            capability: what a server that can wait is able to do.
            wait: the time.
            ask: asks once.
            enough: whether an answer is something.

        Returns:
            The last answer.

        Raises:
            ClientClosed: where the client was closed meanwhile.
        """
        with _noted(self._lines(), wait):
            while True:
                asked_at = self.clock()
                waits = await self._offers(capability)
                found = await ask(waits)
                if wait.over or enough(found):
                    return found
                # A server that is about to stop answers early, too.
                if not waits or self.clock() - asked_at < self.settings.poll_seconds:
                    await self._sleep(min(self.settings.poll_seconds, wait.left))
                if wait.ended:
                    names = [str(address) for address in self.settings.addresses]
                    raise ClientClosed(method, names, "the client was closed")

    async def _offers(self, capability: str) -> bool:
        """Whether the server can do something; it is greeted for that, if none was yet."""
        if not self._dialer.met:
            await self._lines().meet()
        return can(self.server, capability)

    def _lines(self) -> AsyncLines:
        """The lines of this process and event loop; those of another one are let go of."""
        owner = current_owner()
        found = self._by_owner.get(owner)
        if found is None:
            # Of threads that come here at once, each gets the lines of the first.
            found = self._by_owner.setdefault(owner, AsyncLines(self._dialer))
            for other in tuple(self._by_owner):
                left = self._by_owner.pop(other, None) if other != owner else None
                if left is not None:
                    left.drop()
        return found


@contextmanager
def _noted(lines: AsyncLines, wait: Wait) -> Iterator[None]:
    """Have the client's `close` end what waits."""
    before = wait in lines.waits
    lines.waits.add(wait)
    try:
        yield
    finally:
        if not before:
            lines.waits.discard(wait)
