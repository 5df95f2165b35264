"""A work spec: what its definition says, and the fields that control it."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from coordinate_protocol.constants import PAUSED, RUNNABLE
from coordinate_protocol.errors import shown
from coordinate_server.model.errors import Refused

__all__ = ["CONTROLS", "Spec", "controlled", "parse_spec"]

_DEFAULT_WEIGHT = 20
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
        max_retries: how often a unit may be tried again; None for ever.
        continuous: whether units are made up when there are none.
        interval: seconds between two units that are made up; None for none.
        then: the spec that the output of its units goes to, or None.
        then_preempts: whether work for ``then`` goes before its own.
        runtime: what its workers must run on, or None.
        status: RUNNABLE or PAUSED.
        limit_completed_count: its own limit for ``archive``; None for the server's.
        limit_completed_age: the same in seconds.
    """

    name: str
    definition: Mapping[str, Any]
    min_gb: float = 0
    weight: int = _DEFAULT_WEIGHT
    priority: float = 0
    max_running: int | None = None
    max_getwork: int | None = None
    max_retries: int | None = None
    continuous: bool = False
    interval: float | None = None
    then: str | None = None
    then_preempts: bool = True
    runtime: str | None = None
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
    fields = _Fields({key: value for key, value in definition.items() if value is not None})
    return Spec(
        name=fields.name(),
        definition=dict(definition),
        min_gb=fields.number("min_gb", 0) or 0,
        weight=fields.weight(),
        priority=fields.number("priority", None) or 0,
        max_running=fields.whole("max_running", 0),
        max_getwork=fields.whole("max_getwork", 1),
        max_retries=fields.whole("max_retries", 0),
        continuous=bool(fields.given.get("continuous", False)),
        interval=fields.number("interval", 0),
        then=fields.text("then"),
        then_preempts=bool(fields.given.get("then_preempts", True)),
        runtime=fields.text("runtime"),
        status=PAUSED if fields.given.get("disabled") else RUNNABLE,
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
    fields = _Fields({"name": spec.name, **options})
    changed: dict[str, Any] = {}
    if "status" in options:
        changed["status"] = fields.status()
    if "continuous" in options:
        changed["continuous"] = _continuous(spec, options["continuous"])
    if "interval" in options:
        changed["interval"] = fields.number("interval", 0)
    if "max_running" in options:
        changed["max_running"] = fields.whole("max_running", 0)
    if options.get("weight") is not None:
        changed["weight"] = fields.weight()
    return evolve(spec, **changed)


def _continuous(spec: Spec, value: object) -> bool:
    if value and not spec.definition.get("continuous"):
        raise Refused(f"cannot make non-continuous work spec {spec.name!r} continuous")
    return bool(value)


@frozen
class _Fields:
    """Reads single fields; 0.1.5 also took numbers that were text."""

    given: Mapping[str, Any]

    def name(self) -> str:
        name = self.given.get("name")
        if not isinstance(name, str) or not name:
            raise Refused(f"name of a work spec should be text, not {shown(name)}")
        return name

    def text(self, field: str) -> str | None:
        value = self.given.get(field)
        if value is not None and not isinstance(value, str):
            raise self._refused(field, "text")
        return value or None

    def number(self, field: str, least: float | None) -> float | None:
        value = self.given.get(field)
        if value is None:
            return None
        try:
            number = float(value)
            number = value if type(value) in (int, float) else number
        except (TypeError, ValueError, OverflowError):
            raise self._refused(field, "a number") from None
        if number != number or (least is not None and number < least):  # noqa: PLR0124 - NaN
            raise self._refused(field, "a number" if least is None else f"at least {least}")
        return number

    def whole(self, field: str, least: int) -> int | None:
        number = self.number(field, least)
        if number is None:
            return None
        if number == float("inf"):
            raise self._refused(field, "a whole number")
        return int(number)

    def weight(self) -> int:
        if self.given.get("weight") is not None:
            return self.whole("weight", 1) or _DEFAULT_WEIGHT
        nice = self.number("nice", None) or 0
        return max(1, _DEFAULT_WEIGHT - int(min(max(nice, -1e9), 1e9)))

    def status(self) -> int:
        status = self.given["status"]
        if status not in (RUNNABLE, PAUSED):
            raise self._refused("status", f"{RUNNABLE} (runnable) or {PAUSED} (paused)")
        return int(status)

    def _refused(self, field: str, right: str) -> Refused:
        value, name = self.given[field], self.given["name"]
        return Refused(f"{field} of work spec {name!r} should be {right}, not {shown(value)}")
