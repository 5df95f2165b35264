"""Who a client talks to: what the server's answer to `hello` says, and what an old one lacks."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

from coordinate_client.exceptions import InvalidAnswer, Unsupported
from coordinate_protocol.catalogue import CATALOGUE
from coordinate_protocol.constants import NO_SUCH_METHOD, PROTOCOL_VERSION

__all__ = [
    "Server",
    "can",
    "check_offered",
    "check_options",
    "greeting",
    "says_no_such_method",
    "session_of",
]

_CLIENT = "coordinate-client"

# The capability that a server names if it knows an option: one that does not would leave it undone.
_CAPABILITIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "attempt": "tokens",
        "cascade": "dependencies",
        "delay": "delay",
        "depends_on": "dependencies",
        "locks": "unit_locks",
        "mode": "locks",
        "reentrant": "locks",
        "runtimes": "limits",
        "token": "locks",
    }
)


@frozen
class Server:
    """A server that answered `hello`; one of 0.1.5 does not know it.

    Args:
        protocol: the version that both speak.
        version: the server's own version.
        namespace: where the connection works.
        capabilities: names of what the server can do beyond 0.1.5.
    """

    protocol: int
    version: str
    namespace: str
    capabilities: frozenset[str]

    @classmethod
    def of(cls, answer: Any) -> "Server":
        """Read the result of `hello`.

        Raises:
            InvalidAnswer: for anything but a map.
        """
        if not isinstance(answer, dict):
            raise InvalidAnswer(f"hello was answered with {answer!r}: it must be a map")
        return cls(
            answer.get("protocol", PROTOCOL_VERSION),
            str(answer.get("version", "")),
            str(answer.get("namespace", "")),
            frozenset(answer.get("capabilities", ())),
        )


def greeting(
    version: str, namespace: str | None, session: bytes | bool | None = None
) -> dict[str, Any]:
    """The options of `hello`.

    Args:
        version: this client's.
        namespace: where it wants to work; None for the server's own.
        session: the name of the session to go on with, True to open one, None for none.
    """
    options: dict[str, Any] = {"protocol": [PROTOCOL_VERSION], "client": f"{_CLIENT} {version}"}
    wanted = {"namespace": namespace, "session": session}
    return options | {name: value for name, value in wanted.items() if value is not None}


def session_of(answer: Any) -> bytes | None:
    """The session that an answer to `hello` is about; None where the server knows none."""
    found = answer.get("session")
    return found if isinstance(found, bytes) else None


def can(server: Server | None, capability: str) -> bool:
    """Whether a server names a capability; None, one of 0.1.5, has none."""
    return server is not None and capability in server.capabilities


def says_no_such_method(method: str, message: str) -> bool:
    """Whether an error says that the server lacks a method.

    Args:
        method: what was called.
        message: the error's text. 0.1.5 sends the repr of an AttributeError that names the method,
            though its documentation promises "No such method".
    """
    first = message.partition("\n")[0]
    return NO_SUCH_METHOD in first or (
        first.startswith("AttributeError") and f"attribute '{method}'" in first
    )


def check_offered(method: str, server: Server | None) -> None:
    """Refuse what a 0.1.5 server cannot know, before it is asked.

    Raises:
        Unsupported: where the server did not answer `hello` and the method came after 0.1.5.
    """
    operation = CATALOGUE.get(method)
    if server is None and operation is not None and operation.since != "0.1.5":
        raise Unsupported(
            method, f"a 0.1.5 server does not have it: it came with {operation.since}"
        )


def check_options(method: str, options: Iterable[str], server: Server | None) -> None:
    """Refuse what the server would leave undone without a word, before it is asked.

    Args:
        method: the operation that is to be called.
        options: names of what it is to be called with; those of 0.1.5 are no question.
        server: who is to be asked; None for one of 0.1.5.

    Raises:
        Unsupported: where the server's `hello` does not name what an option needs.
    """
    if _CAPABILITIES.keys().isdisjoint(options):
        return
    for option in options:
        needed = _CAPABILITIES.get(option)
        if needed is not None and not can(server, needed):
            raise Unsupported(method, f"the server would ignore {option!r}: it lacks {needed!r}")
