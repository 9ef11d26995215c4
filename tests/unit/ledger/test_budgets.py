"""Budgets checked in the transaction that stores spending; holds, lifts and steps that survive."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from teamops.domain.budget import BudgetRule, Budgets
from teamops.ledger.connection import LedgerError
from teamops.ledger.store import Ledger, open_ledger
from teamops.model.agent import Beat
from teamops.model.budget import TEAM, BudgetHold, Cause, Level, Step, StepDone
from teamops.model.clock import Stamp
from teamops.model.errors import TeamopsError
from teamops.model.events import BeatsSeen
from teamops.model.role import CODER, REVIEWER, Role
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0
USD = Decimal
RULES = Budgets(
    team=BudgetRule(day_usd=USD(10)),
    roles={"CODER": BudgetRule(hour_usd=USD(1), day_usd=USD(5)), "REVIEWER": BudgetRule()},
    timezone="UTC",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(open_ledger(path)) as made:
        made.budgets.rules = RULES
        yield made


def usage(cost: str, wall: float, model: str = "m") -> Usage:
    return Usage(wall=wall, model=model, tokens=Tokens(10, 10), client="claude", cost_usd=USD(cost))


class Spending:
    """Spends into a ledger, each time a little further in the file."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.place = 0

    def __call__(self, cost: str | None, *, wall: float = NOON, now: float = NOON, role: Role = CODER) -> None:
        self.place += 1
        row = usage(cost or "0", wall)
        price = None if cost is None else USD(cost)
        self.ledger.add_usage(role, [(row, price)], Position("t", 1, 1, self.place), now)


@pytest.fixture
def spend(ledger: Ledger) -> Spending:
    return Spending(ledger)


def holds(ledger: Ledger) -> list[tuple[str, Cause, Decimal | None]]:
    return [(hold.scope, hold.cause, hold.spent_usd) for hold in ledger.budgets.open_holds()]


def test_what_crosses_a_limit_is_stored_with_the_hold_that_it_makes(ledger: Ledger, spend: Spending) -> None:
    spend("4.99")
    assert holds(ledger) == []
    assert ledger.budgets.fresh is False
    spend("0.01")
    assert bool(ledger.budgets.fresh)
    (hold,) = ledger.budgets.open_holds()
    assert (hold.scope, hold.wall, hold.cause, hold.day) == ("CODER", NOON, Cause.BUDGET, "2026-03-28")
    assert (hold.limit_usd, hold.spent_usd) == (USD(5), USD(5))
    assert hold.why == "$5.00 of $5.00 spent on 2026-03-28 (UTC)"
    spend("1", now=NOON + 9)
    assert len(ledger.budgets.open_holds()) == 1, "one hold, not one for each further cent"


def test_the_team_s_limit_counts_what_those_without_one_spend(ledger: Ledger, spend: Spending) -> None:
    spend("4")
    spend("6", role=REVIEWER)
    assert holds(ledger) == [(TEAM, Cause.BUDGET, USD(10))]


def test_nothing_is_half_done_when_the_process_dies_in_between(ledger: Ledger, spend: Spending, path: Path) -> None:
    """The hold and what crossed the limit become visible to others in the same moment."""
    spend("4.99")
    seen = []
    with closing(sqlite3.connect(path, isolation_level=None)) as other:

        def look(_: str) -> None:
            sums = other.execute("SELECT total(cost_usd) FROM usage_minute").fetchone()[0]
            held = other.execute("SELECT count(*) FROM budget_hold").fetchone()[0]
            seen.append((round(sums, 2), held))

        ledger._connection.set_trace_callback(look)
        spend("0.01")
        ledger._connection.set_trace_callback(None)
        look("")
    assert set(seen) == {(4.99, 0), (5.0, 1)}


def test_old_usage_that_is_read_late_counts_for_its_own_day(ledger: Ledger, spend: Spending) -> None:
    spend("9", wall=NOON - DAY)
    assert holds(ledger) == []
    spend("4.5", wall=NOON - 12.5 * 3600)
    spend("4.5")
    assert holds(ledger) == []
    lines = {line.scope: line for line in ledger.budgets.lines(NOON)}
    assert (lines["CODER"].spent.day, lines["CODER"].level) == (USD("4.5"), Level.SOFT)
    assert lines["CODER"].over_hour
    assert ledger.budgets.lines(NOON + DAY)[1].spent.day == 0


