"""Periods, instants and local dates."""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from domain.clock import (
    instant_of,
    local_date,
    local_month,
    moment_of,
    parse_date,
    parse_instant,
    parse_local,
    utc_text,
)
from domain.periods import parse_period

JAKARTA, NEW_YORK, AMSTERDAM = ZoneInfo("Asia/Jakarta"), ZoneInfo("America/New_York"), ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("period", "zone", "end"),
    [
        ("2026-11", "Asia/Jakarta", "2026-12-01T00:00:00+07:00"),
        ("2026", "Asia/Jayapura", "2027-01-01T00:00:00+09:00"),
        ("2026-Q1", "Europe/Berlin", "2026-04-01T00:00:00+02:00"),
        # Clocks went from 00:00 to 01:00 on the first of October: that instant is the end, and 00:00 never was.
        ("2017-09", "America/Asuncion", "2017-10-01T01:00:00-03:00"),
    ],
)
def test_a_period_ends_when_the_next_month_begins_in_the_zone(period: str, zone: str, end: str) -> None:
    ended_us = parse_period(period).end_us(ZoneInfo(zone))
    assert ended_us == parse_instant(end)
    months = [local_month(at_us, ZoneInfo(zone)) for at_us in (ended_us - 1, ended_us)]
    assert months[0] == parse_period(period).months[-1]
    assert months[1] > months[0]


@pytest.mark.parametrize(
    ("text", "first", "last", "last_day"),
    [
        ("2026-11", "2026-11", "2026-11", date(2026, 11, 30)),
        ("2024-02", "2024-02", "2024-02", date(2024, 2, 29)),
        ("1900-02", "1900-02", "1900-02", date(1900, 2, 28)),
        ("2026-Q1", "2026-01", "2026-03", date(2026, 3, 31)),
        ("2026-Q4", "2026-10", "2026-12", date(2026, 12, 31)),
        ("2026-S1", "2026-01", "2026-06", date(2026, 6, 30)),
        ("2026-S2", "2026-07", "2026-12", date(2026, 12, 31)),
        ("2026", "2026-01", "2026-12", date(2026, 12, 31)),
        ("0001-01", "0001-01", "0001-01", date(1, 1, 31)),
    ],
)
def test_a_period_is_a_run_of_whole_months_of_one_year(text: str, first: str, last: str, last_day: date) -> None:
    period = parse_period(text)
    assert (period.name, period.months[0], period.months[-1], period.last_day) == (text, first, last, last_day)
    assert period.first_day == date.fromisoformat(f"{first}-01")
    assert list(period.months) == sorted(set(period.months))


@pytest.mark.parametrize("year", ["2024", "2026"])
def test_a_year_is_its_halves_quarters_and_months(year: str) -> None:
    whole = parse_period(year).months
    for parts in (["S1", "S2"], ["Q1", "Q2", "Q3", "Q4"], [f"{month:02}" for month in range(1, 13)]):
        assert sum((parse_period(f"{year}-{part}").months for part in parts), ()) == whole


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-13",
        "2026-00",
        "2026-1",
        "2026-Q5",
        "2026-Q0",
        "2026-S3",
        "2026-q1",
        "0000",
        "26",
        "2026-",
        "2026-11-01",
        " 2026",
        "2026\n",
        "٢٠٢٦",
        "2026-Q",
        "２０２６",  # noqa: RUF001 - look-alikes are the point
        "2026-W1",
    ],
)
def test_any_other_text_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match="must be a month"):
        parse_period(text)


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T07:00:00+07:00", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2026-11-24T10:41:07+07:00", 1795491667000000),
        ("2026-11-24T03:41:07.5z", 1795491667500000),
        ("2026-11-24t03:41:07.000001Z", 1795491667000001),
        ("2026-11-23 19:41:07-08:00", 1795491667000000),
        ("2024-02-29T00:00:00-00:00", 1709164800000000),
        ("2026-11-24T23:59:59+23:59", 1795478459000000),
        ("2026-11-24T00:00:00-23:59", 1795564740000000),
        ("0001-01-01T00:00:00Z", -62135596800000000),
        ("9999-12-31T23:59:59.999999999Z", 253402300799999999),
        # Decimals beyond microseconds are cut off, never rounded: seven of .NET, nine of Go and Java, and more.
        ("2026-11-24T10:41:07.1234567+07:00", 1795491667123456),
        ("2026-11-24T10:41:07.123456999+07:00", 1795491667123456),
        ("2026-11-24T03:41:07.000000999Z", 1795491667000000),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2026-11-24T03:41:07.123456789012Z", 1795491667123456),
    ],
)
def test_an_instant_is_a_count_of_microseconds_whatever_its_offset(text: str, us: int) -> None:
    assert parse_instant(text) == us
    assert parse_instant(utc_text(us)) == us


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T10:41:07",
        "2026-11-24",
        "2026-11-24T10:41Z",
        "2026-11-24T10:41:07.Z",
        "2026-11-24T10:41:07,5Z",
        "2026-02-30T00:00:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T24:00:01Z",
        "2026-11-24T10:60:00Z",
        "2026-11-24T10:41:07+07:60",
        "2026-11-24T10:41:07+07:99",
        "2026-11-24T10:41:07-00:60",
        "2026-11-24T10:41:07+24:00",
        "2026-11-24T10:41:07+23:60",
        "2026-11-24T10:41:07+07",
        "2026-11-24T10:41:07+07:00:00",
        "2026-W48-2T10:41:07Z",
        "2026-328T10:41:07Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "２０２６-11-24T10:41:07Z",  # noqa: RUF001 - look-alikes are the point
        "2026-11-24T10:41:07+0700",
        "20261124T104107Z",
        "2026-11-24T10:41:60Z",
        "",
        "2026-11-24T10:41:07+25:00",
        "0001-01-01T00:00:00+07:00x",
        "2026-11-24T10:41:07 Z",
    ],
)
def test_text_that_names_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be RFC 3339|names no moment|must be 00 to"):  # noqa: RUF043 - any of them
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T10:41", datetime(2026, 11, 24, 10, 41)),  # noqa: DTZ001 - local times have no zone
        ("2026-11-24 10:41:07", datetime(2026, 11, 24, 10, 41, 7)),  # noqa: DTZ001 - the same
        ("2026-11-24T10:41:07.5", datetime(2026, 11, 24, 10, 41, 7, 500_000)),  # noqa: DTZ001 - the same
    ],
)
def test_a_local_time_of_a_form_has_no_zone_of_its_own(text: str, moment: datetime) -> None:
    assert parse_local(text) == moment


