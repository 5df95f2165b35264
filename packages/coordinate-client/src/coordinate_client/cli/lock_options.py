"""What is to be locked, and for which command: the arguments and options of ``lock``."""

import functools
from typing import Any, Final

import click
from attrs import frozen

from coordinate_client.cli.lock_paths import LockPath, check_apart
from coordinate_client.cli.options import Function
from coordinate_client.paths import EXCLUSIVE, SHARED, Path
from coordinate_client.written_paths import path_text

__all__ = ["CommandWithCommand", "WantedLocks", "command_of", "lock_options"]

# What servers take at most; they would shorten a longer one.
_LONGEST_TTL: Final = 1_000_000
_TTL: Final = 30.0
_COMMAND: Final = f"{__name__}.command"


class CommandWithCommand(click.Command):
    """A command whose own arguments end at ``--``; behind it stands another command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what stands behind the dashes apart."""
        own, _, command = _split(args)
        ctx.meta[_COMMAND] = command
        return super().parse_args(ctx, own)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Name the other command, too."""
        return [*super().collect_usage_pieces(ctx), "--", "COMMAND", "[ARG]..."]


def _split(args: list[str]) -> tuple[list[str], list[str], list[str]]:
    place = args.index("--") if "--" in args else len(args)
    return args[:place], args[place : place + 1], args[place + 1 :]


def command_of(ctx: click.Context) -> list[str]:
    """The other command, with its arguments.

    Raises:
        click.UsageError: there is none.
    """
    command: list[str] = ctx.meta[_COMMAND]
    if not command:
        raise click.UsageError("say what to run: PATH -- COMMAND")
    return command


@frozen
class WantedLocks:
    """What is to be locked, and how.

    Arguments:
        paths: what.
        mode: "exclusive" or "shared".
        wait: seconds at most; None for as long as it takes.
        ttl: seconds until the locks end, unless they are renewed.
        locker: who locks; None for a name that is made up.
    """

    paths: tuple[Path, ...]
    mode: str
    wait: float | None
    ttl: float
    locker: str | None

    @property
    def shown(self) -> str:
        """The paths, for people."""
        return ", ".join(path_text(path) for path in self.paths)


def lock_options(function: Function) -> Function:
    """Add the paths and the options about locking; the function gets them as ``wanted``."""

    @functools.wraps(function)
    def command(
        *args: Any,
        path: tuple[Path, ...],
        wait: float | None,
        ttl: float,
        locker: str | None,
        shared: bool,
        no_wait: bool,
        **options: Any,
    ) -> Any:
        if no_wait and wait is not None:
            raise click.UsageError("say --wait or --no-wait, not both")
        check_apart(path)
        mode = SHARED if shared else EXCLUSIVE
        wanted = WantedLocks(path, mode, 0.0 if no_wait else wait, ttl, locker)
        return function(*args, wanted=wanted, **options)

    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.argument("path", nargs=-1, required=True, type=LockPath()),
    click.option("-s", "--shared", is_flag=True, help="Others may lock it shared as well."),
    click.option(
        "-w",
        "--wait",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="Wait so long at most. Without it, for as long as it takes.",
    ),
    click.option("-n", "--no-wait", is_flag=True, help="Do not wait."),
    click.option(
        "--ttl",
        type=click.FloatRange(min=0, min_open=True, max=_LONGEST_TTL),
        default=_TTL,
        metavar="SECONDS",
        help=f"The lock ends so long after its last renewal ({_TTL:g}).",
    ),
    click.option("--locker", metavar="NAME", help="Who locks. Without it, a made-up name."),
)
