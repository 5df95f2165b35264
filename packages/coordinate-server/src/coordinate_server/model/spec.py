"""A work spec: what its definition says, and the fields that control it."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from coordinate_protocol.constants import PAUSED, RUNNABLE
from coordinate_protocol.errors import shown
from coordinate_server.model.errors import Refused
from coordinate_server.model.fields import Fields
from coordinate_server.model.policies import Lanes, Rate, Retries, Schedule

__all__ = ["CONTROLS", "Spec", "controlled", "parse_spec", "scheduled_alike"]

_DEFAULT_WEIGHT = 20
# Shares are counted in whole numbers, which get long with what a weight may be.
_WEIGHT_MOST = 1_000_000_000
CONTROLS = ("status", "continuous", "interval", "max_running", "weight")
"""The fields that ``control_spec`` changes without changing the definition."""


@frozen
class Spec:
    """A work spec as it stands.

    Arguments:
        name: its name.
        definition: the map that it was set with, unknown keys and all.
        min_gb: memory a worker must have at hand.
        weight: its share among specs of equal priority.
        priority: higher runs first.
        max_running: how many units may be pending at once; None for any number.
        max_getwork: how many units one call may get; None for any number.
        retries: what becomes of a unit that fails or loses its lease.
        continuous: whether units are made up when there are none.
        interval: seconds between two units that are made up; None for none.
        then: the spec that the output of its units goes to, or None.
        then_preempts: whether work for ``then`` goes before its own.
        schedule: when units are made; None for no such times.
        runtime: what its workers must run on, or None.
        uses: the names of the limits that it shares with other specs.
        rate: how many units may be handed out in a time; None for any number.
        lanes: turns and limits by what is in the units' data, or None.
        status: RUNNABLE or PAUSED.
        limit_completed_count: how many of its ended units stay; None for the server's number.
        limit_completed_age: how many seconds they stay; None for the server's.
    """

    name: str
    definition: Mapping[str, Any]
    min_gb: float = 0
    weight: int = _DEFAULT_WEIGHT
    priority: float = 0
    max_running: int | None = None
    max_getwork: int | None = None
    retries: Retries = field(factory=Retries)
    continuous: bool = False
    interval: float | None = None
    then: str | None = None
    then_preempts: bool = True
    schedule: Schedule | None = None
    runtime: str | None = None
    uses: frozenset[str] = frozenset()
    rate: Rate | None = None
    lanes: Lanes | None = None
    status: int = RUNNABLE
    limit_completed_count: int | None = None
    limit_completed_age: float | None = None

    def controls(self) -> dict[str, Any]:
        """Give the fields that ``control_spec`` may change."""
        return {name: getattr(self, name) for name in CONTROLS}


def parse_spec(definition: Mapping[str, Any]) -> Spec:
    """Read a definition; a key with None counts as left out.

    Arguments:
        definition: the map as it came, its keys text.

    Raises:
        Refused: a field that the server reads holds what it cannot mean.
    """
    name = definition.get("name")
    if not isinstance(name, str) or not name:
        raise Refused(f"name of a work spec should be text, not {shown(name)}")
    fields = Fields(definition, f"work spec {name!r}")
    return Spec(
        name=name,
        definition=dict(definition),
        min_gb=fields.number("min_gb", 0) or 0,
        weight=_weight(fields),
        priority=fields.number("priority", None) or 0,
        max_running=fields.whole("max_running", 0),
        max_getwork=fields.whole("max_getwork", 1),
        retries=Retries.read(fields),
        continuous=fields.flag("continuous", default=False),
        interval=fields.number("interval", 0),
        then=fields.text("then"),
        then_preempts=fields.flag("then_preempts", default=True),
        schedule=Schedule.read(fields),
        runtime=fields.text("runtime"),
        uses=fields.texts("uses"),
        rate=Rate.read(fields),
        lanes=Lanes.read(fields),
        status=PAUSED if fields.flag("disabled", default=False) else RUNNABLE,
        limit_completed_count=fields.whole("limit_completed_count", 0),
        limit_completed_age=fields.number("limit_completed_age", 0),
    )


def controlled(spec: Spec, options: Mapping[str, Any]) -> Spec:
    """Give the spec with other control fields.

    Arguments:
        spec: the spec as it stands.
        options: any of status, continuous, interval, max_running, weight.

    Raises:
        Refused: another option, a value out of range, or ``continuous`` for a spec whose definition
            does not say so.
    """
    unknown = sorted(options.keys() - set(CONTROLS))
    if unknown:
        raise Refused(f"unknown option {unknown[0]!r}, known are {', '.join(CONTROLS)}")
    fields = Fields(options, f"work spec {spec.name!r}")
    changed: dict[str, Any] = {}
    if "status" in options:
        changed["status"] = _status(fields)
    if "continuous" in options:
        changed["continuous"] = _continuous(spec, options["continuous"])
    if "interval" in options:
        changed["interval"] = fields.number("interval", 0)
    if "max_running" in options:
        changed["max_running"] = fields.whole("max_running", 0)
    if options.get("weight") is not None:
        changed["weight"] = _weight(fields)
    return evolve(spec, **changed)


def scheduled_alike(old: Spec, new: Spec) -> bool:
    """Whether a spec's place among the others stays what it was: shares go on being counted."""
    return all(getattr(old, name) == getattr(new, name) for name in _PLACE)


_PLACE = (
    "continuous",
    "min_gb",
    "priority",
    "runtime",
    "status",
    "then",
    "then_preempts",
    "uses",
    "weight",
)


def _continuous(spec: Spec, value: object) -> bool:
    if value and not spec.definition.get("continuous"):
        raise Refused(f"cannot make non-continuous work spec {spec.name!r} continuous")
    return bool(value)


def _weight(fields: Fields) -> int:
    if fields.given.get("weight") is not None:
        return fields.whole("weight", 1, _WEIGHT_MOST) or _DEFAULT_WEIGHT
    nice = fields.number("nice", None) or 0
    return max(1, _DEFAULT_WEIGHT - int(min(max(nice, -_WEIGHT_MOST + _DEFAULT_WEIGHT), 1e9)))


def _status(fields: Fields) -> int:
    status = fields.given["status"]
    if status not in (RUNNABLE, PAUSED):
        raise fields.refused("status", f"{RUNNABLE} (runnable) or {PAUSED} (paused)")
    return int(status)
