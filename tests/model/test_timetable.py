"""When a schedule's runs are, and which schedules are refused."""

from datetime import UTC, datetime, timedelta
from math import inf, nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinate_server.model.errors import Refused
from coordinate_server.model.timetable import check_schedule, next_run, run_key

BERLIN = "Europe/Berlin"
ZONES = ("UTC", BERLIN, "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu")
SCHEDULES = (
    "* * * * *",
    "*/5 * * * *",
    "30 2 * * *",
    "0,30 1-3 * * *",
    "30 */2 * * *",
    "0 0 L * *",
    "15 0 * * MON-FRI",
    "0 12 13 * 5",
    "* 2 29 2 *",
)


def at(text):
    """The seconds since 1970 of a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def keys(schedule, after, number, zone=BERLIN):
    """The keys of the next runs after a moment in UTC."""
    moment, found = at(after), []
    for _ in range(number):
        moment = next_run(schedule, zone, moment)
        found.append(run_key(zone, moment).decode())
    return found


# ---- checks ----


@pytest.mark.parametrize("schedule", [*SCHEDULES, "0 0 29 2 */7", "0 0 * 2 MON#5", "0 0 30 2 1"])
@pytest.mark.parametrize("zone", ZONES)
def test_schedule_that_has_runs_is_taken(schedule, zone):
    """What is taken has a next run, however rare, also around a century without a leap day."""
    check_schedule(schedule, zone)
    for year in (1970, 2024, 2070, 2097):
        after = at(f"{year}-03-01")
        assert after < next_run(schedule, zone, after) < at(f"{year + 41}-01-01")


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "* * * *",
        "0 * * * * *",
        "@daily",
        "60 * * * *",
        "* 24 * * *",
        "5-1 * * * *",
        "*/0 * * * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "0 0 * * MOON",
        "\u0661 * * * *",
        "* * * * " + "9" * 100,
    ],
)
def test_what_is_not_cron_is_refused(schedule):
    """The error names the field, its value and what would be right, in a line."""
    with pytest.raises(Refused, match=r"^schedule should be five fields of cron") as refusal:
        check_schedule(schedule, "UTC")
    assert repr(schedule)[:20] in str(refusal.value)
    assert "*/5 * * * *" in str(refusal.value)


@pytest.mark.parametrize("schedule", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 */28 2 MON#2"])
def test_schedule_that_never_runs_is_refused(schedule):
    """A day that no year has is a mistake, which would else show by nothing happening."""
    with pytest.raises(Refused, match="schedule"):
        check_schedule(schedule, "UTC")


@pytest.mark.parametrize(
    "zone",
    ["", "Mars", "Mars/Crater", "Europe", "europe/berlin", BERLIN + " ", "../UTC", "/UTC"],
)
def test_zone_that_does_not_exist_is_refused(zone):
    """Also what would be a folder, or outside the database."""
    with pytest.raises(Refused, match=r"^timezone should be .* such as Europe/Berlin, not "):
        check_schedule("* * * * *", zone)


@pytest.mark.parametrize("zone", ["a" * 100_000, "U\0TC", "\ud800", "zone.tab"])
def test_text_that_is_no_name_is_refused_as_a_zone(zone):
    """Whatever the file system says of it; and the line stays short."""
    with pytest.raises(Refused, match="timezone") as refusal:
        check_schedule("* * * * *", zone)
    assert len(str(refusal.value)) < 300


def test_long_schedule_is_refused_in_a_short_line():
    """A megabyte is not looked into, and not repeated."""
    with pytest.raises(Refused, match="schedule") as refusal:
        check_schedule("*," * 500_000 + "* * * * *", "UTC")
    assert len(str(refusal.value)) < 300


@given(st.text("0123456789*/,-#LW MONFEB", max_size=40), st.text(max_size=20))
def test_any_text_is_taken_or_refused(schedule, zone):
    """Nothing but a refusal comes out, and what is taken has a next run."""
    for one in (zone, "UTC"):
        try:
            check_schedule(schedule, one)
        except Refused:
            continue
        assert next_run(schedule, one, 0.0) > 0


# ---- runs ----


@given(
    schedule=st.sampled_from(SCHEDULES),
    zone=st.sampled_from(ZONES),
    after=st.floats(at("1971-01-01"), at("2150-01-01")),
)
def test_next_run_is_after_and_first(schedule, zone, after):
    """It is a whole minute after the moment, and the same for all moments up to itself."""
    found = next_run(schedule, zone, after)
    assert found > after
    assert found % 60 == 0
    assert next_run(schedule, zone, max(after, found - 1)) == found
    assert next_run(schedule, zone, nextafter(found, 0)) == found


@given(after=st.floats(at("1971-01-01"), at("2150-01-01")))
def test_every_minute_runs_every_minute(after):
    """With a star for everything the next minute is next, whatever clocks on walls do."""
    for zone in ("UTC", BERLIN):
        assert next_run("* * * * *", zone, after) == (after // 60 + 1) * 60


@given(hour=st.integers(0, 23), minute=st.integers(0, 59), days=st.integers(0, 60_000))
def test_daily_run_in_utc_is_once_a_day(hour, minute, days):
    """From one day's run to the next day's, nothing is left out and nothing is twice."""
    begin = at("1970-01-01") + days * 86400 + hour * 3600 + minute * 60
    assert next_run(f"{minute} {hour} * * *", "UTC", begin) == begin + 86400
    assert next_run(f"{minute} {hour} * * *", "UTC", begin - 0.5) == begin


def test_run_that_falls_into_the_gap_of_spring_comes_right_after_it():
    """Clocks go from 02:00 to 03:00 on the last Sunday of March."""
    assert keys("30 2 * * *", "2024-03-30T00:00", 3) == [
        "2024-03-30T02:30:00+01:00",
        "2024-03-31T03:00:00+02:00",
        "2024-04-01T02:30:00+02:00",
    ]


def test_runs_that_fall_into_the_gap_of_spring_are_one():
    """Also together with one that is due right after the gap."""
    assert keys("0,30 2-3 * * *", "2024-03-31T00:00", 3) == [
        "2024-03-31T03:00:00+02:00",
        "2024-03-31T03:30:00+02:00",
        "2024-04-01T02:00:00+02:00",
    ]


def test_run_in_the_hour_of_autumn_that_is_there_twice_comes_once():
    """Clocks go from 03:00 to 02:00 on the last Sunday of October."""
    assert keys("30 2 * * *", "2024-10-26T00:00", 3) == [
        "2024-10-26T02:30:00+02:00",
        "2024-10-27T02:30:00+02:00",
        "2024-10-28T02:30:00+01:00",
    ]


@pytest.mark.parametrize("minute", [0, 10, 29, 30, 31, 59])
def test_run_of_the_first_hour_is_not_next_in_the_second(minute):
    """Within the hour that is there again, what was in the first is over."""
    after = f"2024-10-27T01:{minute:02}"
    assert keys("30 2 * * *", after, 1) == ["2024-10-28T02:30:00+01:00"]
    assert keys("0-59 2 * * *", after, 1) == ["2024-10-28T02:00:00+01:00"]


def test_run_of_every_hour_comes_in_both_hours_of_autumn():
    """With a star for the hour, an hour after another is a run after another."""
    assert keys("30 * * * *", "2024-10-27T00:00", 3) == [
        "2024-10-27T02:30:00+02:00",
        "2024-10-27T02:30:00+01:00",
        "2024-10-27T03:30:00+01:00",
    ]


def test_run_of_every_hour_leaves_out_the_gap_of_spring():
    """There is no half past two, and the next is an hour after the last."""
    assert keys("30 * * * *", "2024-03-31T00:00", 2) == [
        "2024-03-31T01:30:00+01:00",
        "2024-03-31T03:30:00+02:00",
    ]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_runs_of_years_have_keys_of_their_own(schedule, zone):
    """No two runs of a schedule have one key, and runs only go forward."""
    moment = at("2023-10-01")
    found: list[tuple[float, bytes]] = []
    while len(found) < 500 and moment < at("2025-04-01"):
        moment = next_run(schedule, zone, moment)
        found.append((moment, run_key(zone, moment)))
    assert found == sorted(set(found))
    assert len({key for _, key in found}) == len(found)


# ---- keys ----


@given(after=st.floats(at("1971-01-01"), at("2150-01-01")), zone=st.sampled_from(ZONES))
def test_key_says_the_moment(after, zone):
    """The key can be read back, to the second; a fraction is left out."""
    key = datetime.fromisoformat(run_key(zone, after).decode())
    assert key.timestamp() == after // 1
    assert key.utcoffset() is not None


def test_key_in_utc_has_its_offset():
    """So that keys of all zones look alike."""
    assert run_key("UTC", 1.75) == b"1970-01-01T00:00:01+00:00"


# ---- the ends of the calendar ----


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_wall_clock_far_off_is_no_error(schedule, zone):
    """Before 1900 counts as 1900, and after 9900 nothing runs any more."""
    first, last = datetime(1900, 1, 1, tzinfo=UTC), datetime(9900, 1, 1, tzinfo=UTC)
    for early in (-inf, -1e300, -1e12, first.timestamp() - 1):
        begin = next_run(schedule, zone, early)
        assert first.timestamp() <= begin < (first + timedelta(days=366 * 9)).timestamp()
        assert run_key(zone, early).startswith((b"1899-12-31", b"1900-01-01"))
    for late in (last.timestamp(), 1e12, 1e300, inf):
        assert next_run(schedule, zone, late) == inf
        assert run_key(zone, late)
    for moment in (last.timestamp() - 1, last.timestamp() - 86400 * 366 * 10):
        assert moment < next_run(schedule, zone, moment)
