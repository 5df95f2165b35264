"""What a command is given: the way to the server, the kind of output, the clock."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, field

from coordinate_client import LockClient, TaskMaster
from coordinate_protocol.configuration import coordinate_block, load_config
from coordinate_protocol.constants import DEFAULT_PORT

__all__ = ["DEFAULT_ADDRESS", "Session"]

DEFAULT_ADDRESS = f"localhost:{DEFAULT_PORT}"
ADDRESS_SETTINGS = ("address", "addresses", "registry_addresses")
# A person waits: two attempts tell as much as five, and tell it within a second.
RETRIES = 2


def _lock_client(block: dict[str, Any], locker: str | None) -> LockClient:
    return LockClient(block, locker=locker)


@define
class Session:
    """One run of the command line.

    Arguments:
        config_path: the configuration file, if one was named.
        address: ``host:port`` of the server, if it was named; before the environment and the file.
        connect: makes the ``TaskMaster`` out of the ``coordinate:`` block.
        terminal: whether standard output is a terminal; None asks it.
        connect_locks: makes the ``LockClient`` out of it and the name of the locker, or None.
        sleep: waits for some seconds.
        clock: the time of day, seconds since 1970.
        timer: seconds that go on evenly.
    """

    config_path: Path | None = None
    address: str | None = None
    connect: Callable[[dict[str, Any]], TaskMaster] = TaskMaster
    terminal: bool | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    timer: Callable[[], float] = time.monotonic
    connect_locks: Callable[[dict[str, Any], str | None], LockClient] = _lock_client
    _task_master: TaskMaster | None = field(default=None, init=False)
    _locks: LockClient | None = field(default=None, init=False)

    @property
    def task_master(self) -> TaskMaster:
        """The server, connected to by the first call."""
        if self._task_master is None:
            self._task_master = self.connect(self.block())
        return self._task_master

    def locks(self, locker: str | None = None) -> LockClient:
        """The server's locks, connected to by the first call.

        Arguments:
            locker: who locks; of the first call; None for a name that is made up.
        """
        if self._locks is None:
            self._locks = self.connect_locks(self.block(), locker)
        return self._locks

    @property
    def on_terminal(self) -> bool:
        """Whether a person reads standard output as it comes."""
        return sys.stdout.isatty() if self.terminal is None else self.terminal

    def config(self) -> dict[str, Any]:
        """The whole configuration file; empty where none was named."""
        return load_config(self.config_path)

    def block(self) -> dict[str, Any]:
        """The ``coordinate:`` block, with one server in it: flag, environment, file, default."""
        block = coordinate_block(self.config())
        named = self.address or os.environ.get("COORDINATE_ADDRESS")
        if named:
            for setting in ADDRESS_SETTINGS:
                block.pop(setting, None)
            block["address"] = named
        elif not any(block.get(setting) for setting in ADDRESS_SETTINGS):
            block["address"] = DEFAULT_ADDRESS
        block.setdefault("retries", RETRIES)
        return block

    def close(self) -> None:
        """Close the connections, if there are any."""
        for client in (self._task_master, self._locks):
            if client is not None:
                client.close()
