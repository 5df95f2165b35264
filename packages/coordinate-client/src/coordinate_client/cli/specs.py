"""Commands on work specs: ``work_specs``, ``work_spec``, ``status``, ``pause``, ``resume``."""

from typing import Any

import click
from rich.table import Table

from coordinate_client.cli.options import json_option, no_such_spec, pass_session, spec_options
from coordinate_client.cli.output import done, plain_value, show, show_document, table
from coordinate_client.cli.session import Session
from coordinate_protocol.configuration import dump_config

__all__ = ["COMMANDS", "pause", "resume", "status", "work_spec", "work_specs"]

SHOWN = ("name", "priority", "weight", "min_gb", "max_running", "then", "desc")
COUNTED = ("available", "pending", "blocked", "failed", "finished")


@click.command("work_specs")
@json_option
@pass_session
def work_specs(session: Session, *, wants_json: bool) -> None:
    """List the names of all work specs."""
    specs = sorted(session.task_master.iter_work_specs(), key=lambda spec: str(spec["name"]))
    names = [str(spec["name"]) for spec in specs]
    show(session, names, lambda: names, lambda: _specs_table(specs), wants_json=wants_json)


def _specs_table(specs: list[dict[str, Any]]) -> Table:
    titles = ["Work spec", "#Priority", "#Weight", "#Min GB", "#Max running", "Then", "Description"]
    return table(titles, ([spec.get(key) for key in SHOWN] for spec in specs))


@click.command("work_spec")
@spec_options
@json_option
@click.option("--yaml", "wants_yaml", is_flag=True, help="Print YAML (the default).")
@pass_session
def work_spec(session: Session, spec_name: str, *, wants_json: bool, wants_yaml: bool) -> None:
    """Print a work spec as the server has it."""
    if wants_json and wants_yaml:
        raise click.UsageError("say --json or --yaml, not both")
    spec = session.task_master.get_work_spec(spec_name)
    if spec is None:
        raise no_such_spec(spec_name)
    yaml = lambda: dump_config(plain_value(spec)).splitlines()  # noqa: E731 - made only where shown
    show(session, spec, yaml, wants_json=wants_json)


@click.command("status")
@spec_options
@json_option
@pass_session
def status(session: Session, spec_name: str, *, wants_json: bool) -> None:
    """Count the work units of a work spec by status."""
    counts = session.task_master.status(spec_name)
    drawn = [*((name, counts[f"num_{name}"]) for name in COUNTED), ("total", counts["num_tasks"])]
    show_document(
        session, counts, lambda: table(["Status", "#Work units"], drawn), wants_json=wants_json
    )


@click.command("pause")
@click.argument("spec")
@json_option
@pass_session
def pause(session: Session, spec: str, *, wants_json: bool) -> None:
    """Stop handing out work units of SPEC, until it is resumed."""
    _set_paused(session, spec, paused=True)
    done(f"paused {spec!r}", {"work_spec": spec, "paused": True}, wants_json=wants_json)


@click.command("resume")
@click.argument("spec")
@json_option
@pass_session
def resume(session: Session, spec: str, *, wants_json: bool) -> None:
    """Resume SPEC, which was paused."""
    _set_paused(session, spec, paused=False)
    done(f"resumed {spec!r}", {"work_spec": spec, "paused": False}, wants_json=wants_json)


def _set_paused(session: Session, spec: str, *, paused: bool) -> None:
    if not session.task_master.pause_work_spec(spec, paused=paused):
        raise no_such_spec(spec)


COMMANDS = (work_specs, work_spec, status, pause, resume)
