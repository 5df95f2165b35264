"""The optional first call: versions, capabilities, namespace."""

import os
from collections.abc import Callable
from typing import Any

from attrs import define, field

from coordinate_protocol.constants import PROTOCOL_VERSION
from coordinate_protocol.errors import shown
from coordinate_server._version import __version__
from coordinate_server.model import Model
from coordinate_server.model.sessions import SESSION_BYTES
from coordinate_server.service.arguments import Options
from coordinate_server.service.call import Call
from coordinate_server.service.offers import Offer, declared

__all__ = ["ServerInfo"]

_HELLO = frozenset({"protocol", "client", "namespace", "session", "backlog"})


@define
class ServerInfo:
    """The operations of the catalogue's service ``server``.

    Arguments:
        model: where namespaces are.
        shared: whether namespaces are ignored: everybody works in the server's own.
        capabilities: names of what this server can do beyond 0.1.5.
        backlog: how many changed rows are durable in the store's journal only.
    """

    model: Model
    shared: bool = False
    capabilities: tuple[str, ...] = (
        "delay",
        "attempts",
        "namespaces",
        "dependencies",
        "attempt_history",
        "explain",
        "schedules",
        "limits",
        "sessions",
        "tokens",
        "wait",
        "watch",
        "unit_locks",
        "locks",
        "orders",
    )
    backlog: Callable[[], int] = field(default=lambda: 0, kw_only=True)
    title: str = field(default="ServerInfo", init=False)

    def offers(self) -> dict[str, Offer]:
        """Its operations by name."""
        return declared(self, "server")

    def hello(self, call: Call, options: object = None) -> dict[str, Any]:
        """Agree on a protocol version and put the connection into a namespace.

        Raises:
            ValueError: no version in common, or an option that is not understood.
        """
        # Unknown options are left alone: a newer client must be able to greet an older server.
        read = Options.read(options, Call(call.namespace, call.namespace_name, call.at), _HELLO)
        _agree(read.given.get("protocol", [PROTOCOL_VERSION]))
        name, session = read.name("namespace"), _session_option(read.given.get("session"))
        if name is not None and name != call.namespace_name and not self.shared:
            call.join(None)
            call.namespace_name, call.namespace = name, self.model.namespace(name)
        call.greeted, call.asked = True, None
        said = {"backlog": self.backlog()} if read.flag("backlog") else {}
        return self._session(call, session) | {
            "protocol": PROTOCOL_VERSION,
            "server": "coordinate",
            "version": __version__,
            "namespace": call.namespace_name,
            "capabilities": list(self.capabilities),
            **said,
        }

    def _session(self, call: Call, wanted: bytes | bool) -> dict[str, Any]:
        """Open a session or go on with one; the names of both are told by nobody else."""
        if wanted is False:
            return {}
        if wanted is True:
            name = os.urandom(SESSION_BYTES)
            call.join(self.model.sessions.open(call.at, name, call.namespace_name))
            return {"session": name}
        call.join(self.model.sessions.find(call.at, wanted, call.namespace_name))
        return {"session": None if call.session is None else wanted}


def _session_option(wanted: object) -> bytes | bool:
    if wanted is None:
        return False
    if not isinstance(wanted, bytes | bool):
        raise ValueError(f"session should be true or a session's bytes, not {shown(wanted)}")
    return wanted


def _agree(versions: object) -> None:
    offered = versions if isinstance(versions, list | tuple) else [versions]
    if PROTOCOL_VERSION not in offered:
        raise ValueError(
            f"no protocol in common: {shown(offered)}, this server has {PROTOCOL_VERSION}"
        )
