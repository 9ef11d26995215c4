"""What a team cost: the contract for programs, and the lines for people."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from teamops.model.cost_report import Burn, CostReport, Share, Verdict
from teamops.model.spend import Spend
from teamops.model.usage import Tokens
from teamops.report.agent import spike_json
from teamops.report.cost import VERDICTS, cost_json, cost_report_text
from teamops.report.table import cells
from teamops.report.times import iso
from teamops.tui.believable import believable
from teamops.tui.believable_cost_report import believable_cost_report

SNAPSHOT = believable()
REPORT = believable_cost_report(SNAPSHOT)


def shown(report: CostReport = REPORT) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(cost_json(report, SNAPSHOT)))
    return read


def test_the_contract_of_cost_json() -> None:
    told = shown()
    assert set(told) == {
        "schema", "project", "at", "timezone", "day", "today", "days_7", "days_30", "burn", "by_agent", "by_model",
        "by_task", "hours", "days", "spikes", "troubles",
    }  # fmt: skip
    assert (told["schema"], told["project"], told["timezone"]) == ("teamops.cost/1", "notify-hub", "Europe/Berlin")
    assert told["at"] == iso(REPORT.wall)
    assert told["day"] == {"from": iso(REPORT.day_since_wall), "until": iso(REPORT.day_until_wall)}
    assert [told[span]["cost_usd"] for span in ("today", "days_7", "days_30")] == [19.0, 147.0, 391.0]
    assert set(told["today"]) == {
        "cost_usd", "responses", "tokens", "input", "output", "cache_write", "cache_read", "unpriced_tokens",
    }  # fmt: skip
    assert told["burn"] == {
        "last_hour_usd_per_hour": 3.4, "today_usd_per_hour": 1.31, "forecast_usd": 51.3, "budget_usd": 40.0,
        "verdict": "over", "spent_by": iso(REPORT.burn.spent_by_wall),
    }  # fmt: skip


def test_all_of_the_screen_is_in_it() -> None:
    told = shown()
    assert [row["agent"] for row in told["by_agent"]] == [one.name for one in REPORT.agents]
    assert [row["model"] for row in told["by_model"]] == [one.name for one in REPORT.models]
    assert [(row["task"], row["light"]) for row in told["by_task"]] == [
        ("webhook-retries", True), ("settings-page", True), (None, False),
    ]  # fmt: skip
    row = told["by_agent"][0]
    assert {key: row[key]["cost_usd"] for key in ("today", "days_7", "days_30")} == {
        "today": 5.4286, "days_7": 42.0, "days_30": 111.7143,
    }  # fmt: skip
    assert [one["cost_usd"] for one in told["days"]] == [float(one.spend.cost_usd) for one in REPORT.days]
    assert [one["cost_usd"] for one in told["hours"]] == [float(one.spend.cost_usd) for one in REPORT.hours]
    assert told["days"][-1]["until"] == iso(REPORT.days[-1].until_wall)
    assert told["spikes"][0] == {"agent": "DEVELOPER", **json.loads(json.dumps(spike_json(REPORT.spikes[0])))}
    assert told["spikes"][0]["trace"]


def test_what_has_no_price_and_what_is_not_known_is_null() -> None:
    told = shown()
    house = told["by_model"][2]
    assert (house["today"]["cost_usd"], house["today"]["unpriced_tokens"]) == (None, 48_000)
    burn = Burn(hour_usd=None, day_usd=None, forecast_usd=None, limit_usd=None, verdict=Verdict.NO_BUDGET)
    own = Share("", *[Spend(1, Tokens(input=3), Decimal(1))] * 3)
    told = shown(replace(REPORT, burn=burn, timezone="", models=(own,), tasks=(own,)))
    assert set(told["burn"].values()) == {None, "no budget"}
    assert told["timezone"]
    assert told["by_model"][0]["model"] is None
    assert (told["by_task"][0]["task"], told["by_task"][0]["light"]) == (None, True)


@pytest.mark.parametrize("width", [80, 120])
def test_a_person_reads_the_same(width: int) -> None:
    text = cost_report_text(REPORT, "notify-hub", width)
    assert "today $19.00   7 days $147.00   30 days $391.00" in text
    assert "burn rate $3.40/h in the last hour, $1.31/h today" in text
    assert "▲ $51.30 by the day's end, over the day's budget of $40.00: spent at" in text
    for name in ("DIRECTOR", "gpt-5.2-codex", "webhook-retries", "without a light"):
        assert name in text
    assert "house-model" in text
    assert "?: tokens whose model has no known price" in text
    assert "runaways, the last 4 of 4:" in text
    assert all(cells(line) <= width for line in text.splitlines())
    strip = next(line for line in text.splitlines() if line.startswith("last 30 days")).split()[-1]
    assert (len(strip), strip[0], strip[26]) == (30, "·", "█")


def test_a_person_is_told_of_what_has_no_price_and_of_names_that_are_none() -> None:
    unpriced = structs.replace(REPORT.month, unpriced_tokens=5)
    own = Share("", REPORT.today, REPORT.week, REPORT.month)
    text = cost_report_text(replace(REPORT, month=unpriced, models=(own,), tasks=(own,), spikes=()), "x", 80)
    assert "30 days $391.00+?" in text
    assert "?: tokens whose model has no known price; [prices] in teamops.toml" in text
    assert "counted by itself" in text
    assert "no task" in text
    assert "runaways" not in text


def test_nothing_used_names_the_next_command() -> None:
    nothing = replace(REPORT, today=Spend(), week=Spend(), month=Spend())
    text = cost_report_text(nothing, "notify-hub", 80)
    assert "Nothing was used in the last 30 days." in text
    assert "teamops up" in text
    assert "teamops usage" in text


def test_hostile_names_are_one_clean_line() -> None:
    bad = replace(REPORT.tasks[0], name="a\x1b[31m\nb" + "x" * 500)
    text = cost_report_text(replace(REPORT, tasks=(bad,)), "x", 80)
    assert "\x1b" not in text
    assert all(cells(line) <= 80 for line in text.splitlines())


def test_every_verdict_has_its_symbol() -> None:
    assert set(VERDICTS) == set(Verdict)
    assert len(set(VERDICTS.values())) == len(Verdict)
