"""The configuration that a spec has for its units' code: yakonfig's global one, meanwhile."""

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from coordinate_client.exceptions import ProgrammerError

__all__ = ["CodeConfig", "code_config"]

logger = logging.getLogger("coordinate_client.worker")


class CodeConfig:
    """Sets up the configuration that a unit's code finds, where that is not set up already.

    There is one in a process: units of threads that want different ones must not run together.

    Attributes:
        installed: what is set up for units; None where it is the worker's own.
    """

    def __init__(self) -> None:
        """Begin with that of the worker."""
        self.installed: Mapping[str, Any] | None = None
        self._own: Any = None
        self._warned = False

    def use(self, config: Mapping[str, Any] | None) -> None:
        """Set up a configuration.

        Args:
            config: a whole configuration, as a file has it; None for the worker's own.

        Raises:
            ProgrammerError: it cannot be used.
        """
        if config is self.installed or not self._can():
            return
        if config != self.installed:
            self._change(config)
        self.installed = config

    def _can(self) -> bool:
        if find_spec("yakonfig") is not None:
            return True
        if not self._warned:
            self._warned = True
            logger.warning("yakonfig is not installed: the config of work specs is not set up")
        return False

    def _change(self, config: Mapping[str, Any] | None) -> None:
        from coordinate_protocol.configuration import (
            ConfigError,
            install_config,
            installed_config,
            restore_config,
        )

        if self.installed is None:
            self._own = installed_config()
        if config is None:
            restore_config(self._own)
            return
        try:
            install_config(config)
        except ConfigError as error:
            raise ProgrammerError(f"config of the work spec: {error}") from error


_SHARED = CodeConfig()


def code_config() -> CodeConfig:
    """That of this process."""
    return _SHARED
