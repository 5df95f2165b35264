"""Who calls: what an operation of the service is told about the connection and the moment."""

from typing import Any

from attrs import define

from coordinate_server.model import Model, Namespace
from coordinate_server.model.instant import Instant
from coordinate_server.model.sessions import Session
from coordinate_server.service.clock import Clock

__all__ = ["Call", "Calls"]


@define
class Call:
    """One connection's state, brought up to date for each of its messages.

    One object serves all calls of a connection: making one for every call would cost more than
    looking a unit up does. So an operation must not keep it.

    Arguments:
        namespace: the part of the model that this connection works in.
        namespace_name: its name.
        at: the moment of this call.
        greeted: whether the client has said ``hello``; one that has not is treated as 0.1.5's are.
        native_bytes: whether the client's strings are byte strings (Python 2's).
        session: what its numbered calls belong to; None until it asks for one.
        asked: what it asked for last, as it came and as it was read; None for nothing.
    """

    namespace: Namespace
    namespace_name: str
    at: Instant
    greeted: bool = False
    native_bytes: bool = False
    session: Session | None = None
    asked: tuple[Any, Any] | None = None

    def join(self, session: Session | None) -> None:
        """Be of a session, or of none, from now on."""
        if self.session is not None:
            self.session.connections -= 1
            self.session.heard = self.at.now
        if session is not None:
            session.connections += 1
        self.session = session


@define
class Calls:
    """Makes the ``Call`` of each new connection.

    Arguments:
        model: the state.
        clock: gives the moment.
        namespace_name: the namespace of connections that never say another.
    """

    model: Model
    clock: Clock
    namespace_name: str = "default"

    def open(self) -> Call:
        """Give a new connection its call, in the server's own namespace."""
        namespace = self.model.namespace(self.namespace_name)
        return Call(namespace, self.namespace_name, self.clock.instant())
