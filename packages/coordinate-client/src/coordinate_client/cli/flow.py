"""Commands that bring work in: ``flow``, ``load``, ``addwork``."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from coordinate_client.cli.files import read_map, read_spec
from coordinate_client.cli.loading import add_units
from coordinate_client.cli.options import (
    json_option,
    pass_session,
    spec_file_option,
    spec_options,
    units_option,
)
from coordinate_client.cli.output import done
from coordinate_client.cli.session import Session
from coordinate_client.specs import flow_specs
from coordinate_protocol.configuration import install_config, load_config

__all__ = ["COMMANDS", "addwork", "flow", "load"]


@click.command("flow")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-c",
    "--config",
    "config_path",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Configuration for the units' own code, in place of the command line's.",
)
@json_option
@pass_session
def flow(session: Session, file: Path, config_path: Path | None, *, wants_json: bool) -> None:
    """Create the work specs of a flow FILE.

    FILE is YAML: 'flows: {name: spec}', nested names join with "."; 'yakonfig_modules: [...]'
    names modules whose defaults go into the configuration that the specs get.
    """
    document = read_map(file)
    flows = document.get("flows")
    if not isinstance(flows, dict):
        raise click.ClickException(f"{str(file)!r} holds no flow: it needs 'flows: {{name: spec}}'")
    config = _unit_config(session, config_path, document.get("yakonfig_modules"))
    session.task_master.add_flow(flows, config=config)
    names = sorted(spec["name"] for spec in flow_specs(flows, {}))
    done(f"loaded flow {str(file)!r}", {"flows": names}, wants_json=wants_json)


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
