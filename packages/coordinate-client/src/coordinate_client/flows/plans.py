"""What loading a flow changes on a server, before it is done."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from coordinate_client.answers import readable
from coordinate_client.flows.order import targets_first
from coordinate_client.flows.parts import Unit, UnitName, called

__all__ = ["Difference", "Plan", "SpecChange", "missing", "plan"]


@frozen
class Difference:
    """A field of a spec that changes.

    Arguments:
        field: its name; within maps the names on the way to it, joined with ".".
        values: `old` and `new`; one of them is not there where the field is not.
    """

    field: str
    values: Mapping[str, Any]


@frozen
class SpecChange:
    """What becomes of one spec.

    Arguments:
        spec: as it is to be.
        kind: "new", "changed" or "same".
        differences: of a changed one.
    """

    spec: Mapping[str, Any]
    kind: str
    differences: tuple[Difference, ...] = ()

    @property
    def name(self) -> str:
        """The spec's name."""
        return str(self.spec["name"])


@frozen
class Plan:
    """What is to be done.

    Arguments:
        specs: all of the flow, each after the one that its `then` names: a spec that makes units by
            itself must not finish one before there is a place for what comes out of it.
        units: those to be added.
        statuses: of the flow's units that are there already, also of those that are added again.
    """

    specs: tuple[SpecChange, ...]
    units: Mapping[UnitName, Unit]
    statuses: Mapping[UnitName, int]

    @property
    def to_set(self) -> list[Mapping[str, Any]]:
        """The specs that are new or changed."""
        return [change.spec for change in self.specs if change.kind != "same"]

    @property
    def left_alone(self) -> int:
        """How many units are there already and stay as they are."""
        return sum(name not in self.units for name in self.statuses)

    @property
    def edges(self) -> int:
        """How many needs the units have that are added."""
        return sum(len(unit.needs) for unit in self.units.values())

    def count(self, kind: str) -> int:
        """How many specs are "new", "changed" or the "same"."""
        return sum(change.kind == kind for change in self.specs)


def plan(
    specs: Iterable[Mapping[str, Any]],
    units: Mapping[UnitName, Unit],
    there: Mapping[str, Mapping[str, Any] | None],
    statuses: Mapping[UnitName, int],
    *,
    again: bool,
) -> Plan:
    """Compare a flow with what a server has.

    Arguments:
        specs: those of the flow, with name and configuration.
        units: those of the flow.
        there: the server's specs, by name.
        statuses: of units that the server has, of this flow or others.
        again: whether units that are there are added once more.
    """
    named = {spec["name"]: spec for spec in specs}
    changes = (_change(named[name], there.get(name)) for name in targets_first(named))
    known = {name: statuses[name] for name in units if name in statuses}
    added = units if again else {name: unit for name, unit in units.items() if name not in known}
    return Plan(tuple(changes), added, known)


def missing(units: Iterable[Unit], known: Container[UnitName]) -> Iterator[str]:
    """A line for each unit that is needed and is nowhere.

    Arguments:
        units: those that are to be added.
        known: the units of the flow and of the server.
    """
    for unit in units:
        for need in unit.needs:
            if need.earlier not in known:
                yield (
                    f"work unit {called(unit.name)} needs {called(need.earlier)}, which is neither"
                    " in the file nor on the server"
                )


def _change(spec: Mapping[str, Any], there: Mapping[str, Any] | None) -> SpecChange:
    if there is None:
        return SpecChange(spec, "new")
    differences = tuple(_differences(_plain(there), _plain(spec), ""))
    return SpecChange(spec, "changed" if differences else "same", differences)


def _differences(
    old: Mapping[str, Any], new: Mapping[str, Any], prefix: str
) -> Iterator[Difference]:
    for key in dict.fromkeys([*old, *new]):
        sides = {"old": old, "new": new}
        values = {side: found[key] for side, found in sides.items() if key in found}
        one, other = values.get("old"), values.get("new")
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _differences(one, other, f"{prefix}{key}.")
        elif len(values) == 1 or one != other:
            yield Difference(f"{prefix}{key}", values)


def _plain(value: Any) -> Any:
    """A value in the one form in which it is compared: a Python 2 server's text comes as bytes."""
    if isinstance(value, Mapping):
        return {readable(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return readable(value)
