"""Work specs before they are sent: what makes one valid, and how a flow becomes many."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from coordinate_client.exceptions import ProgrammerError

__all__ = ["application_config", "flow_specs", "overlaid", "validate_work_spec"]


def validate_work_spec(work_spec: Mapping[str, Any]) -> None:
    """Check what every work spec needs: a `name`, and a number as `min_gb`.

    Args:
        work_spec: the map that is to be sent.

    Raises:
        ProgrammerError: where it lacks one of them.
    """
    if not isinstance(work_spec, Mapping):
        raise ProgrammerError(f"work spec {work_spec!r} must be a map")
    name = work_spec.get("name")
    if not isinstance(name, (str, bytes)) or not name:
        raise ProgrammerError(f"work spec {dict(work_spec)!r} lacks a name: it must be text")
    memory = work_spec.get("min_gb")
    if isinstance(memory, bool) or not isinstance(memory, (int, float)):
        raise ProgrammerError(f"min_gb {memory!r} of work spec {name!r} must be a number")


def flow_specs(flow: Mapping[str, Any], config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The work specs of a flow, ready to be set.

    Args:
        flow: names to work specs (maps with `min_gb`) or to further flows, whose names are joined
            with ".". It stays as it is.
        config: what each spec's own `config` is laid over.

    Returns:
        The specs with `name` and `config`, in the flow's order.

    Raises:
        ProgrammerError: for anything else in the flow, an invalid spec, or a `then` that leads out
            of the flow.
    """
    specs = {name: _completed(name, found, config) for name, found in _named(flow, "")}
    for name, spec in specs.items():
        validate_work_spec(spec)
        then = spec.get("then")
        if then is not None and then not in specs:
            raise ProgrammerError(f"work spec {name!r} has then {then!r}, which is not in the flow")
    return list(specs.values())


def _named(flow: Any, prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(flow, Mapping):
        where = prefix.rstrip(".") or "flow"
        raise ProgrammerError(
            f"{where!r} is {flow!r}: it must be a work spec (a map with 'min_gb') or a map of them"
        )
    if prefix and not flow:
        raise ProgrammerError(f"{prefix[:-1]!r} is empty: a work spec needs 'min_gb'")
    for key, value in flow.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and "min_gb" in value:
            yield name, value
        else:
            yield from _named(value, f"{name}.")


def _completed(name: str, spec: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    return dict(spec) | {"name": name, "config": overlaid(config, spec.get("config") or {})}


def overlaid(base: Any, over: Any) -> Any:
    """One configuration laid over another, as yakonfig does it.

    Args:
        base: what holds where the other says nothing.
        over: what wins; a None in it takes the key away.

    Returns:
        A new map; `over` itself where one of them is no map.
    """
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    result = {key: value for key, value in base.items() if key not in over}
    for key, value in over.items():
        if key in base:
            if value is not None or base[key] is None:
                result[key] = overlaid(base[key], value)
        elif value is not None:
            result[key] = value
    return result


def application_config() -> dict[str, Any]:
    """The whole configuration of an application that has set yakonfig up; {} of any other."""
    yakonfig = sys.modules.get("yakonfig")
    found = yakonfig.get_global_config() if yakonfig is not None else None
    return dict(found or {})
