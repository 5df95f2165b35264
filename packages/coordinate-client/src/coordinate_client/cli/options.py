"""Options that several commands share."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from coordinate_client.cli.files import read_spec
from coordinate_client.cli.session import Session
from coordinate_protocol.constants import AVAILABLE, BLOCKED, FAILED, FINISHED, PENDING

__all__ = [
    "STATUSES",
    "json_option",
    "no_such_spec",
    "pass_session",
    "spec_file_option",
    "spec_options",
    "status_option",
    "units_option",
    "watch_option",
]

Function = Callable[..., Any]

STATUSES = {
    "available": AVAILABLE,
    "pending": PENDING,
    "blocked": BLOCKED,
    "finished": FINISHED,
    "failed": FAILED,
}

pass_session = click.make_pass_decorator(Session, ensure=True)

json_option = click.option(
    "--json", "wants_json", is_flag=True, help="Print one JSON document and nothing else."
)

watch_option = click.option(
    "--watch", "wants_watch", is_flag=True, help="Stay, and show anew what changes, until Ctrl-C."
)

status_option = click.option(
    "-s", "--status", type=click.Choice(list(STATUSES)), help="Only work units in this status."
)

spec_file_option = click.option(
    "-w",
    "--work-spec",
    "spec_path",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML or JSON file that holds the work spec.",
)

units_option = click.option(
    "-u",
    "--work-units",
    "units_path",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help='One JSON object a line: {"key": {data}, …}; # comments; .gz; - for standard input.',
)


def no_such_spec(name: str) -> click.ClickException:
    """The error for a work spec that the server does not have."""
    return click.ClickException(f"no such work spec {name!r}: 'coordinate work_specs' lists them")


def spec_options(function: Function) -> Function:
    """Add ``-w FILE`` and ``-W NAME``; the function gets the spec's name as ``spec_name``."""

    @functools.wraps(function)
    def command(*args: Any, spec_path: Path | None, named_spec: str | None, **options: Any) -> Any:
        return function(*args, spec_name=_one_name(spec_path, named_spec), **options)

    name_option = click.option(
        "-W", "--work-spec-name", "named_spec", metavar="NAME", help="Name of the work spec."
    )
    return spec_file_option(name_option(command))


def _one_name(path: Path | None, name: str | None) -> str:
    if path is not None and name is not None:
        raise click.UsageError("say -w FILE or -W NAME, not both")
    if path is not None:
        return str(read_spec(path)["name"])
    if name is None:
        raise click.UsageError("say which work spec: -W NAME, or -w FILE")
    return name
