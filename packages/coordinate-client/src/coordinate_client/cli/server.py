"""Commands on the server as a whole: ``rpc``, ``config``, ``delete``."""

from pathlib import Path

import click

from coordinate_client.cli.options import json_option, pass_session
from coordinate_client.cli.output import as_json, done, plain_value, show
from coordinate_client.cli.session import Session
from coordinate_protocol.configuration import ConfigError, dump_config, parse_yaml

__all__ = ["COMMANDS", "config", "delete", "rpc"]


@click.command("rpc")
@click.argument("method")
@click.argument("param", nargs=-1)
@json_option
@pass_session
def rpc(session: Session, method: str, param: tuple[str, ...], *, wants_json: bool) -> None:
    """Call METHOD of the server and print its result.

    Each PARAM is YAML: "{limit: 3}".
    """
    params = [_parsed(text) for text in param]
    result = session.task_master._rpc(method, params)  # noqa: SLF001 - which is what this is for
    show(session, result, lambda: [repr(result)], wants_json=wants_json)


def _parsed(text: str) -> object:
    try:
        return parse_yaml(text)
    except ConfigError as error:
        raise click.UsageError(f"parameter {text!r} is not YAML: {error}") from error


@click.command("config")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write it to FILE.",
)
@json_option
@pass_session
def config(session: Session, output: Path | None, *, wants_json: bool) -> None:
    """Print the server's configuration, as YAML."""
    found = session.task_master.get_server_config()
    if output is None:
        text = dump_config(plain_value(found))
        show(session, found, text.splitlines, wants_json=wants_json)
        return
    written = as_json(found) + "\n" if wants_json else dump_config(plain_value(found))
    try:
        output.write_text(written, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"cannot write {str(output)!r}: {error.strerror}") from error


@click.command("delete")
@click.option("-y", "--yes", "assume_yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def delete(session: Session, *, assume_yes: bool, wants_json: bool) -> None:
    """Delete every work spec and work unit of the namespace."""
    question = "Delete everything in the current coordinate environment?"
    if not assume_yes and not click.confirm(question, err=True):
        done("not deleting anything", {"deleted": 0}, wants_json=wants_json)
        return
    count = session.task_master.clear()
    done(f"deleted {count} work specs", {"deleted": count}, wants_json=wants_json)


COMMANDS = (rpc, config, delete)
