"""Adding units to a spec: the checks, and what becomes of a unit that is there already."""

from collections.abc import Iterable

from coordinate_protocol.constants import AVAILABLE, DELAYED, STANDARD
from coordinate_server.model.calls import NewUnit
from coordinate_server.model.errors import Refused
from coordinate_server.model.instant import Instant
from coordinate_server.model.roster import Roster
from coordinate_server.model.settings import ModelSettings
from coordinate_server.model.unit import Unit

__all__ = ["add", "check_data", "check_number", "check_unit"]


def check_number(what: str, value: object, least: float | None = None) -> None:
    """Refuse what cannot be compared with other numbers, or is too small.

    Raises:
        Refused: the value is no number, or below ``least``.
    """
    if type(value) not in (int, float) or value != value:  # noqa: PLR0124 - NaN; math.isnan fails for huge integers
        raise Refused(f"{what} should be a number, not {value!r:.80}")
    if least is not None and value < least:  # type: ignore[operator]  # a number after the check above
        raise Refused(f"{what} should be at least {least}, not {value!r:.80}")


def check_data(data: bytes, settings: ModelSettings) -> None:
    """Refuse data that are too large.

    Raises:
        Refused: naming the setting.
    """
    if len(data) > settings.unit_data_bytes:
        raise Refused(
            f"unit data of {len(data)} bytes is over the limit of {settings.unit_data_bytes}"
            " (setting: server.limits.unit_data_bytes)"
        )


def check_unit(new: NewUnit, settings: ModelSettings) -> None:
    """Refuse a unit that cannot be added.

    Raises:
        Refused: naming what is wrong with it.
    """
    if len(new.key) > settings.key_bytes:
        raise Refused(
            f"key of {len(new.key)} bytes is over the limit of {settings.key_bytes}"
            " (setting: server.limits.key_bytes)"
        )
    check_data(new.data, settings)
    if new.priority is not None:
        check_number("priority", new.priority)
    if new.delay is not None:
        check_number("delay", new.delay, 0)


def add(roster: Roster, at: Instant, units: Iterable[NewUnit]) -> None:
    """Add units that were checked; of equal keys the last wins.

    One that is there already gets the new data and may run again, whoever had it; its priority
    stays unless another is given, as in 0.1.5.
    """
    for new in {new.key: new for new in units}.values():
        unit = roster.units.get(new.key)
        not_before = at.wall + new.delay if new.delay else None
        if unit is None:
            priority = STANDARD if new.priority is None else new.priority
            status = AVAILABLE if not_before is None else DELAYED
            roster.add(Unit(new.key, new.data, priority, status, not_before=not_before))
        else:
            roster.replace_data(unit, new.data)
            _renew(roster, unit, new.priority, not_before)


def _renew(roster: Roster, unit: Unit, priority: float | None, not_before: float | None) -> None:
    def change(unit: Unit) -> None:
        unit.free()
        unit.status = AVAILABLE if not_before is None else DELAYED
        unit.not_before = not_before
        unit.priority = unit.priority if priority is None else priority

    roster.change(unit, change)
