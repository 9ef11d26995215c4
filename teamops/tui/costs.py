"""What lights, tasks and cycles cost, in few cells. What has no known price is ``?``."""

from __future__ import annotations

from collections.abc import Mapping

from teamops.model.protocol import TaskReport
from teamops.model.spend import CycleCost, Spend
from teamops.tui import words
from teamops.tui.chain import heading
from teamops.tui.strips import Line
from teamops.tui.theme import Palette

COST_CELLS = 7
"""For a cost in a column."""


def cost(spend: Spend) -> str:
    """Return what a sum cost; ``—`` where nothing was used."""
    return words.money(spend.cost_usd, spend.unpriced_tokens)


def cost_lines(report: TaskReport, palette: Palette) -> list[Line]:
    """Return what a task cost, by role and by stage."""
    spend = report.spend
    if spend is None or not spend.total.responses:
        return [
            *heading("Cost", palette),
            Line().add("  Nothing was used under its lights, as far as is known.", palette.dim),
        ]
    whole = spend.total
    told = f"{cost(whole)}, {words.count(whole.tokens.total)} tokens"
    lines = heading("Cost", palette, told if spend.exact else f"{told}, to the minute")
    lines += _parts("by role", {str(role): part for role, part in spend.by_role.items()}, palette)
    lines += _parts("by stage", {stage.value: part for stage, part in spend.by_stage.items()}, palette)
    if spend.now is not None and spend.now.spend.responses:
        lines += _parts("so far", {str(spend.now.role): spend.now.spend}, palette)
    return lines


def _parts(title: str, parts: Mapping[str, Spend], palette: Palette) -> list[Line]:
    lines = []
    for name, part in parts.items():
        if part.responses:
            line = Line(hang=12).add(f"  {title}", palette.faint, 12).add(name, palette.strong, 14)
            line.add(cost(part), palette.text, 10, "right")
            lines.append(line.add(f"  {words.count(part.tokens.total)} tokens", palette.dim))
            title = ""
    return lines


def cycle_words(cycle: CycleCost) -> str:
    """Return what an agent's cycles cost."""
    last = cost(cycle.last) if cycle.last.unpriced_tokens else words.fine_money(cycle.last.cost_usd)
    told = [f"last {last}"]
    if cycle.count > cycle.unpriced:
        told += [f"median {words.fine_money(cycle.median_usd)}", f"mean {words.fine_money(cycle.mean_usd)}"]
    told.append(f"{words.count(cycle.median_tokens)} tokens")
    unpriced = f", {cycle.unpriced} without a price" if cycle.unpriced else ""
    return f"{', '.join(told)} (of {cycle.count}{unpriced})"
