"""How fast dollars go, and where that leads: cases in a table."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from teamops.domain.burn import LEAST_S, burn
from teamops.domain.days import HOUR_S, day_edges, hour_edges
from teamops.model.cost_report import Burn, Verdict

DAY = (0.0, 24 * HOUR_S)
NOON = 12 * HOUR_S
LONG_AGO = -9_000.0 * HOUR_S


def at(
    wall: float = NOON,
    *,
    today: str = "12",
    hour: str = "3",
    limit: str | None = None,
    first: float | None = LONG_AGO,
    day: tuple[float, float] = DAY,
) -> Burn:
    return burn(
        wall=wall,
        day=day,
        first_wall=first,
        today_usd=Decimal(today),
        hour_usd=Decimal(hour),
        limit_usd=None if limit is None else Decimal(limit),
    )


def test_it_goes_on_as_in_the_last_hour() -> None:
    told = at()
    assert (told.hour_usd, told.day_usd) == (Decimal(3), Decimal(1))
    assert told.forecast_usd == Decimal(12 + 12 * 3)
    assert (told.verdict, told.spent_by_wall) == (Verdict.NO_BUDGET, None)


@pytest.mark.parametrize(
    ("limit", "verdict", "spent_by"),
    [
        ("48.01", Verdict.WITHIN, None),
        ("48", Verdict.OVER, 24 * HOUR_S),
        ("18", Verdict.OVER, 14 * HOUR_S),
        ("12", Verdict.SPENT, None),
        ("1", Verdict.SPENT, None),
    ],
)
def test_it_is_held_against_the_budget(limit: str, verdict: Verdict, spent_by: float | None) -> None:
    told = at(limit=limit)
    assert (told.verdict, told.spent_by_wall, told.limit_usd) == (verdict, spent_by, Decimal(limit))


def test_a_budget_that_lasts_to_the_end_but_for_rounding_is_spent_at_the_end() -> None:
    told = at(23.4 * HOUR_S, today="0", hour="0.000001", limit="0.000001")
    assert (told.verdict, told.spent_by_wall) == (Verdict.OVER, 24 * HOUR_S)


def test_an_idle_hour_adds_nothing() -> None:
    told = at(hour="0", limit="13")
    assert (told.hour_usd, told.forecast_usd, told.verdict) == (Decimal(0), Decimal(12), Verdict.WITHIN)


@pytest.mark.parametrize(
    ("age", "rate"),
    [(LEAST_S - 1, None), (LEAST_S, Decimal(18)), (1800.0, Decimal(6)), (3600.0, Decimal(3)), (7200.0, Decimal(3))],
    ids=["too little", "ten minutes", "half an hour", "an hour", "more"],
)
def test_a_rate_is_of_what_is_on_record(age: float, rate: Decimal | None) -> None:
    told = at(first=NOON - age)
    assert told.hour_usd == rate
    assert told.forecast_usd == (None if rate is None else 12 + 12 * rate)


@pytest.mark.parametrize(
    ("first", "today", "limit", "verdict"),
    [
        (None, "0", "5", Verdict.UNKNOWN),
        (NOON - 60.0, "2", "5", Verdict.UNKNOWN),
        (NOON - 60.0, "5", "5", Verdict.SPENT),
        (None, "0", None, Verdict.NO_BUDGET),
    ],
)
def test_without_history_nothing_is_forecast(
    first: float | None, today: str, limit: str | None, verdict: Verdict
) -> None:
    told = at(first=first, today=today, hour=today, limit=limit)
    assert (told.hour_usd, told.day_usd, told.forecast_usd, told.spent_by_wall) == (None, None, None, None)
    assert told.verdict is verdict


def test_a_day_that_has_just_begun_has_the_rate_of_the_hour_and_none_of_its_own() -> None:
    told = at(120.0, today="0.1", hour="3")
    assert (told.hour_usd, told.day_usd) == (Decimal(3), None)
    assert told.rate_words == "$3.00/h in the last hour"


def test_a_clock_behind_its_day_leaves_nothing_of_it() -> None:
    assert at(25 * HOUR_S).forecast_usd == Decimal(12)


@pytest.mark.parametrize(
    ("told", "rate", "forecast"),
    [
        (at(), "$3.00/h in the last hour, $1.00/h today", "$48.00 by the day's end; the team has no budget for a day"),
        (at(limit="50"), "", "$48.00 by the day's end, within the day's budget of $50.00"),
        (at(limit="20"), "", "$48.00 by the day's end, over the day's budget of $20.00"),
        (at(limit="9"), "", "$48.00 by the day's end; the day's budget of $9.00 is spent"),
        (
            at(first=None, limit="50"),
            "not known: less than 10 minutes are on record",
            "no forecast against the day's budget of $50.00 yet",
        ),
        (at(first=None), "", "no forecast; the team has no budget for a day"),
    ],
)
def test_it_says_so_in_words(told: Burn, rate: str, forecast: str) -> None:
    assert told.forecast_words == forecast
    assert told.rate_words == rate or not rate


# Days and hours.

BERLIN = ZoneInfo("Europe/Berlin")
SUMMER = 1_774_742_400.0
"""2026-03-29 00:00 UTC: the day in Berlin began an hour earlier, and has 23 hours."""


@pytest.mark.parametrize(
    ("wall", "hours"),
    [(SUMMER - 3600.0, 23), (SUMMER + 3 * HOUR_S, 23), (SUMMER - 3601.0, 24), (1_792_886_400.0, 25)],
    ids=["its first moment", "later", "the day before", "clocks set back"],
)
def test_a_day_is_as_long_as_its_timezone_makes_it(wall: float, hours: int) -> None:
    began, ends = day_edges(wall, BERLIN, 1)
    assert began <= wall < ends
    assert ends - began == hours * HOUR_S


def test_days_follow_each_other() -> None:
    edges = day_edges(SUMMER, BERLIN, 30)
    assert len(edges) == 31
    assert edges == sorted(edges)
    assert edges[-2] == SUMMER - HOUR_S
    assert {round((after - before) / HOUR_S) for before, after in pairwise(edges)} == {23, 24}


def test_without_a_timezone_the_systems_days_count() -> None:
    began, ends = day_edges(SUMMER, None, 1)
    assert began <= SUMMER < ends
    assert ends - began in {23 * HOUR_S, 24 * HOUR_S, 25 * HOUR_S}


@pytest.mark.parametrize(("minutes", "count"), [(0, 1), (1, 1), (59, 1), (60, 2), (61, 2), (1439, 24)])
def test_hours_go_up_to_the_one_that_runs(minutes: int, count: int) -> None:
    edges = hour_edges(SUMMER, SUMMER + 60 * minutes)
    assert edges == [SUMMER + HOUR_S * place for place in range(count + 1)]
