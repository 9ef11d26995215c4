"""Which of the lower panes shows, where only one fits."""

from __future__ import annotations

from textual import events
from textual.strip import Strip
from textual.widget import Widget

from teamops.tui.strips import Line
from teamops.tui.theme import Palette


class Tabs(Widget):
    """One line of tab names on a rule."""

    DEFAULT_CSS = "Tabs { height: 1; }"

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="tabs")
        self.palette = palette
        self._titles: list[str] = []
        self._chosen = 0
        self._alert = False
        self._focused = False

    def show(self, titles: list[str], chosen: int, *, alert: bool, focused: bool) -> None:
        """Show ``titles``, one of them chosen; ``alert``: there are open alerts."""
        if (titles, chosen, alert, focused) != (self._titles, self._chosen, self._alert, self._focused):
            self._titles, self._chosen, self._alert, self._focused = titles, chosen, alert, focused
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
            elif self._alert and place == 1:
                style = colours.bad
            line.add(*rule).add(f" ▸{title} " if chosen else f"  {title} ", style)
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
                await self.run_action(f"screen.pane({place + 2})")
                return
