"""Parts of a work spec: how its units are tried again, made up, and held back."""

from attrs import frozen

from coordinate_server.model.errors import Refused
from coordinate_server.model.fields import Fields
from coordinate_server.model.retries import retry_delay
from coordinate_server.model.timetable import check_schedule

__all__ = ["Lanes", "Rate", "Retries", "Schedule"]

_MOST_RATED = 100_000
_RETRY_FIELDS = ("retry_delay", "retry_backoff", "retry_jitter", "retry_delay_max")


@frozen
class Retries:
    """What becomes of a unit that was not finished.

    Arguments:
        most: how often one that failed is tried again; None for never.
        delay: seconds before the first retry.
        backoff: by how much each delay is longer than the one before.
        jitter: up to which share of a delay is taken off, so that retries spread.
        delay_max: the longest delay in seconds.
        most_lost: how many leases it may lose, the last of them included; None for any number.
    """

    most: int | None = None
    delay: float = 0
    backoff: float = 2
    jitter: float = 0.25
    delay_max: float = 3600
    most_lost: int | None = None

    @classmethod
    def read(cls, fields: Fields) -> "Retries":
        """Read them from a spec's definition.

        Raises:
            Refused: one of them cannot be.
        """
        return cls(
            most=fields.whole("max_retries", 0),
            delay=fields.number_or("retry_delay", 0, 0),
            backoff=fields.number_or("retry_backoff", 2, 1),
            jitter=fields.number_or("retry_jitter", 0.25, 0, 1),
            delay_max=fields.number_or("retry_delay_max", 3600, 0),
            most_lost=fields.whole("max_lost_leases", 1),
        )

    def again(self, key: bytes, failures: int) -> float | None:
        """Give the seconds until a unit runs again that has failed so often; None for never."""
        if self.most is None or failures > self.most:
            return None
        return retry_delay(self.delay, self.backoff, self.delay_max, self.jitter, key, failures)


@frozen
class Rate:
    """How many units may be handed out in a time.

    Arguments:
        units: how many at most.
        seconds: in any time as long as this.
    """

    units: int
    seconds: float

    @classmethod
    def read(cls, fields: Fields) -> "Rate | None":
        """Read it from a spec's definition.

        Raises:
            Refused: it is not {units, seconds}, or out of range.
        """
        part = fields.part("rate")
        if part is None:
            return None
        units, seconds = part.whole("units", 1, _MOST_RATED), part.number("seconds", 0)
        if set(part.given) != {"units", "seconds"} or units is None or not seconds:
            raise fields.refused("rate", "{units: how many at most, seconds: in how many}")
        return cls(units, seconds)


@frozen
class Schedule:
    """When units are made.

    Arguments:
        cron: the five fields of cron.
        timezone: the name of the zone that they are in.
        catch_up: whether runs that were missed are made up for by one.
    """

    cron: str
    timezone: str
    catch_up: bool

    @classmethod
    def read(cls, fields: Fields) -> "Schedule | None":
        """Read it from a spec's definition.

        Raises:
            Refused: no such times or zone, or a zone without times.
        """
        cron, timezone = fields.text("schedule"), fields.text("timezone") or "UTC"
        catch_up = fields.one_of("missed_runs", ("one", "none")) == "one"
        if cron is None:
            _only_with(fields, "schedule", ("timezone", "missed_runs"))
            return None
        if fields.flag("continuous", default=False):
            raise Refused(f"{fields.whose} should have schedule or continuous, not both")
        try:
            check_schedule(cron, timezone)
        except Refused as error:
            raise Refused(f"{error} ({fields.whose})") from None
        return cls(cron, timezone, catch_up)


@frozen
class Lanes:
    """How units of one spec go by what is in their data.

    Arguments:
        fair_key: the key whose values take turns; None for no turns.
        serial_key: the key of whose values each is limited; None for no limit.
        serial_max: how many units may be pending for one value.
    """

    fair_key: str | None
    serial_key: str | None
    serial_max: int

    @classmethod
    def read(cls, fields: Fields) -> "Lanes | None":
        """Read them from a spec's definition; None if it has neither.

        Raises:
            Refused: one of them cannot be.
        """
        fair, serial = fields.text("fair_key"), fields.text("serial_key")
        most = fields.whole("serial_max", 1)
        if serial is None:
            _only_with(fields, "serial_key", ("serial_max",))
        return None if fair is None and serial is None else cls(fair, serial, most or 1)


def _only_with(fields: Fields, what: str, others: tuple[str, ...]) -> None:
    for other in others:
        if fields.given.get(other) is not None:
            raise Refused(f"{other} of {fields.whose} means nothing without {what}")
