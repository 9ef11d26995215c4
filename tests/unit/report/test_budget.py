"""Budgets for programs and for people."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from teamops.domain.budget import BudgetRule, line_of
from teamops.model.agent import AgentState, AgentView, Evidence, EvidenceKind
from teamops.model.budget import TEAM, BudgetHold, Cause, Spent, Step, StepDone
from teamops.model.clock import Stamp
from teamops.model.role import CODER
from teamops.model.snapshot import Snapshot, SupervisorView
from teamops.report.budget import budget_json, budget_text

USD = Decimal
WALL = 1_775_000_000.0


def snapshot(*, supervised: bool = True) -> Snapshot:
    spent = Spent(USD("2.5"), USD("5.02"), {"odd": 12})
    coder = line_of("CODER", BudgetRule(hour_usd=USD(2), day_usd=USD(5)), spent, None)
    hold = BudgetHold(
        scope="CODER",
        wall=WALL - 60,
        cause=Cause.BUDGET,
        why="$5.02 of $5.00 spent",
        day="2026-03-31",
        limit_usd=USD(5),
        spent_usd=USD("5.02"),
    )
    steps = (
        StepDone(step=Step.GATE, ok=True, wall=WALL - 59, message="its hooks refuse"),
        StepDone(step=Step.POKES, ok=False, wall=WALL - 58, message="tmux is gone"),
    )
    return Snapshot(
        revision=1,
        stamp=Stamp(1.0, WALL),
        project="shop",
        root="/shop",
        handoff_path="/shop/current.md",
        supervisor=SupervisorView(pid=7 if supervised else None, acting=False, since_wall=WALL),
        agents=(
            AgentView(
                role=CODER,
                name="Kevin",
                client="claude",
                session="s",
                state=AgentState.HELD,
                evidence=Evidence(EvidenceKind.OWN, 1.0),
                held="$5.02 of $5.00 spent",
            ),
        ),
        budgets=(
            line_of(TEAM, BudgetRule(day_usd=USD(20)), spent, USD(30)),
            replace(coder, hold=hold, steps={"CODER": steps}),
            line_of("REVIEWER", BudgetRule(hour_usd=USD(1)), Spent(hour=USD(3)), None),
        ),
    )


def test_programs_get_exact_money_and_every_step() -> None:
    told = budget_json(snapshot(), "UTC", "2026-03-31")
    assert (told["schema"], told["timezone"], told["day"], told["checked"]) == (
        "teamops.budget/1",
        "UTC",
        "2026-03-31",
        True,
    )
    team, coder, reviewer = told["budgets"]
    assert (team["scope"], team["day_limit_usd"], team["lifted"], team["percent"]) == ("team", "30", True, 16)
    assert (coder["day_usd"], coder["level"], coder["over_hour"]) == ("5.02", "hard", True)
    assert coder["unpriced_tokens"] == {"odd": 12}
    assert coder["hold"]["cause"] == "budget"
    assert [(step["step"], step["ok"]) for step in coder["hold"]["steps"]["CODER"]] == [
        ("gate", True),
        ("pokes", False),
    ]
    assert (reviewer["day_limit_usd"], reviewer["percent"], reviewer["hold"]) == (None, None, None)
    assert told["held"] == {"CODER": "$5.02 of $5.00 spent"}


def test_a_person_reads_who_is_held_why_and_what_did_not_work() -> None:
    text = budget_text(snapshot(), "UTC", "2026-03-31")
    assert "2026-03-31 (UTC)" in text
    assert "$30.00 (lifted)" in text
    assert "over the hour's" in text
    assert "CODER is held since " in text
    assert "  CODER: gate shut, pokes failed\n    pokes: tmux is gone" in text
    assert "teamops budget lift CODER --day-usd N" in text
    (team, line, reviewer) = snapshot().budgets
    assert line.hold is not None
    ran_away = replace(
        snapshot(), budgets=(team, replace(line, hold=replace(line.hold, cause=Cause.RUNAWAY)), reviewer)
    )
    assert "let it spend again: teamops budget lift CODER\n" in budget_text(ran_away, "UTC", "2026-03-31")
    assert "+?: tokens of models without a known price" in text
    assert "nobody supervises" not in text
    assert "nobody supervises" in budget_text(snapshot(supervised=False), "UTC", "2026-03-31")


def test_without_budgets_it_says_where_they_are_set() -> None:
    text = budget_text(replace(snapshot(), budgets=()), "UTC", "d")
    assert text.startswith("no budget is set: [budget]")
    assert text.endswith("\nCODER is held: $5.02 of $5.00 spent")
    agents = tuple(replace(agent, lift="teamops budget lift CODER") for agent in snapshot().agents)  # stopped by hand
    text = budget_text(replace(snapshot(), budgets=(), agents=agents), "UTC", "d")
    assert text.endswith("$5.00 spent\n  let it spend again: teamops budget lift CODER")
