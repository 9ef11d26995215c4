"""Limits and sums → verdicts; days as their timezone has them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from teamops.domain.budget import BudgetRule, Budgets, hold_words, line_of, lines, usd
from teamops.model.budget import TEAM, Level, Spent

USD = Decimal


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the system's own zone be Berlin's."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def wall(text: str) -> float:
    """Return the Unix seconds of a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("limit", "lifted", "spent", "level", "percent"),
    [
        (None, None, "999", Level.FINE, None),
        (None, "5", "999", Level.FINE, None),  # what has no limit was never held by one
        ("5", None, "0", Level.FINE, 0),
        ("5", None, "3.999999", Level.FINE, 79),
        ("5", None, "4", Level.SOFT, 80),
        ("5", None, "4.999999999", Level.SOFT, 99),
        ("5", None, "5", Level.HARD, 100),
        ("5", None, "12.5", Level.HARD, 250),
        ("5", "10", "5", Level.FINE, 50),
        ("5", "10", "8", Level.SOFT, 80),
        ("5", "10", "10", Level.HARD, 100),
        ("5", "3", "4.9", Level.SOFT, 98),  # the configuration was raised since
        ("0.3", None, "0.30", Level.HARD, 100),
    ],
)
def test_how_much_of_a_day_is_spent(
    limit: str | None, lifted: str | None, spent: str, level: Level, percent: int | None
) -> None:
    rule = BudgetRule(day_usd=None if limit is None else USD(limit))
    line = line_of("CODER", rule, Spent(day=USD(spent)), None if lifted is None else USD(lifted))
    assert (line.level, line.percent) == (level, percent)
    assert line.lifted == (lifted == "10")


def test_the_soft_part_is_as_configured() -> None:
    rule = BudgetRule(day_usd=USD(10), soft_percent=50)
    assert line_of("CODER", rule, Spent(day=USD("4.99")), None).level is Level.FINE
    assert line_of("CODER", rule, Spent(day=USD(5)), None).level is Level.SOFT


@pytest.mark.parametrize(("spent", "over"), [("2", False), ("2.000001", True)])
def test_an_hour_is_over_when_more_is_spent(spent: str, *, over: bool) -> None:
    line = line_of("CODER", BudgetRule(hour_usd=USD(2)), Spent(hour=USD(spent)), None)
    assert (line.over_hour, line.level) == (over, Level.FINE)
    assert not line_of("CODER", BudgetRule(), Spent(hour=USD(spent)), None).over_hour


def test_the_team_is_the_sum_of_all_also_of_those_without_a_limit() -> None:
    budgets = Budgets(
        team=BudgetRule(day_usd=USD(10)), roles={"CODER": BudgetRule(day_usd=USD(4)), "REVIEWER": BudgetRule()}
    )
    spent = {
        "CODER": Spent(USD(1), USD(3), {"odd": 5}),
        "STRANGER": Spent(USD(1), USD(7), {"odd": 2, "new": 1}),
    }
    team, *roles = lines(budgets, spent, {"CODER": USD(6)})
    assert (team.scope, team.spent, team.level) == (TEAM, Spent(USD(2), USD(10), {"odd": 7, "new": 1}), Level.HARD)
    assert [(line.scope, line.spent.day, line.day_limit_usd) for line in roles] == [
        ("CODER", USD(3), USD(6)),
        ("REVIEWER", USD(0), None),
        ("STRANGER", USD(7), None),
    ]


def test_who_can_be_stopped_by_which_limit() -> None:
    none = Budgets(roles={"CODER": BudgetRule(hour_usd=USD(1)), "REVIEWER": BudgetRule()})
    assert (none.limits, none.stops("CODER"), none.stops("REVIEWER")) == (True, False, False)
    assert not Budgets(roles={"CODER": BudgetRule()}).limits
    own = Budgets(roles={"CODER": BudgetRule(day_usd=USD(1))})
    assert (own.limits, own.stops("CODER"), own.stops("OTHER")) == (True, True, False)
    team = Budgets(team=BudgetRule(day_usd=USD(1)), roles={"CODER": BudgetRule()})
    assert (team.limits, team.stops("CODER"), team.stops("OTHER")) == (True, True, True)
    assert team.scopes == (TEAM, "CODER")


@pytest.mark.parametrize(
    ("zone", "now", "day", "begins", "hours"),
    [
        ("UTC", "2026-03-28T14:30", "2026-03-28", "2026-03-28T00:00", 24),
        ("Europe/Berlin", "2026-03-28T22:59", "2026-03-28", "2026-03-27T23:00", 24),
        ("Europe/Berlin", "2026-03-28T23:00", "2026-03-29", "2026-03-28T23:00", 23),  # clocks go forward
        ("Europe/Berlin", "2026-10-25T12:00", "2026-10-25", "2026-10-24T22:00", 25),  # … and back
        ("Asia/Kathmandu", "2026-03-28T18:15", "2026-03-29", "2026-03-28T18:15", 24),
        ("America/Santiago", "2026-09-06T12:00", "2026-09-06", "2026-09-06T04:00", 23),  # there is no midnight
        ("America/Santiago", "2026-04-04T12:00", "2026-04-04", "2026-04-04T03:00", 25),  # its last hour comes twice
        ("America/Santiago", "2026-04-05T03:30", "2026-04-04", "2026-04-04T03:00", 25),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-31", "2011-12-30T10:00", 24),  # the 30th never was
    ],
)
def test_a_day_has_the_length_that_its_zone_gives_it(zone: str, now: str, day: str, begins: str, hours: int) -> None:
    budgets = Budgets(timezone=zone)
    assert budgets.day_of(wall(now)) == day
    assert budgets.day_begins(wall(now)) == wall(begins)
    assert budgets.day_ends(wall(now)) == wall(begins) + hours * 3600
    assert budgets.zone_name == zone


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("now", "day", "begins", "hours"),
    [
        ("2026-03-28T23:00", "2026-03-29", "2026-03-28T23:00", 23),
        ("2026-10-25T12:00", "2026-10-25", "2026-10-24T22:00", 25),
    ],
)
def test_without_a_zone_the_system_s_counts(now: str, day: str, begins: str, hours: int) -> None:
    budgets = Budgets()
    assert budgets.day_of(wall(now)) == day
    assert budgets.day_begins(wall(now)) == wall(begins)
    assert budgets.day_ends(wall(now)) == wall(begins) + hours * 3600
    assert budgets.zone_name == "local time"


def test_what_a_person_reads() -> None:
    own = line_of("CODER", BudgetRule(day_usd=USD(5)), Spent(day=USD("5.0193")), None)
    assert hold_words(own, "2026-03-28", "UTC") == "$5.02 of $5.00 spent on 2026-03-28 (UTC)"
    team = line_of(TEAM, BudgetRule(day_usd=USD("0.05")), Spent(day=USD("0.0512")), None)
    assert hold_words(team, "2026-03-28", "UTC") == "the team's budget: $0.0512 of $0.0500 spent on 2026-03-28 (UTC)"
    assert [usd(amount) for amount in (USD(0), USD("0.00004"), USD("0.1"), USD("1234.5"), None)] == [
        "$0.00",
        "$0.0000",
        "$0.10",
        "$1234.50",
        "no limit",
    ]
