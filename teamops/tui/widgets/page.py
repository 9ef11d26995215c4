"""Some lines of text as high as they are; long ones are broken."""

from __future__ import annotations

from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from teamops.tui.strips import Line, wrap
from teamops.tui.theme import Palette


class Page(Widget):
    """Draws lines, broken at blanks to its width."""

    DEFAULT_CSS = "Page { height: auto; width: 1fr; }"

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.palette = palette
        self._lines: list[Line] = []
        self._strips: list[Strip] = []
        self._broken_for = -1

    def show(self, lines: list[Line]) -> None:
        """Show ``lines``."""
        self._lines = lines
        before = self._strips
        self._break(self.size.width)
        if len(before) != len(self._strips):
            self.refresh(layout=True)
            return
        width = self.size.width
        regions = [Region(0, y, width, 1) for y, old in enumerate(before) if old != self._strips[y]]
        if regions:
            self.refresh(*regions)

    def _break(self, width: int) -> None:
        self._broken_for = width
        self._strips = [strip for line in self._lines for strip in wrap(line, max(8, width))]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """Return the lines it takes in ``width``."""
        if width != self._broken_for:
            self._break(width)
        return len(self._strips)

    def on_resize(self, event: events.Resize) -> None:
        """Break anew."""
        if event.size.width != self._broken_for:
            self._break(event.size.width)
            self.refresh(layout=True)

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)
        return strip.apply_style(self.rich_style)