def test_the_hour_slides_over_midnight(ledger: Ledger, spend: Spending) -> None:
    midnight = NOON + DAY / 2
    spend("3", wall=midnight - 60, now=midnight)
    line = ledger.budgets.lines(midnight + 600)[1]
    assert (line.spent.hour, line.spent.day) == (USD(3), USD(0))
    assert ledger.budgets.lines(midnight + 3600)[1].spent.hour == 0


def test_a_day_is_that_of_the_zone(ledger: Ledger, spend: Spending) -> None:
    ledger.budgets.rules = Budgets(roles=RULES.roles, timezone="Asia/Tokyo")  # there it is 21:00
    spend("3", wall=NOON + 3.5 * 3600, now=NOON + 3.5 * 3600)
    spend("3", wall=NOON, now=NOON + 3.6 * 3600)
    assert holds(ledger) == []


def test_a_price_that_comes_late_is_checked_too(ledger: Ledger, spend: Spending) -> None:
    spend(None)
    assert holds(ledger) == []
    line = ledger.budgets.lines(NOON)[1]
    assert line.spent.unpriced == {"m": 20}
    ((role, waiting),) = ledger.unpriced()
    ledger.reprice([(role, waiting, USD(7))], NOON + 1)
    assert holds(ledger) == [("CODER", Cause.BUDGET, USD(7))]
    assert ledger.budgets.lines(NOON)[1].spent.unpriced == {}


def test_beats_that_tell_of_money_are_checked(ledger: Ledger) -> None:
    def beat(cost: str, place: int) -> None:
        told = Beat(role=CODER, wall=NOON, cost_usd=USD(cost))
        ledger.add_beats(BeatsSeen(Stamp(1.0, NOON), (told,), Position("b", 1, 1, place)), (), NOON)

    beat("4", 1)
    assert holds(ledger) == []
    beat("1", 2)
    assert holds(ledger) == [("CODER", Cause.BUDGET, USD(5))]


