"""A task's blocks in time: when, who to whom, at which stage, how long and at what cost, what it said."""

from __future__ import annotations

from textual.strip import Strip

from teamops.model.protocol import TimelineEntry
from teamops.model.spend import Spend
from teamops.tui import words
from teamops.tui.chain import when
from teamops.tui.costs import COST_CELLS
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.rows import RowView

ROOMY = 100
"""From so many cells a finding has its code, and tokens are told; below, there is a number of findings."""


class Timeline(RowView):
    """One line a block, newest first."""

    head_height = 1
    tails = True

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="timeline")

    def identity(self, row: object) -> object:
        """A block is its place in the file."""
        return row.index if isinstance(row, TimelineEntry) else row

    def draw_head(self, width: int) -> list[Strip]:
        """Return the names of the columns."""
        line = Line().add("  ").add("when", self.palette.faint, 12).add("who", self.palette.faint, 10)
        line.add("gives it to", self.palette.faint, 12).add("while at", self.palette.faint, 14)
        line.add("held", self.palette.faint, 5, "right").add("used", self.palette.faint, COST_CELLS + 1, "right")
        line.add("tokens", self.palette.faint, 8 if width >= ROOMY else 0, "right").add(" said", self.palette.faint)
        return [line.strip(width)]

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return the block's line."""
        if not isinstance(row, TimelineEntry):
            raise TypeError(row)
        colours = self.palette
        line = Line().add(f"{words.CURSOR} " if chosen else "  ", colours.accent)
        line.add(when(row.wall), colours.faint, 12).add(row.role, colours.strong, 9).add(" ")
        line.add(f"→ {row.turn}" if row.turn else words.NOTHING, colours.accent, 11).add(" ")
        line.add(row.stage.value, colours.text, 13).add(" ")
        line.add(words.age(row.seconds), colours.dim, 5, "right")
        spend = row.used.spend if row.used is not None else Spend()
        told = words.money(spend.cost_usd, spend.unpriced_tokens)
        line.add(told, colours.warn if spend.unpriced_tokens else colours.text, COST_CELLS + 1, "right")
        tokens = words.count(spend.tokens.total) if spend.responses else words.NOTHING
        line.add(tokens, colours.dim, 8 if width >= ROOMY else 0, "right").add(" ")
        if row.findings:
            wrong = ", ".join(row.findings) if width >= ROOMY else str(len(row.findings))
            line.add(f"✖ {wrong}  ", colours.bad)
        line.add(row.verdict or row.status, colours.info if row.verdict else colours.dim, max(1, width - line.width))
        return [line.strip(width, colours.cursor if chosen else None)]
