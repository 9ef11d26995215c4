"""What got past the boundaries and what was refused, in rows."""

from __future__ import annotations

from dataclasses import dataclass

from textual.strip import Strip

from teamops.model.boundary import Decision, Violation
from teamops.tui import boundary_words, words
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.rows import RowView

ROOMY = 100
"""From so many cells a row has its rule too."""


@dataclass(frozen=True, slots=True)
class CrossedRow:
    """A violation, and its age as drawn."""

    violation: Violation
    age: str


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A decision, and its age as drawn."""

    decision: Decision
    age: str


class BoundaryList(RowView):
    """One line each: what became of it, how long ago, whose it was, where, how much."""

    tails = True

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="boundaries")

    def identity(self, row: object) -> object:
        """A violation is its number, a refusal what was refused to whom by which rule, within its ten minutes."""
        if isinstance(row, CrossedRow):
            return row.violation.id
        if isinstance(row, RefusedRow):
            one = row.decision
            return one.role, one.verdict, one.rule, one.about, one.why, int(one.wall // 600)
        return row

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return the row's line."""
        if isinstance(row, CrossedRow):
            violation = row.violation
            symbol, style = boundary_words.STATES[violation.state]
            state, role = violation.state.value, violation.roles[0] if violation.roles else words.NOTHING
            role += "?" if violation.roles and not (violation.direct and len(violation.roles) == 1) else ""
            about, rule, right = violation.path, violation.rule, boundary_words.size(violation)
        elif isinstance(row, RefusedRow):
            symbol, state, style = boundary_words.VERDICTS[row.decision.verdict]
            role, about, rule = row.decision.role, row.decision.about or words.NOTHING, row.decision.rule
            right = f"\u00d7{words.count(row.decision.times)}" if row.decision.times > 1 else ""
        else:
            raise TypeError(row)
        colours = self.palette
        line = Line().add(f"{words.CURSOR} " if chosen else "  ", colours.accent)
        line.add(f"{symbol} {state}", colours.named(style), 13).add(" ")
        line.add(row.age, colours.dim, 5, "right").add("  ").add(role, colours.text, 11).add(" ")
        if width >= ROOMY:
            line.add(rule, colours.dim, 28).add(" ")
        line.add(about, colours.strong, max(1, width - line.width - 11)).add(right, colours.dim, 10, "right")
        return [line.strip(width, colours.cursor if chosen else None)]
