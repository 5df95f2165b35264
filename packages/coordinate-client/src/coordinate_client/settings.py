"""What a client is told: where its servers are, how often it tries, whose namespace it works in."""

import sys
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from coordinate_client.exceptions import ProgrammerError
from coordinate_protocol.constants import CLIENT_LEASE, DEFAULT_PORT

__all__ = ["Address", "ClientSettings", "global_config", "parse_address"]

_PORT_END = 65536


@frozen
class Address:
    """Where a server listens.

    Args:
        host: a name, or the number of an IPv4 or IPv6 address without brackets.
        port: 1 to 65535.
    """

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(value: object) -> Address:
    """The address that a setting names.

    Args:
        value: "host:port", "host", "[IPv6]:port", or a list or tuple of host and port.

    Raises:
        ProgrammerError: for anything else.
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, (list, tuple)) and len(value) == 2 and isinstance(value[0], str):  # noqa: PLR2004 - host and port
        return Address(value[0], _port(value[1], value))
    raise _bad_address(value)


def _from_text(text: str) -> Address:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not host or (rest and not rest.startswith(":")):
            raise _bad_address(text)
        return Address(host, _port(rest[1:], text) if rest else DEFAULT_PORT)
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, str(DEFAULT_PORT)
    if not host or ":" in host:
        raise _bad_address(text)
    return Address(host, _port(port, text))


def _port(value: object, whole: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if type(value) is not int or not 0 < value < _PORT_END:
        raise _bad_address(whole)
    return value


def _bad_address(value: object) -> ProgrammerError:
    return ProgrammerError(
        f"address {value!r} is not usable: it must be "
        "'host:port' (IPv6 in brackets) or [host, port]"
    )


def _is_pair(value: object) -> bool:
    """Whether a list is one address: a second text is a second address, unless it is a port."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:  # noqa: PLR2004 - host and port
        return False
    host, port = value
    return isinstance(host, str) and (
        isinstance(port, int) or (isinstance(port, str) and port.isdigit())
    )


def parse_addresses(value: object) -> list[Address]:
    """The addresses of a setting that may hold one or many.

    Args:
        value: None, one address in any form of `parse_address`, or a list of them.

    Raises:
        ProgrammerError: for anything else.
    """
    if value is None or value in ("", [], ()):
        return []
    if isinstance(value, str) or _is_pair(value) or not isinstance(value, (list, tuple)):
        return [parse_address(value)]
    return [parse_address(item) for item in value]


@frozen
class ClientSettings:
    """The settings of one client.

    Args:
        addresses: the servers, in the order they are tried; at least one.
        retries: how many more rounds over all addresses follow the first.
        base_retry_seconds: the pause before the second round; it doubles from round to round.
        namespace: whose specs, units and workers; None for the server's own.
        default_lifetime: the lease that `get_work` asks for, seconds.
        connect_seconds: how long one address may take to accept a connection.
        response_seconds: how long a server may be silent while an answer is due.
        sessions: whether a changing call that is made again is done once all the same, where the
            server has sessions.
        poll_seconds: how often a server that cannot wait is asked again.
    """

    addresses: tuple[Address, ...]
    retries: int = 5
    base_retry_seconds: float = 0.5
    namespace: str | None = None
    default_lifetime: float = CLIENT_LEASE
    connect_seconds: float = field(default=10.0)
    response_seconds: float = field(default=300.0)
    sessions: bool = True
    poll_seconds: float = 1.0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "ClientSettings":
        """The settings in a configuration map; other keys in it are somebody else's.

        Args:
            config: the keys are those of this class, and `address` and `registry_addresses`.

        Raises:
            ProgrammerError: for a value that cannot be used.
        """
        sources = ("address", "addresses", "registry_addresses")
        found = [item for source in sources for item in parse_addresses(config.get(source))]
        addresses = tuple(dict.fromkeys(found)) or (Address("localhost", DEFAULT_PORT),)
        namespace = config.get("namespace")
        if namespace is not None and not isinstance(namespace, str):
            raise ProgrammerError(f"namespace {namespace!r} is not usable: it must be text")
        return cls(
            addresses,
            int(_number(config, "retries", 5)),
            _number(config, "base_retry_seconds", 0.5),
            namespace,
            _number(config, "default_lifetime", CLIENT_LEASE),
            _number(config, "connect_seconds", 10.0),
            _number(config, "response_seconds", 300.0),
            _flag(config, "sessions", default=True),
            _number(config, "poll_seconds", 1.0, above=0.0),
        )


def _number(
    config: Mapping[str, Any], name: str, default: float, above: float | None = None
) -> float:
    value = config.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise ProgrammerError(f"{name} {value!r} is not usable: it must be a number, 0 or more")
    if above is not None and not value > above:
        raise ProgrammerError(f"{name} {value!r} is not usable: it must be above {above:g}")
    return value


def _flag(config: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = config.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ProgrammerError(f"{name} {value!r} is not usable: it must be true or false")
    return value


def global_config() -> dict[str, Any]:
    """The `coordinate` block of the application's configuration, where it has set yakonfig up.

    Returns:
        The block; {} where the application has not imported yakonfig.
    """
    if "yakonfig" not in sys.modules:
        return {}
    from coordinate_protocol.configuration import coordinate_block

    # The environment configures programs of ours, not applications that use the library.
    return coordinate_block(None, environ={})
