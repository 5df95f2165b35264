"""What can go wrong for a caller.

CoordinateException
├── ProgrammerError         the call cannot be right, whatever the server says
├── LostLease               the unit is not the caller's any more
├── LostLock                the lock is not the caller's any more
├── LockRefused             the lock was not granted
│   ├── LockTimeout         not within the time that the caller would wait
│   └── Deadlock            never: lockers would wait for each other in a circle
├── NoSuchWorkSpecError     there is no such work spec
├── NoSuchWorkUnitError     there is no such work unit
├── RpcError                the server answered with an error
│   ├── Unsupported         the server is too old for the call
│   └── OutcomeUnknown      nobody can tell any more whether the call was carried out
├── InvalidAnswer           the server sent what no server of ours sends
└── ConnectionFailed        no server could be reached; also a ConnectionError
    └── ClientClosed        the client was closed while the call waited

BaseException
└── Cancelled               raised by a worker within the code of a unit: end now
    ├── RunTimeExceeded     it ran for longer than its max_runtime
    └── LeaseLost           the unit is not the worker's any more
"""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "Cancelled",
    "ClientClosed",
    "ConnectionFailed",
    "CoordinateException",
    "Deadlock",
    "InvalidAnswer",
    "LeaseLost",
    "LockRefused",
    "LockTimeout",
    "LostLease",
    "LostLock",
    "NoSuchWorkSpecError",
    "NoSuchWorkUnitError",
    "OutcomeUnknown",
    "ProgrammerError",
    "RpcError",
    "RunTimeExceeded",
    "Unsupported",
]


class CoordinateException(Exception):
    """The base of this package's errors."""


class ProgrammerError(CoordinateException):
    """A call that cannot be right: a spec without a name, data that has no form on the wire."""


class LostLease(CoordinateException):
    """The unit belongs to another worker now, or to none: stop working on it."""


class LostLock(CoordinateException):
    """The lock may be somebody else's by now: stop what it was for.

    It is no LostLease: a worker whose unit lost a lock on the way still has the unit to answer for.
    """


class LockRefused(CoordinateException):
    """The lock was not granted.

    Attributes:
        holder: who holds what is in the way; None where the server does not say.
        path: what is in the way; None where the server does not say.
    """

    def __init__(
        self, message: str, holder: str | None = None, path: tuple[Any, ...] | None = None
    ) -> None:
        """Keep what the server said.

        Args:
            message: why not.
            holder: who holds what is in the way.
            path: what that is.
        """
        super().__init__(message)
        self.holder = holder
        self.path = path


class LockTimeout(LockRefused):
    """The lock was not free within the time that the caller would wait."""


class Deadlock(LockRefused):
    """To wait for the lock would never end: each of the lockers would wait for the next.

    Attributes:
        cycle: maps with `locker_id`, `waits_for` (a path) and `held_by`; the last one is held up by
            the first.
    """

    def __init__(self, message: str, cycle: Sequence[Mapping[str, Any]] = ()) -> None:
        """Keep what the server said.

        Args:
            message: why not.
            cycle: who waits for whom.
        """
        super().__init__(message)
        self.cycle = tuple(cycle)


class NoSuchWorkSpecError(CoordinateException):
    """A work spec that the server does not have."""


class NoSuchWorkUnitError(CoordinateException):
    """A work unit that the server does not have."""


class RpcError(CoordinateException):
    """The server answered with an error.

    Attributes:
        method: the operation that was called.
        message: the server's whole text; 0.1.5's has a traceback after the first line.
        code: what is wrong, for programs; None where the text says all there is.
    """

    def __init__(self, method: str, message: str, code: str | None = None) -> None:
        """Keep all parts.

        Args:
            method: the operation that was called.
            message: the server's text.
            code: its word for programs.
        """
        super().__init__(f"{method}: {message}")
        self.method = method
        self.message = message
        self.code = code


class Unsupported(RpcError):
    """The server does not know the method: it is older, or does not offer the service."""


class OutcomeUnknown(RpcError):
    """The call may have been carried out, or not: its answer got lost and is not kept any more."""


class InvalidAnswer(CoordinateException):
    """Bytes that are no answer, or an answer to something else; the connection was dropped."""


class ConnectionFailed(CoordinateException, ConnectionError):
    """Every address was tried as often as the settings say. 0.1.5's callers catch OSError.

    Attributes:
        addresses: what was tried, each as "host:port".
    """

    def __init__(self, method: str, addresses: Sequence[str], reason: str) -> None:
        """Put the message together.

        Args:
            method: the operation that was to be called.
            addresses: each address once, in the order they were tried.
            reason: what happened last.
        """
        super().__init__(f"{method}: {self._what(addresses)}: {reason}")
        self.addresses = tuple(addresses)

    @staticmethod
    def _what(addresses: Sequence[str]) -> str:
        return f"no server at {', '.join(addresses)}"


class ClientClosed(ConnectionFailed):
    """The client was closed by another thread or task while the call waited."""

    @staticmethod
    def _what(addresses: Sequence[str]) -> str:
        del addresses
        return "given up"


class Cancelled(BaseException):
    """A worker raises it within the code of a unit that is to end now.

    It is no Exception, as asyncio's CancelledError is none: code that goes on after whatever error
    would swallow it. Clean up in `finally`, or catch it and raise it again; a function that returns
    all the same is cancelled nevertheless.
    """


class RunTimeExceeded(Cancelled):
    """The unit ran for longer than its `max_runtime`."""


class LeaseLost(Cancelled):
    """The lease on the unit was lost while its code ran: by now it may run elsewhere.

    What a call raises for the same reason is LostLease, which is an error like others.
    """
