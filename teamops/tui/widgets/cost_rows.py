"""What agents, models and tasks cost, in rows; and the runaways of all agents."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from textual.strip import Strip

from teamops.model.cost_report import Share
from teamops.model.spend import Spend
from teamops.tui import words
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.agent_rows import SpikeList, SpikeRow
from teamops.tui.widgets.rows import RowView

MONEY: Final = 9
"""Cells for a sum: "$1,234+?" and a blank."""
TOKENS: Final = 6
LEAST_NAME, MOST_NAME, LONGEST_BAR = 16, 34, 24
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One line of a table, as drawn."""

    name: str
    known: bool
    """The name is its own; otherwise it says what has none."""
    share: Share
    chosen: Spend
    """Of the span that is shown: its tokens and its bar."""
    most: Decimal
    """The dearest of that span: it has the longest bar."""


class ShareList(RowView):
    """Costs, the dearest first: today, 7 days, 30 days, a bar, and the tokens of one of these spans."""

    head_height = 1

    def __init__(self, palette: Palette, what: str, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(palette, id=id)
        self.what = what
        self.span = 0
        """Which of the three sums is chosen."""

    def identity(self, row: object) -> object:
        """A row is its name."""
        return row.share.name if isinstance(row, ShareRow) else row

    def _widths(self, width: int) -> tuple[int, int]:
        """Return cells for the name and for the bar."""
        rest = width - 2 - 3 * MONEY - 4 * TOKENS - 2
        name = min(MOST_NAME, max(LEAST_NAME, rest * 2 // 3))
        return name, max(0, min(LONGEST_BAR, rest - name))

    def draw_head(self, width: int) -> list[Strip]:
        """Return the names of the columns; a mark stands before the span that is chosen."""
        colours, (name, bar) = self.palette, self._widths(width)
        line = Line().add("", None, 2).add(self.what, colours.faint, name)
        for place, title in enumerate(("today", "7 days", "30 days")):
            chosen = place == self.span
            line.add(f"▾{title}" if chosen else title, colours.strong if chosen else colours.faint, MONEY, "right")
        line.add("  ").add("", None, bar)
        for title in ("in", "out", "write", "read"):
            line.add(title, colours.faint, TOKENS, "right")
        return [line.strip(width)]

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return its line."""
        if not isinstance(row, ShareRow):
            raise TypeError(row)
        colours, (name, bar) = self.palette, self._widths(width)
        line = Line().add(f"{words.CURSOR} " if chosen else "  ", colours.accent)
        line.add(row.name, colours.strong if row.known else colours.dim, name - 1).add(" ")
        for place, spend in enumerate((row.share.today, row.share.week, row.share.month)):
            text = words.money(spend.cost_usd, spend.unpriced_tokens)
            style = colours.faint if text == words.NOTHING else colours.warn if "?" in text else colours.text
            line.add(text, colours.strong if place == self.span and style is colours.text else style, MONEY, "right")
        line.add("  ").add(bar_of(row.chosen.cost_usd, row.most, max(0, bar - 1)), colours.cost, bar)
        tokens = row.chosen.tokens
        for count in (tokens.input, tokens.output, tokens.cache_write, tokens.cache_read):
            text = words.count(count) if count else words.NOTHING
            line.add(text, colours.dim if count else colours.faint, TOKENS, "right")
        return [line.strip(width, colours.cursor if chosen else None)]


class TeamSpikeList(SpikeList):
    """Runaways of all agents, newest first; why one did so begins with who it was."""

    def identity(self, row: object) -> object:
        """A spike is its agent's, at the moment it began."""
        return (row.record.role, row.record.began_wall) if isinstance(row, SpikeRow) else row


def bar_of(value: Decimal, most: Decimal, width: int) -> str:
    """Return a bar of at most ``width`` cells; what cost anything has at least a sliver."""
    if value <= 0 or most <= 0 or width <= 0:
        return ""
    eighths = max(1, int(value / most * width * 8))
    whole, part = divmod(eighths, 8)
    return ("█" * whole + _EIGHTHS[part]).rstrip()
