"""A flow as people write it: what it says, and everything that is wrong with it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from coordinate_client.exceptions import ProgrammerError
from coordinate_client.flows.order import cycle_text, cycles
from coordinate_client.flows.parts import Flow
from coordinate_client.flows.unit_maps import nearest, read_units, unsendable
from coordinate_client.specs import validate_work_spec
from coordinate_protocol.errors import shown

__all__ = ["read_flow", "unsendable_specs"]

# One edge can be part of very many cycles: these are enough to begin with.
MOST_CYCLES = 20


def read_flow(document: Mapping[Any, Any]) -> tuple[Flow, list[str]]:
    """Read a document of `flows` and perhaps `units`, and check all that needs no server.

    Arguments:
        document: `flows` must be a map.

    Returns:
        The flow, as far as it could be read, and a line for each thing that is wrong.
    """
    faults: list[str] = []
    names, specs = _specs(document["flows"], faults)
    # Other parts are anybody's, for anchors say; units under a wrong name would go unnoticed.
    faults.extend(
        f"unknown part {part!r}{near}"
        for part in document
        if part != "units" and (near := nearest(part, ["units"]))
    )
    units = read_units(document.get("units"), names, faults)
    faults.extend(cycle_text(path) for path in islice(cycles(units), MOST_CYCLES))
    return Flow(specs, units), faults


def unsendable_specs(specs: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each spec that has no form on the wire."""
    found = ((spec["name"], unsendable(spec)) for spec in specs)
    return [f"work spec {name!r}, at {why[0]!r}: {why[1]}" for name, why in found if why]


def _specs(
    flows: Mapping[Any, Any], faults: list[str]
) -> tuple[dict[str, None], dict[str, Mapping[str, Any]]]:
    """The names of all specs, also of those that are wrong, and the specs."""
    names: dict[str, None] = {}
    specs: dict[str, Mapping[str, Any]] = {}
    for name, found in _named(flows, "", faults):
        if name in names:
            faults.append(f"work spec {name!r} is there twice: nested, and with a dot in its name")
        names[name] = None
        if found is not None:
            specs[name] = found
    for name, spec in specs.items():
        _check_spec(name, spec, names, faults)
    return names, specs


def _named(
    flow: Mapping[Any, Any], prefix: str, faults: list[str]
) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    """Each spec with its whole name; None for what should be one."""
    for key, value in flow.items():
        name = f"{prefix}{key}"
        if not isinstance(key, str):
            faults.append(f"the name {key!r} of a work spec is no text: write {str(key)!r}")
        if isinstance(value, Mapping) and "min_gb" in value:
            yield name, value
        elif isinstance(value, Mapping) and value and _holds_maps(value):
            yield from _named(value, f"{name}.", faults)
        else:
            faults.append(
                f"work spec {name!r} is {shown(value)}: it must be a map with 'min_gb', or a map of"
                " such maps"
            )
            yield name, None


def _holds_maps(value: Mapping[Any, Any]) -> bool:
    return all(isinstance(inner, Mapping) for inner in value.values())


def _check_spec(
    name: str, spec: Mapping[str, Any], names: Mapping[str, None], faults: list[str]
) -> None:
    try:
        validate_work_spec({**spec, "name": name})
    except ProgrammerError as error:
        faults.append(str(error))
    then = spec.get("then")
    if then is not None and not (isinstance(then, str) and then in names):
        faults.append(f"work spec {name!r} has then {shown(then)}, which is not in the flow")
    faults.extend(unsendable_specs([{**spec, "name": name}]))
