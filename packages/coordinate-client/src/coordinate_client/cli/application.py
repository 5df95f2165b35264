"""The command ``coordinate``: its global options, the names of commands, errors as exit codes."""

import sys
from pathlib import Path
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError

from coordinate_client._version import __version__
from coordinate_client.cli import (
    dependencies,
    explanation,
    flow,
    lock_command,
    locks,
    orders,
    retries,
    server,
    specs,
    summary,
    units,
    workers,
)
from coordinate_client.cli.codes import FAILED, INTERRUPTED, UNREACHABLE, USAGE
from coordinate_client.cli.session import Session
from coordinate_client.exceptions import ConnectionFailed, CoordinateException, RpcError
from coordinate_protocol.configuration import ConfigError
from coordinate_protocol.errors import ProtocolError

__all__ = ["coordinate"]

WHAT_TO_DO = "start one with 'coordinated', or name another with --address HOST:PORT"


class Application(click.Group):
    """A group whose commands are found with ``-`` and ``_``, and whose errors take one line."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command by its name in either spelling."""
        return super().get_command(ctx, cmd_name.replace("-", "_"))

    def main(self, *args: Any, **options: Any) -> Any:
        """Run, tell an error in one line on standard error, exit with its code."""
        options["standalone_mode"] = False
        try:
            result = super().main(*args, **options)
        except NoArgsIsHelpError as error:
            error.show()
            sys.exit(USAGE)
        except click.UsageError as error:
            _tell(f"{error.format_message().rstrip('.')} (see '{_path(error)} --help')")
            sys.exit(USAGE)
        except click.Abort as error:
            # The question, or what the terminal shows for Ctrl-C, stands on the line still.
            click.echo(err=True)
            if _is_interrupt(error):
                sys.exit(INTERRUPTED)
            _tell("the question was not answered: nothing was done")
            sys.exit(FAILED)
        except click.ClickException as error:
            _tell(error.format_message())
            sys.exit(FAILED)
        sys.exit(result if isinstance(result, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command; what the server or its way refuses is an error of one line."""
        session = ctx.ensure_object(Session)
        try:
            return super().invoke(ctx)
        except ConnectionFailed as error:
            _tell(f"{error}; {WHAT_TO_DO}")
            ctx.exit(UNREACHABLE)
        except RpcError as error:
            # The server's traceback, below the first line, is for those who call from Python.
            raise click.ClickException(str(error).splitlines()[0]) from error
        except (CoordinateException, ConfigError, ProtocolError) as error:
            raise click.ClickException(str(error)) from error
        finally:
            session.close()


def _tell(message: str) -> None:
    click.echo(f"coordinate: {' '.join(message.split())}", err=True)


def _path(error: click.UsageError) -> str:
    return error.ctx.command_path if error.ctx else "coordinate"


def _is_interrupt(error: click.Abort) -> bool:
    return isinstance(error.__cause__ or error.__context__, KeyboardInterrupt)


@click.group(
    cls=Application,
    context_settings={
        "help_option_names": ["-h", "--help"],
        # Options are declared with dashes; 0.1.5's scripts and people's fingers may say either.
        "token_normalize_func": lambda token: token.replace("_", "-"),
    },
)
@click.option(
    "-c",
    "--config",
    "config_path",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Configuration file; its 'coordinate:' block says where the server is.",
)
@click.option(
    "--address", metavar="HOST:PORT", help="The server; before COORDINATE_ADDRESS and the file."
)
@click.version_option(__version__, prog_name="coordinate")
@click.pass_context
def coordinate(ctx: click.Context, config_path: Path | None, address: str | None) -> None:
    """Give work to a coordinated server, and see what becomes of it.

    The server is, first wins: --address, the variable COORDINATE_ADDRESS, the file of -c,
    localhost:5932.

    Exit codes: 0 done, 1 failed, 2 nothing to do, 3 no server reached, 64 wrong usage.
    """
    session = ctx.ensure_object(Session)
    session.config_path = config_path
    session.address = address


MODULES = (
    dependencies,
    explanation,
    flow,
    lock_command,
    locks,
    orders,
    retries,
    server,
    specs,
    summary,
    units,
    workers,
)
for module in MODULES:
    for command in module.COMMANDS:
        coordinate.add_command(command)
