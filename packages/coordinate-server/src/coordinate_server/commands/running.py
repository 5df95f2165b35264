"""What all commands share: which data file they are about, and how their errors are told."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from coordinate_server.config import ServerConfig
from coordinate_server.store.interface import StoreError

__all__ = ["data_file", "data_option", "reported", "shown_size"]

_STEP = 1024

data_option = click.option(
    "--data",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Data file; the configured one unless told otherwise.",
)


def data_file(ctx: click.Context, path: Path | None) -> Path:
    """Give the data file that a command is about.

    Arguments:
        ctx: the command's; its object gives the configuration.
        path: the one that the command was told, or None.

    Raises:
        StoreError: data are configured to be in memory.
    """
    configured: Callable[[], ServerConfig] = ctx.obj
    found = configured().data if path is None else path
    if found is None:
        raise StoreError("data are configured to be in memory only: name a file with --data")
    return found


def reported(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command tell what fails in one line, and end with exit code 1."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except BrokenPipeError:
            raise  # who read the output had enough
        except (OSError, StoreError) as error:
            click.echo(f"coordinated: {' '.join(str(error).split())}", err=True)
            raise SystemExit(1) from error

    return run


def shown_size(size: float) -> str:
    """Give a number of bytes as a person reads it."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < _STEP or unit == "GiB":
            break
        size /= _STEP
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
