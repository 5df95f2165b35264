"""What ``flow`` tells: what was done, or with ``--dry-run`` what would be."""

from collections.abc import Iterator, Mapping
from typing import Any

from coordinate_client.cli.output import as_json
from coordinate_client.flows.parts import Unit, UnitName, called
from coordinate_client.flows.plans import Difference, Plan, SpecChange
from coordinate_client.paths import EXCLUSIVE
from coordinate_client.written_paths import path_text
from coordinate_protocol.constants import STATUS_NAMES

__all__ = ["done_lines", "done_values", "plan_lines", "plan_values"]

CHANGES = {"new": "new", "changed": "changed", "same": "the same"}


def done_lines(name: str, plan: Plan) -> Iterator[str]:
    """What was done.

    Arguments:
        name: the file, as messages name it.
        plan: what was to be done.
    """
    yield f"loaded flow {name}: {_spec_counts(plan)}"
    if plan.units or plan.statuses:
        yield _unit_counts(plan)


def done_values(names: list[str], plan: Plan) -> dict[str, Any]:
    """The same for ``--json``; for a file without units it is what 0.1.5's flows always gave."""
    values: dict[str, Any] = {"flows": sorted(names)}
    if plan.units or plan.statuses:
        values["units"] = _counts(plan)
    return values


def plan_lines(units: Mapping[UnitName, Unit], plan: Plan) -> Iterator[str]:
    """What would be done, a line for each thing.

    Arguments:
        units: all of the flow.
        plan: what is to be done.
    """
    for change in plan.specs:
        yield f"work spec {change.name!r}: {CHANGES[change.kind]}"
        for difference in change.differences:
            yield f"    {_difference(difference)}"
    for unit in units.values():
        yield f"work unit {called(unit.name)}: {', '.join(_fate(unit, plan))}"
    yield f"would set {_spec_counts(plan)}"
    if units:
        yield f"would have {_unit_counts(plan)}"


def plan_values(units: Mapping[UnitName, Unit], plan: Plan) -> dict[str, Any]:
    """The same for ``--json``: `specs`, `units`, and `counts` of units and edges."""
    return {
        "specs": [_spec_values(change) for change in plan.specs],
        "units": [_unit_values(unit, plan) for unit in units.values()],
        "counts": _counts(plan),
    }


def _spec_counts(plan: Plan) -> str:
    counts = (f"{plan.count(kind)} {text}" for kind, text in CHANGES.items())
    return f"{len(plan.to_set)} of {len(plan.specs)} work specs ({', '.join(counts)})"


def _unit_counts(plan: Plan) -> str:
    counts = _counts(plan)
    return (
        f"added {counts['new']} new work units, {counts['again']} once more, with {counts['edges']}"
        f" dependencies; left {counts['left_alone']} alone that are there"
    )


def _counts(plan: Plan) -> dict[str, int]:
    again = len(plan.statuses) - plan.left_alone
    return {
        "new": len(plan.units) - again,
        "again": again,
        "left_alone": plan.left_alone,
        "edges": plan.edges,
    }


def _difference(difference: Difference) -> str:
    sides = (
        as_json(difference.values[side], indent=None) if side in difference.values else "(none)"
        for side in ("old", "new")
    )
    return f"{difference.field}: {' -> '.join(sides)}"


def _fate(unit: Unit, plan: Plan) -> Iterator[str]:
    status = _status(unit, plan)
    yield "new" if status is None else f"there already ({status})"
    if unit.name not in plan.units:
        yield "left alone"
        return
    if status is not None:
        yield "made available again"
    for need in unit.needs:
        yield f"{'needs' if need.hard else 'softly needs'} {called(need.earlier)}"
    for lock in unit.options.get("locks", ()):
        shared = "" if lock["mode"] == EXCLUSIVE else f" {lock['mode']}"
        yield f"locks {path_text(lock['path'])}{shared}"


def _status(unit: Unit, plan: Plan) -> str | None:
    number = plan.statuses.get(unit.name)
    return None if number is None else STATUS_NAMES.get(number, "unknown")


def _spec_values(change: SpecChange) -> dict[str, Any]:
    fields = {difference.field: difference.values for difference in change.differences}
    return {"name": change.name, "change": change.kind, "fields": fields}


def _unit_values(unit: Unit, plan: Plan) -> dict[str, Any]:
    status = _status(unit, plan)
    added = "new" if status is None else "again"
    needs = [
        {"spec": need.earlier[0], "key": need.earlier[1], "hard": need.hard} for need in unit.needs
    ]
    return {
        "spec": unit.spec,
        "key": unit.key,
        "change": added if unit.name in plan.units else "left_alone",
        "status": status,
        "depends_on": needs,
        "locks": unit.options.get("locks", []),
    }
