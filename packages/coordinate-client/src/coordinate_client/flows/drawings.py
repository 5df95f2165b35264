"""A flow drawn: as Mermaid, as DOT (Graphviz), or as plain values for JSON.

Specs are groups, units are nodes. An arrow goes from what is needed to what needs it, solid where
it is hard and dashed where it is soft; a thick one goes from a spec to the one that its `then`
names. A unit that is needed and not of the flow is drawn dashed.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from coordinate_client.flows.parts import Flow, UnitName

__all__ = ["DRAWINGS", "as_values", "dot", "mermaid"]

# All else means something to Mermaid somewhere: markup, entities, ends of labels.
PLAIN: Final = frozenset(" _-./,")


class _Nodes:
    """The short names of specs and units in a drawing, and which unit is in which group."""

    def __init__(self, flow: Flow) -> None:
        self.outside = flow.outside
        names = [*flow.units, *self.outside]
        self.units = {name: f"u{number}" for number, name in enumerate(names)}
        self.groups: dict[str, list[UnitName]] = {spec: [] for spec in flow.specs}
        for name in names:
            self.groups.setdefault(name[0], []).append(name)
        self.specs = {spec: f"s{number}" for number, spec in enumerate(self.groups)}


def as_values(flow: Flow) -> dict[str, list[dict[str, Any]]]:
    """The flow as maps and lists.

    Returns:
        `specs`, each {name, then}; `units`, each {spec, key, priority, delay, outside}; `edges`,
        each {later, earlier, hard}, where the first two are {spec, key}.
    """
    units = [
        _named(name)
        | {"outside": False, "priority": None, "delay": None}
        | dict(flow.units[name].options)
        for name in flow.units
    ]
    outside = [_named(name) | {"outside": True} for name in flow.outside]
    edges = [
        {"later": _named(unit.name), "earlier": _named(need.earlier), "hard": need.hard}
        for unit, need in flow.edges
    ]
    specs = [{"name": name, "then": spec.get("then")} for name, spec in flow.specs.items()]
    return {"specs": specs, "units": [*units, *outside], "edges": edges}


def mermaid(flow: Flow) -> Iterator[str]:
    """The lines of a Mermaid flowchart."""
    nodes = _Nodes(flow)
    yield "flowchart LR"
    for spec, group in nodes.groups.items():
        yield from _mermaid_group(flow, nodes, spec, group)
    for unit, need in flow.edges:
        arrow = "-->" if need.hard else "-.->"
        yield f"    {nodes.units[need.earlier]} {arrow} {nodes.units[unit.name]}"
    for name, then in _chains(flow):
        if name != then or not nodes.groups[name]:
            yield f"    {nodes.specs[name]} == then ==> {nodes.specs[then]}"
    if nodes.outside:
        yield "    classDef outside stroke-dasharray: 4 4"
        yield f"    class {','.join(nodes.units[name] for name in nodes.outside)} outside"


def _mermaid_group(flow: Flow, nodes: _Nodes, spec: str, group: list[UnitName]) -> Iterator[str]:
    title = _mermaid_text(spec)
    if not group:
        yield f'    {nodes.specs[spec]}["{title}"]'
        return
    # Mermaid cannot draw an arrow from a group to itself.
    if dict(_chains(flow)).get(spec) == spec:
        title = f"{title}, then itself"
    yield f'    subgraph {nodes.specs[spec]}["{title}"]'
    for name in group:
        yield f'        {nodes.units[name]}["{_mermaid_text(name[1])}"]'
    yield "    end"


def _mermaid_text(text: str) -> str:
    return "".join(c if c.isalnum() or c in PLAIN else f"#{ord(c)};" for c in text) or " "


def dot(flow: Flow) -> Iterator[str]:
    """The lines of a DOT graph."""
    nodes = _Nodes(flow)
    yield "digraph flow {"
    yield "    compound=true; rankdir=LR; node [shape=box];"
    for spec, group in nodes.groups.items():
        yield from _dot_group(nodes, spec, group)
    for unit, need in flow.edges:
        style = "" if need.hard else " [style=dashed]"
        yield f"    {nodes.units[need.earlier]} -> {nodes.units[unit.name]}{style};"
    for name, then in _chains(flow):
        yield f"    {nodes.specs[name]} -> {nodes.specs[then]} [{_dot_chain(nodes, name, then)}];"
    yield "}"


def _dot_group(nodes: _Nodes, spec: str, group: list[UnitName]) -> Iterator[str]:
    node = nodes.specs[spec]
    if not group:
        yield f"    {node} [label={_dot_text(spec)}, shape=folder];"
        return
    yield f"    subgraph cluster_{node} {{"
    yield f"        label={_dot_text(spec)};"
    # Arrows between groups need a node at each end: one that takes no room.
    yield f'        {node} [label="", shape=point, style=invis];'
    for name in group:
        style = ", style=dashed" if name in nodes.outside else ""
        yield f"        {nodes.units[name]} [label={_dot_text(name[1])}{style}];"
    yield "    }"


def _dot_chain(nodes: _Nodes, name: str, then: str) -> str:
    ends = {"ltail": name, "lhead": then} if name != then else {}
    clipped = [
        f"{side}=cluster_{nodes.specs[spec]}" for side, spec in ends.items() if nodes.groups[spec]
    ]
    return ", ".join(["label=then", "style=bold", *clipped])


def _dot_text(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text)
    escaped = shown.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _chains(flow: Flow) -> Iterator[tuple[str, str]]:
    return (
        (name, spec["then"]) for name, spec in flow.specs.items() if spec.get("then") is not None
    )


def _named(name: UnitName) -> dict[str, Any]:
    return {"spec": name[0], "key": name[1]}


DRAWINGS: Final[Mapping[str, Callable[[Flow], Iterator[str]]]] = MappingProxyType(
    {"mermaid": mermaid, "dot": dot}
)
