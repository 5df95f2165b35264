"""Clients of a server in memory: the real ones, with another way to their server."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coordinate_client import LockClient, TaskMaster
from coordinate_client.testing.server import FakeServer
from coordinate_client.testing.transports import async_connect_to, connect_to

if TYPE_CHECKING:
    from coordinate_client import AsyncTaskMaster

__all__ = ["FakeTaskMaster", "async_task_master", "lock_client"]

# Says in errors that nobody was called.
_ADDRESS = {"address": "memory:5932"}


class FakeTaskMaster(TaskMaster):
    """A TaskMaster on a server in memory."""

    def __init__(self, server: FakeServer, config: Mapping[str, Any] | None = None) -> None:
        """Begin without a connection.

        Args:
            server: who answers.
            config: as for every client; its addresses are not used.
        """
        clock = server.clock
        super().__init__(
            _ADDRESS | dict(config or {}),
            connect=connect_to(server),
            sleep=clock.advance,
            chance=_no_chance,
            clock=clock.seconds,
        )
        self._memory = server

    def twin(self) -> "AsyncTaskMaster":
        """The same for coroutine functions."""
        return async_task_master(self._memory, self.config)


def async_task_master(
    server: FakeServer, config: Mapping[str, Any] | None = None
) -> "AsyncTaskMaster":
    """An AsyncTaskMaster on a server in memory; the arguments are those of `FakeTaskMaster`."""
    from coordinate_client import AsyncTaskMaster

    clock = server.clock
    return AsyncTaskMaster(
        _ADDRESS | dict(config or {}),
        connect=async_connect_to(server),
        sleep=clock.sleep_async,
        chance=_no_chance,
        clock=clock.seconds,
    )


def lock_client(
    server: FakeServer, config: Mapping[str, Any] | None = None, locker: str | None = None
) -> LockClient:
    """A LockClient on a server in memory.

    Args:
        server: who answers.
        config: as for every client; its addresses are not used.
        locker: who locks; None for a name that is made up.
    """
    clock = server.clock
    return LockClient(
        _ADDRESS | dict(config or {}),
        locker=locker,
        connect=connect_to(server),
        sleep=clock.advance,
        chance=_no_chance,
        clock=clock.seconds,
    )


def _no_chance() -> float:
    return 0.0
