"""A server in memory: answers what clients send, without a network and without sleeping."""

import threading
from collections.abc import Callable
from typing import Any, Final

from attrs import define, field

from coordinate_client._version import __version__
from coordinate_client.testing.clock import FakeClock
from coordinate_client.testing.handouts import HandoutOperations
from coordinate_client.testing.locks import LockOperations
from coordinate_client.testing.memory import Memory
from coordinate_client.testing.refusals import Refusal, Unknown
from coordinate_client.testing.specs import SpecOperations
from coordinate_client.testing.units import UnitOperations
from coordinate_client.testing.updates import UpdateOperations
from coordinate_client.testing.workers import WorkerOperations
from coordinate_protocol.catalogue import CATALOGUE
from coordinate_protocol.connection import ServerConnection
from coordinate_protocol.constants import PROTOCOL_VERSION
from coordinate_protocol.messages import Failure, Request, Response
from coordinate_protocol.values import as_text

__all__ = ["FakeServer"]

_CAPABILITIES: Final = (
    "attempt_history",
    "attempts",
    "delay",
    "dependencies",
    "limits",
    "locks",
    "namespaces",
    "tokens",
    "wait",
)
# What a refusal is answered with, beside why.
_REFUSED: Final = {
    "add_dependencies": False,
    "add_dependent_work_units": False,
    "add_work_units": False,
    "count_work_units": False,
    "del_work_spec": False,
    "del_work_units": 0,
    "get_work_unit_attempts": None,
    "get_work_unit_status": None,
    "get_work_units": None,
    "prioritize_work_units": False,
    "update_work_unit": False,
}


class _Namespace(
    SpecOperations,
    UnitOperations,
    HandoutOperations,
    UpdateOperations,
    WorkerOperations,
    LockOperations,
):
    """All operations on one memory."""

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self.memory = memory


@define
class Connection:
    """One client's connection.

    Args:
        server: answers.
        namespace: the name of where it works.
    """

    server: "FakeServer"
    namespace: str = "default"
    _protocol: ServerConnection = field(factory=ServerConnection)

    def answer(self, data: bytes) -> bytes:
        """Answer the messages in some bytes.

        Args:
            data: what came; complete messages.
        """
        answers = b""
        for incoming in self._protocol.receive(data):
            done = [self.server.answer(self, request) for request in incoming.requests]
            answers += self._protocol.reply(incoming, done)
        return answers


class FakeServer:
    """A server in memory.

    Attributes:
        clock: the time, which goes on when it is told to.
    """

    def __init__(self, clock: FakeClock | None = None) -> None:
        """Begin empty.

        Args:
            clock: the time; None for a clock of its own.
        """
        self.clock = FakeClock() if clock is None else clock
        self._namespaces: dict[str, _Namespace] = {}
        self._turn = threading.RLock()

    def open(self) -> Connection:
        """Begin with a new connection."""
        return Connection(self)

    def answer(self, connection: Connection, request: Any) -> Response | Failure:
        """Answer one request.

        Args:
            connection: whose it is.
            request: what is asked.
        """
        if not isinstance(request, Request):
            return Failure(request.request_id, str(request))
        with self._turn:
            try:
                return Response(request.id, self._result(connection, request))
            except Unknown as error:
                return Failure(request.id, str(error))
            except Exception as error:  # noqa: BLE001 - whatever a call raises is its answer
                return Failure(request.id, repr(error))

    def _result(self, connection: Connection, request: Request) -> Any:
        operation = CATALOGUE.get(request.method)
        if operation is None:
            raise Unknown(request.method)
        bound = operation.bind(request.params)
        if request.method == "hello":
            return self._hello(connection, bound.get("options") or {})
        namespace = self._namespace(connection.namespace)
        function: Callable[..., Any] | None = getattr(namespace, request.method, None)
        if function is None:
            raise Unknown(request.method)
        namespace.memory.run_due()
        return _called(request.method, function, bound)

    def _namespace(self, name: str) -> _Namespace:
        if name not in self._namespaces:
            self._namespaces[name] = _Namespace(Memory(self.clock))
        return self._namespaces[name]

    def _hello(self, connection: Connection, options: dict[str, Any]) -> dict[str, Any]:
        connection.namespace = as_text(options.get("namespace") or connection.namespace)
        return {
            "protocol": PROTOCOL_VERSION,
            "server": "coordinate",
            "version": f"{__version__} in memory",
            "namespace": connection.namespace,
            "capabilities": list(_CAPABILITIES),
        }


def _called(method: str, function: Callable[..., Any], bound: dict[str, Any]) -> Any:
    try:
        return function(**bound)
    except Unknown:
        raise
    except Refusal as error:
        if method not in _REFUSED:
            raise
        return _REFUSED[method], str(error)
