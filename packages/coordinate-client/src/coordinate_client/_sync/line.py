# Generated from _async/line.py by tools/unasync.py: change that file, not this one.
"""A line to the servers: calls one at a time, over one connection after the other."""

import math
from typing import Any

from coordinate_client._sync.dialer import Dialer
from coordinate_client._sync.link import Link
from coordinate_client.calls import Call
from coordinate_client.exceptions import OutcomeUnknown, RpcError, Unsupported
from coordinate_client.sequence import CallSequence
from coordinate_client.server import can, check_offered, says_no_such_method
from coordinate_client.transport_sync import Attempt
from coordinate_protocol.constants import OUTCOME_UNKNOWN
from coordinate_protocol.messages import Failure

__all__ = ["Line"]

_FORGOTTEN = (
    "the connection broke before the answer was there, and the server does not know the "
    "session (any more): the call may have been carried out or not"
)


class Line:
    """A line on which one call at a time is made.

    It connects when needed. A call whose connection breaks is made again; in a session it has the
    same number then, so that a server which has done it gives the same answer.
    """

    def __init__(self, dialer: Dialer) -> None:
        """Begin unconnected.

        Args:
            dialer: knows the servers.
        """
        self._dialer = dialer
        self._settings = dialer.settings
        self._sequence = CallSequence(dialer.settings.sessions)
        self._address = dialer.address
        self._link: Link | None = None

    def call(self, call: Call) -> Any:
        """Make a call; see `CborRpcClient._rpc`."""
        if call.wait is None:
            return self._tried(call, self._attempt)
        call.wait.interrupt = self._interrupt
        try:
            return self._tried(call, self._attempt)
        finally:
            call.wait.interrupt = None

    def meet(self) -> None:
        """Connect and greet, if that has not happened yet.

        Raises:
            ConnectionFailed: where no server could be reached.
        """
        self._tried(Call("hello", lambda _: ()), self._linked)

    def _tried(self, call: Call, attempt: Attempt) -> Any:
        failures = 0
        while True:
            try:
                return attempt(call)
            except OSError as error:
                failures += 1
                broken = error
            self._dialer.recover(call, self._address, failures, broken)

    def _attempt(self, call: Call) -> Any:
        link = self._link or self._linked(call)
        if link.server is None:
            check_offered(call.method, None)
        params = call.params(link.server)
        seq = self._numbered(link, call) if call.changes else None
        request = link.request(call.method, params, seq)
        answer = self._exchanged(link, call, request)
        if isinstance(answer, Failure):
            raise self._error(call.method, answer)
        return answer.result

    def _exchanged(self, link: Link, call: Call, request: tuple[int, bytes]) -> Any:
        try:
            return link.exchange(*request, self._silence(call))
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

    def _linked(self, call: Call) -> Link:
        """The connection; a new one to the server whose turn it is, where there is none."""
        if self._link is not None:
            return self._link
        self._address = self._dialer.address
        link = Link(self._dialer.dial(self._address, call))
        self._link = link
        self._greet(link, call, self._sequence.greeting(changes=call.changes))
        self._dialer.meet(link.server)
        return link

    def _greet(self, link: Link, call: Call, session: bytes | bool | None) -> None:
        seconds = self._dialer.within(self._settings.response_seconds, call)
        try:
            link.greet(self._settings.namespace, session, seconds)
        except BaseException:
            self.drop()
            raise
        self._sequence.greeted(link.session)

    def _numbered(self, link: Link, call: Call) -> int | None:
        """The number of a call; None where it gets none, as the server has no sessions."""
        if link.session is None and not self._in_session(link, call):
            return None
        if call.seq is None:
            call.seq = self._sequence.take()
        return call.seq

    def _in_session(self, link: Link, call: Call) -> bool:
        """Open a session, where the server has them; whether there is one now."""
        if call.seq is not None:
            raise OutcomeUnknown(call.method, _FORGOTTEN, OUTCOME_UNKNOWN)
        if not self._sequence.wanted or not can(link.server, "sessions"):
            return False
        self._greet(link, call, session=True)
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

    def close(self) -> None:
        """End the connection; the next call opens another."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
