"""What can go wrong for a caller.

CoordinateException
├── ProgrammerError         the call cannot be right, whatever the server says
├── LostLease               the unit is not the caller's any more
├── NoSuchWorkSpecError     there is no such work spec
├── NoSuchWorkUnitError     there is no such work unit
├── RpcError                the server answered with an error
│   └── Unsupported         the server is too old for the call
├── InvalidAnswer           the server sent what no server of ours sends
└── ConnectionFailed        no server could be reached; also a ConnectionError
"""

from collections.abc import Sequence

__all__ = [
    "ConnectionFailed",
    "CoordinateException",
    "InvalidAnswer",
    "LostLease",
    "NoSuchWorkSpecError",
    "NoSuchWorkUnitError",
    "ProgrammerError",
    "RpcError",
    "Unsupported",
]


class CoordinateException(Exception):
    """The base of this package's errors."""


class ProgrammerError(CoordinateException):
    """A call that cannot be right: a spec without a name, data that has no form on the wire."""


class LostLease(CoordinateException):
    """The unit belongs to another worker now, or to none: stop working on it."""


class NoSuchWorkSpecError(CoordinateException):
    """A work spec that the server does not have."""


class NoSuchWorkUnitError(CoordinateException):
    """A work unit that the server does not have."""


class RpcError(CoordinateException):
    """The server answered with an error.

    Attributes:
        method: the operation that was called.
        message: the server's whole text; 0.1.5's has a traceback after the first line.
    """

    def __init__(self, method: str, message: str) -> None:
        """Keep both parts.

        Args:
            method: the operation that was called.
            message: the server's text.
        """
        super().__init__(f"{method}: {message}")
        self.method = method
        self.message = message


class Unsupported(RpcError):
    """The server does not know the method: it is older, or does not offer the service."""


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
        super().__init__(f"{method}: no server at {', '.join(addresses)}: {reason}")
        self.addresses = tuple(addresses)
