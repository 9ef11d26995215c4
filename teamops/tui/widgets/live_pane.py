"""An agent's pane as it is now: its colours, and nothing else of its escapes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from teamops.model.text import clean_colours
from teamops.tui import keys
from teamops.tui.strips import Line, plain
from teamops.tui.theme import Palette

MOST_LINES: Final = 500
MOST_SIGNS: Final = 1000
"""Of one line of a pane: no terminal is wider."""


class LivePane(ScrollView, can_focus=True):
    """What the agent's screen shows: its colours, and nothing else of its escapes."""

    DEFAULT_CSS = """
    LivePane { scrollbar-size: 1 1; height: 1fr; }
    """
    BINDINGS = keys.bindings(only=("down", "up", "page_down", "page_up", "first", "last"))

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="live")
        self.palette = palette
        self._strips: list[Strip] = []
        self._text: str | None = None
        self._said: tuple[str, ...] = ()

    def show(self, text: str) -> None:
        """Show ``text``; lines that did not change are not drawn again."""
        if text == self._text:
            return
        self._text, self._said = text, ()
        old, self._strips = self._strips, strips_of(text)
        while self._strips and not self._strips[-1].text.strip():
            self._strips.pop()
        if len(old) != len(self._strips):
            width = max((strip.cell_length for strip in self._strips), default=0)
            self.virtual_size = Size(width, len(self._strips))
            self.refresh()
            return
        for y, (before, now) in enumerate(zip(old, self._strips, strict=True)):
            if before != now:
                self.refresh_line(y)

    def say(self, *told: str) -> None:
        """Show words instead of a pane, one line each."""
        if told == self._said:
            return
        self._text, self._said = None, told
        styles = (self.palette.text, *(self.palette.dim for _ in told[1:]))
        lines = [Line().add(text, style) for text, style in zip(told, styles, strict=True)]
        self._strips = [line.strip(max(1, line.width)) for line in lines]
        self.virtual_size = Size(0, len(lines))
        self.scroll_to(x=0, y=0, animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        x, top = self.scroll_offset
        width = self.scrollable_content_region.width
        if y + top >= len(self._strips):
            return Strip.blank(width, self.rich_style)
        strip = self._strips[y + top].crop(x, x + width).adjust_cell_length(width)
        return strip.apply_style(self.rich_style)

    def action_down(self) -> None:
        """Scroll down a line."""
        self.scroll_relative(y=1, animate=False)

    def action_up(self) -> None:
        """Scroll up a line."""
        self.scroll_relative(y=-1, animate=False)

    def action_page_down(self) -> None:
        """Scroll down a page."""
        self.scroll_relative(y=self.size.height, animate=False)

    def action_page_up(self) -> None:
        """Scroll up a page."""
        self.scroll_relative(y=-self.size.height, animate=False)

    def action_first(self) -> None:
        """Scroll to the top."""
        self.scroll_to(y=0, animate=False)

    def action_last(self) -> None:
        """Scroll to the end."""
        self.scroll_to(y=self.max_scroll_y, animate=False)


def strips_of(text: str) -> list[Strip]:
    """Return a pane's text as strips: SGR colours kept, every other escape and control dropped."""
    strips = []
    for whole in Text.from_ansi(clean_colours(text).expandtabs(8)).split("\n", allow_blank=True)[:MOST_LINES]:
        line = whole[:MOST_SIGNS]
        segments = []
        at = 0
        spans = sorted({0, len(line.plain), *(edge for span in line.spans for edge in (span.start, span.end))})
        for start, end in pairwise(spans):
            style = _sum(
                span.style
                for span in line.spans
                if span.start <= start and span.end >= end and isinstance(span.style, Style)
            )
            segments.append(Segment(plain(line.plain[start:end]), style.update_link(None) if style.link else style))
            at = end
        strips.append(Strip(segments) if at else Strip.blank(0))
    return strips


def _sum(styles: Iterable[Style]) -> Style:
    total = Style.null()
    for style in styles:
        total += style
    return total
