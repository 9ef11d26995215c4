"""What a project's agents cost, for programs (``teamops.cost/1``) and for people (``teamops cost``)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from teamops.model.agent_report import SpikeRecord
from teamops.model.cost_report import Burn, CostReport, Period, Share, Verdict
from teamops.model.snapshot import Snapshot
from teamops.model.text import clean_line
from teamops.report.agent import spike_json
from teamops.report.spend import cost_text, spend_json, tokens_text
from teamops.report.table import table, wrapped
from teamops.report.times import iso, moment, span

SCHEMA: Final = "teamops.cost/1"
VERDICTS: Final = {
    Verdict.NO_BUDGET: "·",
    Verdict.UNKNOWN: "?",
    Verdict.WITHIN: "✓",
    Verdict.OVER: "▲",
    Verdict.SPENT: "■",
}
NO_LIGHT, NO_TASK, OWN_COUNT = "without a light", "no task", "counted by itself"
NOTHING_USED: Final = (
    "Nothing was used in the last 30 days. teamops up starts the team; teamops usage reads the logs of all projects."
)
_LEVELS = "▁▂▃▄▅▆▇█"
_SHOWN_SPIKES = 5


def cost_json(report: CostReport, snapshot: Snapshot) -> dict[str, Any]:
    """Return the report in the shape ``teamops.cost/1``: the dearest first, what goes with time oldest first.

    Only runaways are newest first.
    """
    return {
        "schema": SCHEMA,
        "project": snapshot.project,
        "at": iso(report.wall),
        "timezone": report.timezone or report.local(report.wall).tzname(),
        "day": {"from": iso(report.day_since_wall), "until": iso(report.day_until_wall)},
        "today": spend_json(report.today),
        "days_7": spend_json(report.week),
        "days_30": spend_json(report.month),
        "burn": _burn_json(report.burn),
        "by_agent": [{"agent": one.name, **_share_json(one)} for one in report.agents],
        "by_model": [{"model": one.name or None, **_share_json(one)} for one in report.models],
        "by_task": [
            {"task": one.name or None, "light": one.name is not None, **_share_json(one)} for one in report.tasks
        ],
        "hours": [_period_json(one) for one in report.hours],
        "days": [_period_json(one) for one in report.days],
        "spikes": [{"agent": record.role, **spike_json(record)} for record in report.spikes],
        "troubles": list(snapshot.troubles),
    }


def _burn_json(burn: Burn) -> dict[str, Any]:
    return {
        "last_hour_usd_per_hour": _rounded(burn.hour_usd),
        "today_usd_per_hour": _rounded(burn.day_usd),
        "forecast_usd": _rounded(burn.forecast_usd),
        "budget_usd": _rounded(burn.limit_usd),
        "verdict": burn.verdict.value,
        "spent_by": iso(burn.spent_by_wall),
    }


def _rounded(usd: Decimal | None) -> float | None:
    return None if usd is None else round(float(usd), 6)


def _share_json(share: Share) -> dict[str, Any]:
    return {
        "today": spend_json(share.today),
        "days_7": spend_json(share.week),
        "days_30": spend_json(share.month),
    }


def _period_json(period: Period) -> dict[str, Any]:
    return {"from": iso(period.since_wall), "until": iso(period.until_wall), **spend_json(period.spend)}


def cost_report_text(report: CostReport, project: str, width: int) -> str:
    """Return the report for a person."""
    lines = [f"{project}: costs on {report.local(report.wall):%Y-%m-%d} ({report.zone_words})"]
    if not report.month.responses:
        return "\n".join([*lines, *wrapped(NOTHING_USED, width)])
    sums = (("today", report.today), ("7 days", report.week), ("30 days", report.month))
    lines.append("   ".join(f"{name} {cost_text(spend)}" for name, spend in sums))
    lines.append(f"burn rate {report.burn.rate_words}")
    lines += wrapped(f"{VERDICTS[report.burn.verdict]} {forecast_line(report)}", width, "", "  ")
    hours, days = ([one.spend.cost_usd for one in periods] for periods in (report.hours, report.days))
    lines.append(f"hours of today  {_strip(hours)}")
    lines.append(f"last 30 days    {_strip(days)}")
    for title, shares in (("agent", report.agents), ("model", report.models), ("task", report.tasks)):
        lines += ["", _shares(title, shares, width)]
    if report.month.unpriced_tokens or any(one.month.unpriced_tokens for one in report.models):
        lines += ["", *wrapped("?: tokens whose model has no known price; [prices] in teamops.toml can say it.", width)]
    if report.spikes:
        lines += ["", f"runaways, the last {min(_SHOWN_SPIKES, len(report.spikes))} of {len(report.spikes)}:"]
        for record in report.spikes[:_SHOWN_SPIKES]:
            lines += wrapped(_spike_words(record, report.wall), width, "  ", "    ")
    return "\n".join(lines)


def forecast_line(report: CostReport) -> str:
    """Return the forecast, with the moment at which the budget will be spent."""
    by = report.burn.spent_by_wall
    return report.burn.forecast_words + ("" if by is None else f": spent at {report.local(by):%H:%M}")


def _shares(title: str, shares: Sequence[Share], width: int) -> str:
    fallback = {"task": NO_TASK, "model": OWN_COUNT}.get(title, "?")
    rows = []
    for share in shares:
        tokens = share.month.tokens
        name = NO_LIGHT if share.name is None else clean_line(share.name, 60) or fallback
        costs = (cost_text(spend) for spend in (share.today, share.week, share.month))
        counts = (tokens_text(count) for count in (tokens.input, tokens.output, tokens.cache_write, tokens.cache_read))
        rows.append((name, *costs, *counts))
    return table((title, "today", "7 days", "30 days", "input", "output", "cache write", "read"), rows, width, (0,))


def _spike_words(record: SpikeRecord, now: float) -> str:
    lasted = "it lasts" if record.ended_wall is None else f"over in {span(record.ended_wall - record.began_wall)}"
    cost = f"${record.cost_usd:,.2f} in it"
    return f"{moment(record.began_wall, now)} {record.role}, {lasted}: {record.why}; {record.tokens:,} tokens, {cost}"


def _strip(values: Sequence[Decimal]) -> str:
    """Return values as blocks, the newest at the right; a dot is nothing."""
    top = max(values, default=Decimal(0))
    return "".join("·" if value <= 0 else _LEVELS[min(7, int(value / top * 8))] for value in values)
