"""Budgets for programs (``budget show --json``) and for people."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from teamops.domain.budget import usd
from teamops.domain.budget_alerts import lift_of, steps_words
from teamops.model.budget import TEAM, BudgetHold, BudgetLine
from teamops.model.snapshot import Snapshot
from teamops.report.table import table
from teamops.report.times import iso

SCHEMA = "teamops.budget/1"


def budget_json(snapshot: Snapshot, zone: str, day: str) -> dict[str, Any]:
    """Return all budgets in the shape ``teamops.budget/1``; money as decimal text, times as ISO 8601."""
    return {
        "schema": SCHEMA,
        "project": snapshot.project,
        "at": iso(snapshot.stamp.wall),
        "day": day,
        "timezone": zone,
        "checked": snapshot.supervisor.pid is not None,
        "budgets": [_line(line) for line in snapshot.budgets],
        "held": {agent.role: agent.held for agent in snapshot.agents if agent.held},
    }


def _line(line: BudgetLine) -> dict[str, Any]:
    return {
        "scope": line.scope,
        "hour_usd": _money(line.spent.hour),
        "hour_limit_usd": _money(line.hour_limit_usd),
        "day_usd": _money(line.spent.day),
        "day_limit_usd": _money(line.day_limit_usd),
        "lifted": line.lifted,
        "percent": line.percent,
        "level": line.level.value,
        "over_hour": line.over_hour,
        "unpriced_tokens": dict(line.spent.unpriced),
        "hold": None if line.hold is None else _hold(line.hold, line),
    }


def _hold(hold: BudgetHold, line: BudgetLine) -> dict[str, Any]:
    return {
        "since": iso(hold.wall),
        "cause": hold.cause.value,
        "why": hold.why,
        "limit_usd": _money(hold.limit_usd),
        "spent_usd": _money(hold.spent_usd),
        "steps": {
            role: [
                {"step": done.step.value, "ok": done.ok, "at": iso(done.wall), "message": done.message}
                for done in steps
            ]
            for role, steps in line.steps.items()
        },
    }


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def budget_text(snapshot: Snapshot, zone: str, day: str) -> str:
    """Return all budgets as lines for a person."""
    if not snapshot.budgets:
        held = [
            f"{agent.role} is held: {agent.held}" + (f"\n  let it spend again: {agent.lift}" if agent.lift else "")
            for agent in snapshot.agents
            if agent.held
        ]
        return "\n".join(
            ["no budget is set: [budget] and [roles.ROLE.budget] in teamops.toml; see docs/budgets.md", *held]
        )
    rows = [
        (
            line.scope,
            usd(line.spent.hour),
            "-" if line.hour_limit_usd is None else usd(line.hour_limit_usd),
            usd(line.spent.day) + ("+?" if line.spent.unpriced else ""),
            "-" if line.day_limit_usd is None else usd(line.day_limit_usd) + (" (lifted)" if line.lifted else ""),
            "-" if line.percent is None else f"{line.percent} %",
            "held" if line.hold is not None else "over the hour's" if line.over_hour else line.level.value,
        )
        for line in snapshot.budgets
    ]
    lines = [f"{day} ({zone})", "", table(("who", "hour", "of", "day", "of", "part", "state"), rows)]
    for line in snapshot.budgets:
        if line.hold is not None:
            lines += ["", *_hold_lines(line.hold, line)]
    if any(line.spent.unpriced for line in snapshot.budgets):
        lines += ["", "+?: tokens of models without a known price are in no sum"]
    if snapshot.supervisor.pid is None:
        lines += ["", "nobody supervises: nothing is checked or stopped now (run: teamops watch)"]
    return "\n".join(lines)


def _hold_lines(hold: BudgetHold, line: BudgetLine) -> list[str]:
    who = "the team" if hold.scope == TEAM else hold.scope
    said = [f"{who} is held since {iso(hold.wall)}: {hold.why}"]
    for role, steps in line.steps.items():
        said.append(f"  {role}: {steps_words({done.step: done for done in steps})}")
        said += [f"    {done.step.value}: {done.message}" for done in steps if not done.ok]
    return [*said, f"  let it spend again: {lift_of(hold)}"]
