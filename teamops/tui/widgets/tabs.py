"""Which of several panes shows, where only one fits."""

from __future__ import annotations

from textual import events
from textual.strip import Strip
from textual.widget import Widget

from teamops.tui.strips import Line
from teamops.tui.theme import Palette


class Tabs(Widget):
    """One line of tab names on a rule."""

    DEFAULT_CSS = "Tabs { height: 1; }"

    def __init__(self, palette: Palette, first: int = 2) -> None:
        super().__init__(id="tabs")
        self.palette = palette
        self.first = first
        """The number of the first pane: a click on it is its key."""
        self._titles: list[str] = []
        self._chosen = 0
        self._beside: int | None = None
        self._alert = False
        self._focused = False

    def show(self, titles: list[str], chosen: int, *, alert: bool, focused: bool, beside: int | None = None) -> None:
        """Show ``titles``, one of them chosen, another ``beside`` it; ``alert``: there are open alerts."""
        now = (titles, chosen, alert, focused, beside)
        if now != (self._titles, self._chosen, self._alert, self._focused, self._beside):
            self._titles, self._chosen, self._alert, self._focused, self._beside = now
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - one line only
        """Return the line."""
        colours = self.palette
        rule = ("━", colours.accent) if self._focused else ("─", colours.rule)
        line = Line()
        for place, title in enumerate(self._titles):
            chosen = place == self._chosen
            style = colours.dim
            if chosen:
                style = colours.accent if self._focused else colours.strong
            elif place == self._beside:
                style = colours.strong
            elif self._alert and place == 1:
                style = colours.bad
            mark = "▸" if chosen else "▹" if place == self._beside else " "
            line.add(*rule).add(f" {mark}{title} ", style)
        return (
            line.add(rule[0] * max(0, self.size.width - line.width), rule[1])
            .strip(self.size.width)
            .apply_style(self.rich_style)
        )

    async def on_click(self, event: events.Click) -> None:
        """Choose the clicked tab."""
        end = 0
        for place, title in enumerate(self._titles):
            end += len(title) + 4
            if event.x < end:
                await self.run_action(f"screen.pane({place + self.first})")
                return
