"""Budgets in words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from teamops.domain.alert_rules import RULES, pages, severity_of
from teamops.domain.budget import BudgetRule, line_of
from teamops.domain.budget_alerts import hold_findings, line_findings, shown, steps_words
from teamops.model.agent import AgentState, Evidence, EvidenceKind
from teamops.model.budget import TEAM, BudgetHold, Cause, Spent, Step, StepDone
from teamops.model.handoff import Severity
from teamops.model.role import CODER

USD = Decimal
RULE = BudgetRule(hour_usd=USD(1), day_usd=USD(5))
SEEN = Evidence(EvidenceKind.STATUS, 1.0, "busy")


def hold(cause: Cause = Cause.BUDGET, scope: str = "CODER", why: str = "$5.02 of $5.00 spent") -> BudgetHold:
    return BudgetHold(scope=scope, wall=100.0, cause=cause, why=why, day="2026-03-28")


def done(*steps: Step, failed: tuple[Step, ...] = ()) -> dict[Step, StepDone]:
    return {step: StepDone(step=step, ok=step not in failed, wall=1.0, message=f"{step} said") for step in steps}


def test_nothing_is_said_of_a_budget_that_is_fine_or_spent() -> None:
    fine = line_of("CODER", RULE, Spent(USD(1), USD("3.99")), None)
    assert line_findings([fine], "UTC") == []
    spent = line_of("CODER", RULE, Spent(USD(0), USD(5)), None)
    assert line_findings([spent], "UTC") == []  # that one is the hold's


@pytest.mark.parametrize(("scope", "who"), [("CODER", "CODER"), (TEAM, "the team")])
def test_an_hour_and_the_soft_part_are_warnings(scope: str, who: str) -> None:
    line = line_of(scope, RULE, Spent(USD("1.5"), USD(4)), None)
    hour, soft = line_findings([line], "UTC")
    assert (hour.code, severity_of(hour), hour.subject, pages(hour)) == ("budget-hour", Severity.WARNING, scope, True)
    assert hour.message == f"{who} spent $1.50 within an hour, more than $1.00"
    assert soft.message == f"{who} has spent 80 % of today's budget: $4.00 of $5.00 (UTC)"
    assert soft.do.endswith(f"teamops budget lift {scope} --day-usd N")
    assert {finding.agent for finding in (hour, soft)} == {None if scope == TEAM else CODER}
    assert [finding.code for finding in line_findings([replace(line, hold=hold(scope=scope))], "UTC")] == [
        "budget-hour"
    ]


def test_tokens_that_no_budget_sees_are_told_for_each_model_of_an_agent() -> None:
    spent = Spent(unpriced={"odd-9": 12_000, "": 5, "priced since": 0})
    found = line_findings([line_of(TEAM, RULE, spent, None), line_of("CODER", RULE, spent, None)], "UTC")
    assert [finding.subject for finding in found] == ["CODER odd-9", "CODER "]
    assert found[0].message == "CODER's budget can't see 12,000 tokens used today: odd-9 has no known price"
    assert found[1].message.endswith("a model without a name has no known price")
    assert RULES[found[0].code].for_s > 5, "a price that is looked up is no news"


@pytest.mark.parametrize(
    ("cause", "code", "says", "lift"),
    [
        (Cause.BUDGET, "budget-hard", "CODER is stopped: $5.02 of $5.00 spent", "lift CODER --day-usd N"),
        (Cause.UNCHECKED, "budget-unchecked", "CODER is stopped, for $5.02 of", "lift CODER"),
        (Cause.RUNAWAY, "agent-held", "CODER is stopped as it ran away: $5.02", "lift CODER"),
    ],
)
def test_a_hold_calls_a_person_and_says_what_to_do(cause: Cause, code: str, says: str, lift: str) -> None:
    (found,) = hold_findings(hold(cause), {"CODER": done(Step.GATE, Step.POKES)})
    assert (found.code, severity_of(found), pages(found)) == (code, Severity.CRITICAL, True)
    assert RULES["budget-hard"].for_s == RULES["budget-unchecked"].for_s == 0
    assert found.message.startswith(says)
    assert found.do.endswith(lift)
    assert found.agent == CODER


def test_what_did_not_work_of_a_stop_is_said_loudly() -> None:
    (found,) = hold_findings(hold(scope=TEAM), {"CODER": done(*Step, failed=(Step.END,)), "REVIEWER": done(Step.GATE)})
    assert found.message == (
        "the team is stopped: $5.02 of $5.00 spent. NOT ALL OF IT WORKED:"
        " CODER: its session could not be stopped: end said"
    )
    assert found.do.startswith("end it by hand (a), then ")
    assert found.agent is None


def test_who_stopped_an_agent_by_hand_is_told_only_of_what_failed() -> None:
    assert hold_findings(hold(Cause.PERSON), {"CODER": done(*Step)}) == []
    (found,) = hold_findings(hold(Cause.PERSON), {"CODER": done(Step.GATE, failed=(Step.GATE,))})
    assert found.message.startswith("CODER is stopped by a person. NOT ALL")


def test_how_far_a_stop_is() -> None:
    assert steps_words({}) == "being stopped"
    assert steps_words(done(Step.GATE, Step.POKES, Step.INTERRUPT, failed=(Step.INTERRUPT,))) == (
        "gate shut, pokes refused, interrupt failed"
    )


def test_a_held_agent_is_shown_as_held_whatever_else_it_does() -> None:
    assert shown(None, AgentState.WORKING, AgentState.WORKING, SEEN, 105.0) == (AgentState.WORKING, SEEN)
    state, evidence = shown(hold(), AgentState.WORKING, AgentState.RUNAWAY, SEEN, 105.0)
    assert (state, evidence.kind, evidence.age_s) == (AgentState.HELD, EvidenceKind.OWN, 5.0)
    assert evidence.detail == "budget: $5.02 of $5.00 spent; its process lives (working)"
    _, gone = shown(hold(Cause.RUNAWAY, why="fast"), AgentState.DEAD, AgentState.DEAD, SEEN, 99.0)
    assert (gone.detail, gone.age_s) == ("ran away: fast", 0.0)
    assert shown(hold(Cause.PERSON), AgentState.DEAD, AgentState.DEAD, SEEN, 99.0)[1].detail.startswith("stopped: ")
