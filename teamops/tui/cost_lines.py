"""The head of the cost screen: totals, how fast dollars go, and where that leads."""

from __future__ import annotations

from typing import Final

from teamops.model.cost_report import CostReport, Verdict
from teamops.tui import words
from teamops.tui.strips import Line
from teamops.tui.theme import Palette

VERDICTS: Final[dict[Verdict, tuple[str, str]]] = {
    Verdict.NO_BUDGET: ("·", "dim"),
    Verdict.UNKNOWN: ("?", "warn"),
    Verdict.WITHIN: ("✓", "ok"),
    Verdict.OVER: ("▲", "warn"),
    Verdict.SPENT: ("■", "bad"),
}
"""How the forecast stands to the budget → its symbol and its palette role; the words stand beside it."""
SPANS: Final = ("today", "7 days", "30 days")


def head_lines(report: CostReport, palette: Palette) -> list[Line]:
    """Return totals, burn rate and forecast."""
    line = Line(hang=2).add("Costs", palette.accent)
    for name, spend in zip(SPANS, (report.today, report.week, report.month), strict=True):
        text = words.money(spend.cost_usd, spend.unpriced_tokens)
        line.add(f"  {name} ", palette.dim).add(text, palette.warn if "?" in text else palette.strong)
    line.add(f"  days in {report.zone_words}", palette.faint)
    burn = report.burn
    symbol, style = VERDICTS[burn.verdict]
    by = "" if burn.spent_by_wall is None else f": spent at {report.local(burn.spent_by_wall):%H:%M}"
    return [
        line,
        Line(hang=2).add("burn rate ", palette.dim).add(burn.rate_words, palette.text),
        Line(hang=2)
        .add(f"{symbol} ", palette.named(style))
        .add(f"{burn.forecast_words}{by}", palette.named(style) if burn.limit_usd is not None else palette.text),
    ]
