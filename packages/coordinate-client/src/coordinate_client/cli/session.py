"""What a command is given: the way to the server, the kind of output, the clock."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, field

from coordinate_client import TaskMaster
from coordinate_protocol.configuration import coordinate_block, load_config
from coordinate_protocol.constants import DEFAULT_PORT

__all__ = ["DEFAULT_ADDRESS", "Session"]

DEFAULT_ADDRESS = f"localhost:{DEFAULT_PORT}"
ADDRESS_SETTINGS = ("address", "addresses", "registry_addresses")
# A person waits: two attempts tell as much as five, and tell it within a second.
RETRIES = 2


@define
class Session:
    """One run of the command line.

    Arguments:
        config_path: the configuration file, if one was named.
        address: ``host:port`` of the server, if it was named; before the environment and the file.
        connect: makes the ``TaskMaster`` out of the ``coordinate:`` block.
        terminal: whether standard output is a terminal; None asks it.
        sleep: waits for some seconds.
        clock: the time of day, seconds since 1970.
    """

    config_path: Path | None = None
    address: str | None = None
    connect: Callable[[dict[str, Any]], TaskMaster] = TaskMaster
    terminal: bool | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    _task_master: TaskMaster | None = field(default=None, init=False)

    @property
    def task_master(self) -> TaskMaster:
        """The server, connected to by the first call."""
        if self._task_master is None:
            self._task_master = self.connect(self.block())
        return self._task_master

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
        """Close the connection, if there is one."""
        if self._task_master is not None:
            self._task_master.close()
