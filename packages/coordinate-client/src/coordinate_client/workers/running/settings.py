"""How units are run, as the `coordinate:` block says it."""

from collections.abc import Mapping
from typing import Any, Self

from attrs import frozen

from coordinate_client.exceptions import ProgrammerError
from coordinate_client.workers.reading import SettingsReader
from coordinate_client.workers.running.allowed import say_once

__all__ = ["ProfileSettings", "RunnerSettings"]

_DESTINATION = "%(work_spec_name)s-%(work_unit_key)s-%(ymd)s-%(hms)s.prof"
_FIELDS = ("work_spec_name", "work_unit_key", "ymd", "hms")


@frozen
class ProfileSettings:
    """Whose units are profiled.

    Args:
        work_specs: the names of their specs.
        destination: the file of each; it may have work_spec_name, work_unit_key, ymd and hms in it,
            written as `%(ymd)s`.
    """

    work_specs: frozenset[str] = frozenset()
    destination: str = _DESTINATION

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> Self:
        """Read the `profile:` block.

        Raises:
            ProgrammerError: for a value that cannot be used.
        """
        read = SettingsReader(block, "profile.")
        destination = block.get("destination")
        if destination is None:
            destination = _DESTINATION
        try:
            destination % dict.fromkeys(_FIELDS, "x")
        except (TypeError, ValueError, KeyError) as error:
            known = ", ".join(f"%({name})s" for name in _FIELDS)
            raise ProgrammerError(
                f"profile.destination {destination!r} is not usable: it must be a path that has "
                f"nothing but {known} to fill in"
            ) from error
        return cls(frozenset(read.texts("work_specs") or ()), destination)


@frozen
class RunnerSettings:
    """What may be run, and for how long.

    Args:
        allow_modules: modules that functions may come from, each with all that is below it; None
            for all modules.
        allow_commands: whether units may be commands.
        auto_renew: whether leases are renewed while units run.
        max_runtime: seconds that a unit may run for where its spec does not say; None for as long
            as it takes.
        cancel_seconds: how long a unit has to end when it was told to, until it is told again.
        kill_seconds: how long it then has, until it is given up.
        profile: whose units are profiled.
        command_tail_bytes: how much of a command's output is kept.
    """

    allow_modules: tuple[str, ...] | None = None
    allow_commands: bool = True
    auto_renew: bool = True
    max_runtime: float | None = None
    cancel_seconds: float = 10.0
    kill_seconds: float = 10.0
    profile: ProfileSettings = ProfileSettings()
    command_tail_bytes: int = 8192

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> Self:
        """Read the block.

        Args:
            block: the `coordinate:` block; other keys in it are somebody else's.

        Raises:
            ProgrammerError: for a value that cannot be used.
        """
        read = SettingsReader(block)
        modules = read.texts("allow_modules")
        if modules is None:
            say_once()
        commands = read.flag("allow_commands")
        renews = read.flag("auto_renew")
        return cls(
            modules,
            modules is None if block.get("allow_commands") is None else commands,
            True if block.get("auto_renew") is None else renews,
            read.number("max_runtime", None, above=0.0),
            read.number("cancel_seconds", 10.0),
            read.number("kill_seconds", 10.0),
            ProfileSettings.of(read.block("profile")),
            read.count("command_tail_bytes", 8192),
        )
