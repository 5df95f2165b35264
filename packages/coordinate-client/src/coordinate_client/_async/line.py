"""A line to the servers: calls one at a time, over one connection after the other."""

import math
from typing import Any

from coordinate_client._async.dialer import AsyncDialer
from coordinate_client._async.link import AsyncLink
from coordinate_client.calls import Call
from coordinate_client.exceptions import OutcomeUnknown, RpcError, Unsupported
from coordinate_client.sequence import CallSequence
from coordinate_client.server import can, check_offered, says_no_such_method
from coordinate_client.transport_async import Attempt
from coordinate_protocol.constants import OUTCOME_UNKNOWN
from coordinate_protocol.messages import Failure

__all__ = ["AsyncLine"]

_FORGOTTEN = (
    "the connection broke before the answer was there, and the server does not know the "
    "session (any more): the call may have been carried out or not"
)


class AsyncLine:
    """A line on which one call at a time is made.

    It connects when needed. A call whose connection breaks is made again; in a session it has the
    same number then, so that a server which has done it gives the same answer.
    """

    def __init__(self, dialer: AsyncDialer) -> None:
        """Begin unconnected.

        Args:
            dialer: knows the servers.
        """
        self._dialer = dialer
        self._settings = dialer.settings
        self._sequence = CallSequence(dialer.settings.sessions)
        self._address = dialer.address
        self._link: AsyncLink | None = None

    async def call(self, call: Call) -> Any:
        """Make a call; see `AsyncCborRpcClient._rpc`."""
        if call.wait is None:
            return await self._tried(call, self._attempt)
        call.wait.interrupt = self._interrupt
        try:
            return await self._tried(call, self._attempt)
        finally:
            call.wait.interrupt = None

    async def meet(self) -> None:
        """Connect and greet, if that has not happened yet.

        Raises:
            ConnectionFailed: where no server could be reached.
        """
        await self._tried(Call("hello", lambda _: ()), self._linked)

    async def _tried(self, call: Call, attempt: Attempt) -> Any:
        failures = 0
        while True:
            try:
                return await attempt(call)
            except OSError as error:
                failures += 1
                broken = error
            await self._dialer.recover(call, self._address, failures, broken)

    async def _attempt(self, call: Call) -> Any:
        link = self._link or await self._linked(call)
        if link.server is None:
            check_offered(call.method, None)
        params = call.params(link.server)
        seq = await self._numbered(link, call) if call.changes else None
        request = link.request(call.method, params, seq)
        answer = await self._exchanged(link, call, request)
        if isinstance(answer, Failure):
            raise self._error(call.method, answer)
        return answer.result

    async def _exchanged(self, link: AsyncLink, call: Call, request: tuple[int, bytes]) -> Any:
        try:
            return await link.exchange(*request, self._silence(call))
        except BaseException:
            # An answer that nobody waited for must not meet the next call.
            self.drop()
            raise

    def _silence(self, call: Call) -> float:
        """For how many seconds the server may be silent."""
        seconds = self._settings.response_seconds
        if call.wait is None and call.until == math.inf:
            return seconds
        if call.ended:
            raise ConnectionAbortedError("the client was closed")
        return self._dialer.within(call.silence(seconds), call)

    async def _linked(self, call: Call) -> AsyncLink:
        """The connection; a new one to the server whose turn it is, where there is none."""
        if self._link is not None:
            return self._link
        self._address = self._dialer.address
        link = AsyncLink(await self._dialer.dial(self._address, call))
        self._link = link
        await self._greet(link, call, self._sequence.greeting(changes=call.changes))
        self._dialer.meet(link.server)
        return link

    async def _greet(self, link: AsyncLink, call: Call, session: bytes | bool | None) -> None:
        seconds = self._dialer.within(self._settings.response_seconds, call)
        try:
            await link.greet(self._settings.namespace, session, seconds)
        except BaseException:
            self.drop()
            raise
        self._sequence.greeted(link.session)

    async def _numbered(self, link: AsyncLink, call: Call) -> int | None:
        """The number of a call; None where it gets none, as the server has no sessions."""
        if link.session is None and not await self._in_session(link, call):
            return None
        if call.seq is None:
            call.seq = self._sequence.take()
        return call.seq

    async def _in_session(self, link: AsyncLink, call: Call) -> bool:
        """Open a session, where the server has them; whether there is one now."""
        if call.seq is not None:
            raise OutcomeUnknown(call.method, _FORGOTTEN, OUTCOME_UNKNOWN)
        if not self._sequence.wanted or not can(link.server, "sessions"):
            return False
        await self._greet(link, call, session=True)
        return link.session is not None

    def _error(self, method: str, failure: Failure) -> RpcError:
        if failure.id is None:
            self.drop()
        if failure.code == OUTCOME_UNKNOWN:
            return OutcomeUnknown(method, failure.message, failure.code)
        if says_no_such_method(method, failure.message):
            return Unsupported(method, failure.message, failure.code)
        return RpcError(method, failure.message, failure.code)

    def _interrupt(self) -> None:
        """Have the call that is under way wait no longer."""
        link = self._link
        if link is not None:
            link.interrupt()

    def drop(self) -> None:
        """Let go of the connection at once."""
        link, self._link = self._link, None
        if link is not None:
            link.drop()

    async def close(self) -> None:
        """End the connection; the next call opens another."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()
