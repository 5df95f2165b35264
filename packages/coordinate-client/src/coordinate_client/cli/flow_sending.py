"""A flow and the server: what is there of it, and putting the rest there."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click
from attrs import define

from coordinate_client import TaskMaster
from coordinate_client.cli.said import said
from coordinate_client.exceptions import CoordinateException
from coordinate_client.flows.order import runs
from coordinate_client.flows.parts import Flow, Unit, UnitName
from coordinate_client.flows.plans import Plan
from coordinate_client.server import check_options

__all__ = ["Sender", "check_server", "specs_there", "statuses_there"]

# A call keeps the server busy for a few milliseconds, and stays far below its limit of a message.
MOST_UNITS = 1000
MOST_EDGES = 10_000


def specs_there(master: TaskMaster, names: Iterable[str]) -> dict[str, dict[str, Any] | None]:
    """The server's specs by name; None for those that it does not have."""
    return {name: master.get_work_spec(name) for name in names}


def statuses_there(
    master: TaskMaster, flow: Flow, specs: Mapping[str, Mapping[str, Any] | None]
) -> dict[UnitName, int]:
    """The statuses of those units of a flow, and of those it needs, that the server has.

    Arguments:
        master: the server.
        flow: what is asked about.
        specs: those of the flow that the server has; one that it has not, has no units.
    """
    keys: dict[str, list[str]] = {}
    for spec, key in [*flow.units, *flow.outside]:
        if spec not in specs or specs[spec] is not None:
            keys.setdefault(spec, []).append(key)
    return dict(found for spec, wanted in keys.items() for found in _statuses(master, spec, wanted))


def _statuses(master: TaskMaster, spec: str, keys: list[str]) -> Iterator[tuple[UnitName, int]]:
    for start in range(0, len(keys), MOST_UNITS):
        part = keys[start : start + MOST_UNITS]
        # None where there is no such spec.
        for key, status in zip(part, master.get_work_unit_status(spec, part) or (), strict=False):
            if status is not None:
                yield (spec, key), status["status"]


def check_server(master: TaskMaster, units: Iterable[Unit]) -> None:
    """Refuse what the server would leave undone without a word.

    Arguments:
        master: a server that was asked something already.
        units: those that it is to be given.

    Raises:
        Unsupported: it knows no dependencies, or no delays.
    """
    asked = {name for unit in units for name, value in _options(unit).items() if value}
    if asked:
        check_options("add_work_units", asked, master.server)


@define
class Sender:
    """Puts a flow on a server, and counts how far it came.

    Arguments:
        master: the server.
        config: the configuration of the specs; None for the application's.
        added: how many units were added.
    """

    master: TaskMaster
    config: Mapping[str, Any] | None = None
    added: int = 0

    def send(self, flow: Flow, plan: Plan) -> None:
        """Set the specs, then add the units: none before those that it needs.

        What a unit needs travels with it, so that it is never handed out too early.

        Raises:
            click.ClickException: the server refuses something.
        """
        try:
            self._set_specs(flow, plan)
            for run in runs(plan.units):
                for batch in _batches(run):
                    self._add(batch)
        except (click.ClickException, CoordinateException, KeyboardInterrupt):
            click.echo(f"coordinate: stopped after {self.added} work units were added", err=True)
            raise

    def _set_specs(self, flow: Flow, plan: Plan) -> None:
        if len(plan.to_set) == len(plan.specs):
            # All of them: that is 0.1.5's call, which looks at them once more.
            ordered = {change.name: flow.specs[change.name] for change in plan.specs}
            self.master.add_flow(ordered, config=self.config)
            return
        for spec in plan.to_set:
            self.master.set_work_spec(spec)

    def _add(self, units: list[Unit]) -> None:
        spec = units[0].spec
        with said() as messages:
            if not self.master.add_work_units(spec, [_item(unit) for unit in units]):
                why = messages[-1] if messages else "it does not say why"
                raise click.ClickException(f"the server refused work units of {spec!r}: {why}")
        self.added += len(units)


def _batches(run: list[Unit]) -> Iterator[list[Unit]]:
    batch: list[Unit] = []
    edges = 0
    for unit in run:
        if batch and (len(batch) == MOST_UNITS or edges + len(unit.needs) > MOST_EDGES):
            yield batch
            batch, edges = [], 0
        batch.append(unit)
        edges += len(unit.needs)
    yield batch


def _item(unit: Unit) -> tuple[Any, ...]:
    options = _options(unit)
    return (unit.key, unit.data, options) if options else (unit.key, unit.data)


def _options(unit: Unit) -> dict[str, Any]:
    options: dict[str, Any] = dict(unit.options)
    if unit.needs:
        options["depends_on"] = [(*need.earlier, need.hard) for need in unit.needs]
    return options