def test_without_limits_nothing_is_checked(ledger: Ledger, spend: Spending, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.budgets.rules = Budgets()
    monkeypatch.setattr(ledger.budgets, "_check", lambda _: 1 / 0)
    spend("1000")
    assert holds(ledger) == []
    ledger.budgets.check_now(NOON)
    assert holds(ledger) == []


def test_a_check_that_fails_holds_who_spent_and_keeps_what_was_spent(
    ledger: Ledger, spend: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: float) -> None:
        raise ZeroDivisionError("no such day")

    monkeypatch.setattr(ledger.budgets, "_check", broken)
    spend("0.01")
    (hold,) = ledger.budgets.open_holds()
    assert (hold.scope, hold.cause) == ("CODER", Cause.UNCHECKED)
    assert hold.why == "its budget can't be checked: ZeroDivisionError: no such day"
    assert ledger.cost_since(NOON)[CODER].cost_usd == USD("0.01")
    ledger.budgets.rules = Budgets(roles={"CODER": BudgetRule(day_usd=USD(5)), "REVIEWER": BudgetRule(hour_usd=USD(1))})
    spend("1", role=REVIEWER)
    assert len(ledger.budgets.open_holds()) == 1, "whom no limit could stop no failed check stops"


def test_where_not_even_the_hold_can_be_stored_nothing_is(ledger: Ledger, spend: Spending) -> None:
    ledger._connection.execute("DROP TABLE budget_hold")
    with pytest.raises(LedgerError):
        spend("9")
    assert ledger.cost_since(NOON) == {}
    assert ledger.positions() == {}


def test_limits_that_are_new_are_checked_at_the_start(ledger: Ledger, spend: Spending) -> None:
    spend("4")
    ledger.budgets.rules = Budgets(roles={"CODER": BudgetRule(day_usd=USD(3))}, timezone="UTC")
    ledger.budgets.check_now(NOON + 60)
    assert holds(ledger) == [("CODER", Cause.BUDGET, USD(4))]


def test_a_hold_outlives_its_day_and_is_lifted_for_the_day_of_lifting(ledger: Ledger, spend: Spending) -> None:
    spend("5")
    assert len(ledger.budgets.open_holds()) == 1
    tomorrow = NOON + DAY
    (lifted,) = ledger.budgets.lift("CODER", USD(8), "ann", tomorrow)
    assert lifted.scope == "CODER"
    assert ledger.budgets.open_holds() == []
    (kept,) = ledger.budgets.last_holds(5)
    assert (kept.lifted_by, kept.lifted_wall, kept.new_limit_usd) == ("ann", tomorrow, USD(8))
    assert ledger.budgets.lines(tomorrow)[1].day_limit_usd == 8
    assert ledger.budgets.lines(tomorrow + DAY)[1].day_limit_usd == 5
    spend("7.99", wall=tomorrow, now=tomorrow)
    assert ledger.budgets.open_holds() == []
    spend("0.01", wall=tomorrow, now=tomorrow)
    (again,) = ledger.budgets.open_holds()
    assert (again.limit_usd, again.spent_usd) == (USD(8), USD(8))


@pytest.mark.parametrize(
    ("scope", "limit", "says"),
    [
        ("CODER", "5.5", "CODER has spent $5.50 today: $5.50 would stop it at once"),
        ("CODER", None, "CODER has spent $5.50 of $5.00 today"),
        ("REVIEWER", "5", "REVIEWER has no budget for a day"),
        ("REVIEWER", None, "REVIEWER is not held"),
        (TEAM, "9", "team may spend $10.00 today already"),
    ],
)
def test_a_lift_that_would_not_help_is_refused(
    ledger: Ledger, spend: Spending, scope: str, limit: str | None, says: str
) -> None:
    spend("5.5")
    with pytest.raises(TeamopsError) as refused:
        ledger.budgets.lift(scope, None if limit is None else USD(limit), "ann", NOON)
    assert refused.value.message == says
    assert refused.value.hint
    assert holds(ledger) == [("CODER", Cause.BUDGET, USD("5.5"))]


def test_more_may_be_given_before_it_is_needed_and_what_is_no_budget_s_hold_needs_no_limit(ledger: Ledger) -> None:
    assert ledger.budgets.lift("CODER", USD(9), "ann", NOON) == []
    assert ledger.budgets.lines(NOON)[1].day_limit_usd == 9
    ledger.budgets.hold(BudgetHold(scope="CODER", wall=NOON, cause=Cause.RUNAWAY, why="fast", day="2026-03-28"))
    ledger.budgets.hold(BudgetHold(scope="CODER", wall=NOON + 1, cause=Cause.PERSON, why="again", day="2026-03-28"))
    assert [hold.why for hold in ledger.budgets.open_holds()] == ["fast"]
    assert not ledger.budgets.lifted_after({"CODER", TEAM}, NOON)
    assert [hold.why for hold in ledger.budgets.lift("CODER", None, "ann", NOON + 5)] == ["fast"]
    assert ledger.budgets.lifted_after({"CODER", TEAM}, NOON)
    assert not ledger.budgets.lifted_after({"REVIEWER", TEAM}, NOON)
    assert not ledger.budgets.lifted_after({"CODER"}, NOON + 6)


def test_a_second_hold_of_the_same_moment_is_another_one(ledger: Ledger) -> None:
    first = BudgetHold(scope="CODER", wall=NOON, cause=Cause.PERSON, why="a", day="2026-03-28")
    ledger.budgets.hold(first)
    ledger.budgets.lift("CODER", None, "ann", NOON)
    ledger.budgets.hold(first)
    (again,) = ledger.budgets.open_holds()
    assert again.wall > NOON


def test_steps_are_read_back_by_role(ledger: Ledger, path: Path) -> None:
    hold = BudgetHold(scope=TEAM, wall=NOON, cause=Cause.BUDGET, why="w", day="2026-03-28")
    ledger.budgets.hold(hold)
    first = StepDone(step=Step.GATE, ok=False, wall=NOON, message="full")
    then = StepDone(step=Step.GATE, ok=True, wall=NOON + 1, message="shut")
    end = StepDone(step=Step.END, ok=True, wall=NOON + 2, message="ended")
    for role, done in ((CODER, first), (CODER, then), (REVIEWER, end)):
        ledger.budgets.step_done(hold, role, done)
    with closing(open_ledger(path)) as other:
        assert other.budgets.steps(hold) == {"CODER": {Step.GATE: then}, "REVIEWER": {Step.END: end}}
        assert other.budgets.changed()
        assert not other.budgets.changed()
        ledger.budgets.step_done(hold, REVIEWER, then)
        assert other.budgets.changed()


def test_a_cause_of_a_newer_teamops_holds_all_the_same(ledger: Ledger) -> None:
    ledger.budgets.hold(BudgetHold(scope="CODER", wall=NOON, cause=Cause.PERSON, why="a", day=""))
    ledger._connection.execute("UPDATE budget_hold SET cause = 'moon phase'")
    assert [hold.cause for hold in ledger.budgets.open_holds()] == [Cause.UNCHECKED]
