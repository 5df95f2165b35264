"""The moments that a cron expression names, in a time zone."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import floor, inf
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from coordinate_protocol.errors import shown
from coordinate_server.model.errors import Refused

__all__ = ["check_schedule", "next_run", "run_key"]

_FIELDS = 5
_LONGEST = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9900, 1, 1, tzinfo=UTC)


def check_schedule(schedule: str, timezone: str) -> None:
    """Refuse an expression or a zone that does not exist, and an expression that never comes true.

    Raises:
        Refused: naming the field, its value, and what would be right.
    """
    try:
        zone = _zone(timezone)
    except (KeyError, ValueError, OSError):
        right = "the name of a time zone, such as Europe/Berlin"
        raise Refused(f"timezone should be {right}, not {shown(timezone)}") from None
    if len(schedule) > _LONGEST or len(schedule.split()) != _FIELDS:
        right = "five fields of cron, such as '*/5 * * * *'"
        raise Refused(f"schedule should be {right}, not {shown(schedule)}")
    try:
        next(CronSim(schedule, datetime(2024, 1, 1, tzinfo=zone)))
    except CronSimError as error:
        fault = str(error).lower()
        right = "should be five fields of cron that some day has, such as '*/5 * * * *'"
        raise Refused(f"schedule {right}, not {shown(schedule)}: {fault}") from None
    except StopIteration:
        raise Refused(f"schedule {shown(schedule)} names no day that ever comes") from None


def next_run(schedule: str, timezone: str, after: float) -> float:
    """Give the first moment after another one, in seconds since 1970.

    Where clocks go forward, what would fall into the gap comes right after it, once; where they go
    back, what falls into the hour that is there twice comes in the first. This is so for a fixed
    minute and hour; with a star in either, time goes on as if nothing were. These are cronsim's
    rules, which are those of Debian's cron.

    Arguments:
        schedule: an expression that was checked.
        timezone: a zone that was checked.
        after: seconds since 1970.

    Returns:
        The moment; infinity if the calendar of years from 1900 to 9900 has none any more.
    """
    begin = _moment(after)
    if begin is None:
        return inf
    try:
        for found in CronSim(schedule, begin.astimezone(_zone(timezone))):
            moment = (found.astimezone(UTC) - _EPOCH).total_seconds()
            # In the second of two equal hours cronsim begins with what was in the first.
            if moment > after:
                return moment
    except (OverflowError, ValueError):
        return inf
    return inf


def run_key(timezone: str, moment: float) -> bytes:
    """Give the key of the unit that is made at a moment: that moment, in the zone, as ISO 8601."""
    begin = _moment(moment)
    if begin is None:
        return b"%.0f" % moment
    return begin.astimezone(_zone(timezone)).isoformat(timespec="seconds").encode()


def _moment(wall: float) -> datetime | None:
    """Give a moment that the calendar has; before it begins, its beginning."""
    if wall < (_FIRST - _EPOCH).total_seconds():
        return _FIRST
    if wall >= (_LAST - _EPOCH).total_seconds():
        return None
    # To whole seconds: a timedelta would be rounded to the next one, if it is near.
    return _EPOCH + timedelta(seconds=floor(wall))


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
