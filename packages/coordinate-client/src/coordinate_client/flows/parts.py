"""What a flow consists of, once it was read."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

__all__ = ["Flow", "Need", "Unit", "UnitName", "called"]

UnitName = tuple[str, str]
"""The spec that a unit is of, and its key."""


def called(name: UnitName) -> str:
    """A unit as messages name it."""
    spec, key = name
    return f"{key!r} of {spec!r}"


@frozen
class Need:
    """That a unit has to wait for another one.

    Arguments:
        earlier: the unit that is needed.
        hard: whether it has to finish; else it is enough that it ends.
    """

    earlier: UnitName
    hard: bool = True


@frozen
class Unit:
    """A work unit of a flow.

    Arguments:
        name: its spec and its key.
        data: what its worker gets.
        options: `priority`, `delay` (seconds) and `locks`, where they are given.
        needs: what it waits for; each unit at most once.
    """

    name: UnitName
    data: Mapping[str, Any]
    options: Mapping[str, Any]
    needs: tuple[Need, ...] = ()

    @property
    def spec(self) -> str:
        """The name of its spec."""
        return self.name[0]

    @property
    def key(self) -> str:
        """Its key."""
        return self.name[1]


@frozen
class Flow:
    """Work specs and units that belong together.

    Arguments:
        specs: name to spec, as they stand in the document, names joined.
        units: in the document's order.
    """

    specs: Mapping[str, Mapping[str, Any]]
    units: Mapping[UnitName, Unit]

    @property
    def outside(self) -> dict[UnitName, None]:
        """The units that are needed and not of this flow, in the order in which they are met."""
        return dict.fromkeys(
            need.earlier for _, need in self.edges if need.earlier not in self.units
        )

    @property
    def edges(self) -> Iterator[tuple[Unit, Need]]:
        """Each unit with each thing that it needs."""
        return ((unit, need) for unit in self.units.values() for need in unit.needs)