@pytest.mark.parametrize(
    "text",
    ["2026-11-24", "2026-11-24T24:00", "2026-11-24T10", "2026-02-30T10:00", "20261124T1041", "2026-11-24T10:41Z", ""],
)
def test_text_that_is_no_local_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a local time|names no moment"):  # noqa: RUF043 - either of two words
        parse_local(text)


def test_a_naive_datetime_names_no_instant() -> None:
    with pytest.raises(ValueError, match="without an offset"):
        instant_of(datetime(2026, 11, 24))  # noqa: DTZ001 - the point


@pytest.mark.parametrize("text", ["2026-2-1", "2026-02-30", "2026-11-01T00:00:00Z", "", "20261101", "2026-11"])
def test_text_that_names_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a date|names no day"):  # noqa: RUF043 - either of two words
        parse_date(text)


@pytest.mark.parametrize(
    ("text", "zone", "day", "month"),
    [
        ("2026-10-31T16:59:59.999999Z", JAKARTA, date(2026, 10, 31), "2026-10"),
        ("2026-10-31T17:00:00Z", JAKARTA, date(2026, 11, 1), "2026-11"),
        ("2026-12-31T17:00:00Z", JAKARTA, date(2027, 1, 1), "2027-01"),
        ("2026-11-01T03:59:59Z", NEW_YORK, date(2026, 10, 31), "2026-10"),
        ("2026-11-01T04:00:00Z", NEW_YORK, date(2026, 11, 1), "2026-11"),
        ("2026-03-31T21:59:59Z", AMSTERDAM, date(2026, 3, 31), "2026-03"),
        ("2026-03-31T22:00:00Z", AMSTERDAM, date(2026, 4, 1), "2026-04"),
        ("2026-02-28T22:59:59Z", AMSTERDAM, date(2026, 2, 28), "2026-02"),
    ],
)
def test_the_month_is_the_local_one(text: str, zone: ZoneInfo, day: date, month: str) -> None:
    """Half an hour after local midnight is the new month, though it is still the old one in UTC."""
    instant = parse_instant(text)
    assert (local_date(instant, zone), local_month(instant, zone)) == (day, month)


def test_both_instants_of_a_repeated_hour_are_kept_apart() -> None:
    """On the night the clocks go back, 01:30 in New York occurs twice, an hour apart."""
    first, second = parse_instant("2026-11-01T01:30:00-04:00"), parse_instant("2026-11-01T01:30:00-05:00")
    assert second - first == 3_600_000_000
    assert moment_of(first, NEW_YORK).strftime("%H:%M") == moment_of(second, NEW_YORK).strftime("%H:%M") == "01:30"


def test_an_instant_outside_the_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="outside the calendar"):
        moment_of(2**62)
    with pytest.raises(ValueError, match="outside the calendar"):
        local_month(instant_of(datetime.max.replace(tzinfo=timezone.utc)), timezone(timedelta(hours=7)))  # noqa: UP017 - beside a timezone
