"""Times of a day as a person says them, on days that have an hour more or less."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.domain.days import clock_at, midnight, moment_of

BERLIN = ZoneInfo("Europe/Berlin")
FORWARD, BACK, PLAIN = date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 28)


def utc(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


@pytest.mark.parametrize(
    ("text", "day", "wall"),
    [
        ("02:13", PLAIN, "2026-03-28T01:13:00"),
        (" 02:13:05 ", PLAIN, "2026-03-28T01:13:05"),
        ("01:59", FORWARD, "2026-03-29T00:59:00"),
        ("03:00", FORWARD, "2026-03-29T01:00:00"),
        ("23:00", FORWARD, "2026-03-29T21:00:00"),
        ("02:13", BACK, "2026-10-25T00:13:00"),
        ("02:13+02:00", BACK, "2026-10-25T00:13:00"),
        ("02:13+01:00", BACK, "2026-10-25T01:13:00"),
        ("23:00", BACK, "2026-10-25T22:00:00"),
    ],
)
def test_a_time_of_a_day_is_one_moment(text: str, day: date, wall: str) -> None:
    assert moment_of(text, day, BERLIN) == utc(wall)


@pytest.mark.parametrize(
    ("text", "day"), [("02:13", FORWARD), ("25:00", PLAIN), ("", PLAIN), ("noon", PLAIN), ("02:13+05:00", PLAIN)]
)
def test_a_time_that_the_day_does_not_have_is_none(text: str, day: date) -> None:
    assert moment_of(text, day, BERLIN) is None


def test_an_hour_that_comes_twice_is_told_with_its_offset() -> None:
    assert clock_at(utc("2026-10-25T00:13:05"), BERLIN) == "02:13:05+02:00"
    assert clock_at(utc("2026-10-25T01:13:05"), BERLIN) == "02:13:05+01:00"
    assert clock_at(utc("2026-10-25T02:13:05"), BERLIN) == "03:13:05"
    assert clock_at(utc("2026-03-28T01:13:05"), BERLIN) == "02:13:05"


@pytest.mark.parametrize("zone", [BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), None])
@given(seconds=st.integers(0, 86_399), day=st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_what_the_clock_shows_leads_back_to_the_moment(zone: tzinfo | None, seconds: int, day: date) -> None:
    wall = midnight(day, zone) + seconds
    shown = clock_at(wall, zone)
    back = datetime.fromtimestamp(wall, zone) if zone is not None else datetime.fromtimestamp(wall).astimezone()
    assert moment_of(shown, back.date(), zone) == wall
