"""Commands that bring work in: ``flow``, ``load``, ``addwork``."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from coordinate_client import TaskMaster
from coordinate_client.cli.files import read_spec
from coordinate_client.cli.flow_file import FlowFile
from coordinate_client.cli.flow_report import done_lines, done_values, plan_lines, plan_values
from coordinate_client.cli.flow_sending import Sender, check_server, specs_there, statuses_there
from coordinate_client.cli.loading import add_units
from coordinate_client.cli.options import (
    json_option,
    pass_session,
    spec_file_option,
    spec_options,
    units_option,
)
from coordinate_client.cli.output import as_json, done, show
from coordinate_client.cli.session import Session
from coordinate_client.flows.documents import unsendable_specs
from coordinate_client.flows.drawings import DRAWINGS, as_values
from coordinate_client.flows.parts import Flow
from coordinate_client.flows.plans import Plan, missing, plan
from coordinate_client.specs import application_config, flow_specs
from coordinate_protocol.configuration import install_config, load_config

__all__ = ["COMMANDS", "addwork", "flow", "load"]


@click.command("flow")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "-c",
    "--config",
    "config_path",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Configuration for the units' own code, in place of the command line's.",
)
@click.option("--again", is_flag=True, help="Add units that are there already once more.")
@click.option("--dry-run", is_flag=True, help="Only tell what would change on the server.")
@click.option(
    "--graph",
    type=click.Choice(["mermaid", "dot", "json"]),
    help="Only draw the flow; no server is asked.",
)
@json_option
@pass_session
def flow(
    session: Session,
    file: str,
    config_path: Path | None,
    graph: str | None,
    *,
    again: bool,
    dry_run: bool,
    wants_json: bool,
) -> None:
    """Load the work specs and units of a flow FILE.

    FILE is YAML or JSON, - is standard input: 'flows: {name: spec}', nested names join with ".";
    'units: {SPEC: {KEY: {data: {...}, priority: N, delay: SECONDS, depends_on: [...], locks:
    [...]}}}', where an item of depends_on is KEY (of the same spec), [SPEC, KEY], or {spec: SPEC,
    key: KEY, hard: false}, and one of locks is a path as [index, 3], or {path: [index, 3], mode:
    shared}; 'yakonfig_modules: [...]' names modules whose defaults go into the configuration that
    the specs get.

    All of it is checked before anything is changed. Specs are set where they are new or changed.
    Units that are there already are left alone, whatever became of them, unless --again is given:
    then ended ones run once more. So a load that was interrupted can simply be repeated.
    """
    if graph is not None and (again or dry_run):
        raise click.UsageError("--graph asks no server: leave out --again and --dry-run")
    found = FlowFile(file)
    if graph is not None:
        _draw(found.flow, graph)
        return
    config = _unit_config(session, config_path, found.document.get("yakonfig_modules"))
    plan = _planned(session.task_master, found, config, again=again)
    units = found.flow.units
    if dry_run:
        lines = lambda: plan_lines(units, plan)  # noqa: E731 - made only where shown
        show(session, plan_values(units, plan), lines, wants_json=wants_json)
        return
    Sender(session.task_master, config).send(found.flow, plan)
    told = done_values(list(found.flow.specs), plan)
    show(session, told, lambda: done_lines(found.name, plan), wants_json=wants_json)


def _draw(flow: Flow, form: str) -> None:
    if form == "json":
        click.echo(as_json(as_values(flow)))
        return
    for line in DRAWINGS[form](flow):
        click.echo(line)


def _planned(
    master: TaskMaster, file: FlowFile, config: dict[str, Any] | None, *, again: bool
) -> Plan:
    """Compare the flow with the server; what only the server can tell to be wrong is told."""
    flow = file.flow
    specs = flow_specs(flow.specs, application_config() if config is None else config)
    file.refuse(unsendable_specs(specs))
    there = specs_there(master, flow.specs)
    statuses = statuses_there(master, flow, there)
    made = plan(specs, flow.units, there, statuses, again=again)
    file.refuse(list(missing(made.units.values(), {**flow.units, **statuses})))
    check_server(master, made.units.values())
    return made


def _unit_config(session: Session, path: Path | None, names: Any) -> dict[str, Any] | None:
    """The configuration that the specs of a flow get; None where nobody gave one."""
    config = session.config() if path is None else load_config(path)
    if not names:
        return config or None
    return install_config(config, [_module(name) for name in names])


def _module(name: Any) -> ModuleType:
    try:
        return importlib.import_module(str(name))
    except ImportError as error:
        raise click.ClickException(
            f"cannot import {name!r} of yakonfig_modules: {error}"
        ) from error


@click.command("load")
@spec_file_option
@units_option
@click.option("--no-work", is_flag=True, help="Only the work spec, no work units.")
@click.option("-n", "--nice", type=int, help="Nice level of the spec: its weight is 20 - nice.")
@json_option
@pass_session
def load(
    session: Session,
    spec_path: Path | None,
    units_path: str | None,
    nice: int | None,
    *,
    no_work: bool,
    wants_json: bool,
) -> None:
    """Create a work spec and add work units to it."""
    if spec_path is None:
        raise click.UsageError("say which work spec: -w FILE")
    if (units_path is None) != no_work:
        raise click.UsageError("say -u FILE (or -u -), or else --no-work")
    spec = read_spec(spec_path)
    if nice is not None:
        spec["nice"] = nice
    session.task_master.set_work_spec(spec)
    count = 0 if units_path is None else add_units(session, spec["name"], units_path)
    done(_loaded(count, spec["name"]), _added(count, spec["name"]), wants_json=wants_json)


@click.command("addwork")
@spec_options
@units_option
@json_option
@pass_session
def addwork(session: Session, spec_name: str, units_path: str | None, *, wants_json: bool) -> None:
    """Add work units to a work spec that exists."""
    if units_path is None:
        raise click.UsageError("say which work units: -u FILE (or -u -)")
    count = add_units(session, spec_name, units_path)
    done(_loaded(count, spec_name), _added(count, spec_name), wants_json=wants_json)


def _loaded(count: int, spec_name: str) -> str:
    if not count:
        return "no work units. done."
    return f"finished writing {count} work units to work_spec={spec_name!r}"


def _added(count: int, spec_name: str) -> dict[str, Any]:
    return {"work_spec": spec_name, "added": count}


COMMANDS = (flow, load, addwork)
