"""Many lines of text that scroll, broken at blanks; only what is seen is drawn."""

from __future__ import annotations

from textual import events
from textual.scroll_view import ScrollView
from textual.strip import Strip

from teamops.tui import keys
from teamops.tui.scrolling import set_lines
from teamops.tui.strips import Line, wrap
from teamops.tui.theme import Palette


class Sheet(ScrollView, can_focus=True):
    """Lines to read."""

    DEFAULT_CSS = """
    Sheet { overflow-x: hidden; scrollbar-size-vertical: 1; height: 1fr; padding: 0 1; }
    """
    BINDINGS = keys.bindings(only=("down", "up", "page_down", "page_up", "first", "last"))

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.palette = palette
        self._lines: list[Line] = []
        self._strips: list[Strip] = []

    @property
    def text_width(self) -> int:
        """Cells for text; one is kept for the scroll bar, so that it needs no new break when that appears."""
        return max(8, self.size.width - 1)

    def show(self, lines: list[Line]) -> None:
        """Show ``lines``; the person stays where they are in them."""
        self._lines = lines
        self._break()

    def _break(self) -> None:
        width = self.text_width
        before, self._strips = self._strips, [strip for line in self._lines for strip in wrap(line, width)]
        if len(before) != len(self._strips):
            set_lines(self, len(self._strips))
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._strips, strict=True)):
            if old != new:
                self.refresh_line(y)

    def on_resize(self, _event: events.Resize) -> None:
        """Break anew."""
        self._break()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        width = self.scrollable_content_region.width
        place = y + self.scroll_offset.y
        strip = self._strips[place].adjust_cell_length(width) if place < len(self._strips) else Strip.blank(width)
        return strip.apply_style(self.rich_style)

    def action_down(self) -> None:
        """Scroll down a line."""
        self.scroll_relative(y=1, animate=False)

    def action_up(self) -> None:
        """Scroll up a line."""
        self.scroll_relative(y=-1, animate=False)

    def action_page_down(self) -> None:
        """Scroll down a page."""
        self.scroll_relative(y=max(1, self.size.height - 1), animate=False)

    def action_page_up(self) -> None:
        """Scroll up a page."""
        self.scroll_relative(y=-max(1, self.size.height - 1), animate=False)

    def action_first(self) -> None:
        """Scroll to the top."""
        self.scroll_to(y=0, animate=False)

    def action_last(self) -> None:
        """Scroll to the end."""
        self.scroll_to(y=self.max_scroll_y, animate=False)
