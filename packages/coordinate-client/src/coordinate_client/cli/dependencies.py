"""The command ``depends``: which units a unit needs."""

import click

from coordinate_client.cli.options import json_option, pass_session
from coordinate_client.cli.output import done
from coordinate_client.cli.said import said
from coordinate_client.cli.session import Session

__all__ = ["COMMANDS", "depends"]


@click.command("depends")
@click.argument("spec")
@click.argument("unit")
@click.option(
    "--on",
    "needed",
    nargs=2,
    multiple=True,
    required=True,
    metavar="SPEC UNIT",
    help="A unit that has to finish before; may be given several times.",
)
@click.option("--soft", is_flag=True, help="They may fail as well.")
@json_option
@pass_session
def depends(
    session: Session,
    spec: str,
    unit: str,
    needed: tuple[tuple[str, str], ...],
    *,
    soft: bool,
    wants_json: bool,
) -> None:
    """Have UNIT of SPEC wait for other units.

    All of the units have to be there. Either all that is asked for is done, or nothing.
    """
    edges = [((spec, unit), earlier, not soft) for earlier in needed]
    with said() as messages:
        if not session.task_master.add_dependencies(edges):
            raise click.ClickException(messages[-1] if messages else "the server refused")
    names = ", ".join(f"{key!r} of {name!r}" for name, key in needed)
    value = {"work_spec": spec, "work_unit": unit, "needs": needed, "hard": not soft}
    done(f"{unit!r} of {spec!r} needs {names}", value, wants_json=wants_json)


COMMANDS = (depends,)
