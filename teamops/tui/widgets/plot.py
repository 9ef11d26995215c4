"""A plot in a pane: drawn in a thread, drawn again where its figures or its room are others."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from teamops.tui import keys
from teamops.tui.strips import Line
from teamops.tui.theme import Palette

Draw = Callable[[int, int], list[Line]]
"""Width and height → lines; called in a thread."""


class PlotView(Widget, can_focus=True):
    """Shows the lines of a plot."""

    DEFAULT_CSS = "PlotView { height: 1fr; padding: 0 1; }"
    BINDINGS = keys.bindings(only=("down", "up"))

    class Wanted(Message):
        """It has to be drawn: ``draw`` gives the lines, ``take`` takes them."""

        def __init__(self, view: PlotView, draw: Callable[[], list[Line]]) -> None:
            super().__init__()
            self.view = view
            self.draw = draw

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.palette = palette
        self._told: object = None
        self._draw: Draw | None = None
        self._lines: list[Line] = []
        self._asked: tuple[object, int, int] | None = None

    def show(self, figures: object, draw: Draw) -> None:
        """Show what ``draw`` gives; equal ``figures`` look the same."""
        self._told, self._draw = figures, draw
        self._ask()

    def say(self, *texts: str) -> None:
        """Show words instead of a plot."""
        self._told = self._draw = self._asked = None
        first, *rest = texts
        self.take([Line(), Line().add(first, self.palette.text), *(Line().add(one, self.palette.dim) for one in rest)])

    def take(self, lines: list[Line]) -> None:
        """Take the lines that were drawn."""
        self._lines = lines
        self.refresh()

    def _ask(self) -> None:
        draw, width, height = self._draw, self.content_size.width, self.content_size.height
        asked = (self._told, width, height)
        if draw is not None and self.display and width and asked != self._asked:
            self._asked = asked
            self.post_message(self.Wanted(self, lambda: draw(width, height)))

    def on_resize(self, _event: events.Resize) -> None:
        """Draw for the new room."""
        self._ask()

    def on_show(self) -> None:
        """Draw what was told while it was hidden."""
        self._ask()

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        width = self.size.width
        strip = self._lines[y].strip(width) if y < len(self._lines) else Strip.blank(width)
        return strip.apply_style(self.rich_style)

    def action_down(self) -> None:
        """Do nothing: all of a plot is seen."""

    def action_up(self) -> None:
        """Do nothing: all of a plot is seen."""
