"""The time bar of a replay: the moment, how fast it goes, and the whole day with what happened in it."""

from __future__ import annotations

from textual.strip import Strip
from textual.widget import Widget

from teamops.model.replay import MarkKind, RecordedDay
from teamops.tui import keys
from teamops.tui.strips import Line, spread
from teamops.tui.theme import Palette

ALERT, RESTART, TURN = "▲", "↻", "•"
QUIET, UNSEEN, UNKNOWN = "─", "░", "·"
NOW, NOW_MARKED = "┃", "◆"
"""Where the moment is; the second where something happened in the same cell."""
_SYMBOLS = {MarkKind.ALERT: ALERT, MarkKind.RESTART: RESTART, MarkKind.TURN: TURN}
_ORDER = (MarkKind.ALERT, MarkKind.RESTART, MarkKind.TURN)
"""Of several in one cell the first of these is shown."""
_HINTS = ("play", "later", "later_alert", "go_to")


class TimeBar(Widget):
    """Two lines over the key bar."""

    DEFAULT_CSS = "TimeBar { dock: bottom; height: 2; margin-bottom: 1; background: $panel; }"

    def __init__(self, palette: Palette, day: RecordedDay) -> None:
        super().__init__(classes="timebar")
        self.palette = palette
        self.day = day
        self._wall = day.since_wall
        self._clock = ""
        self._gap = ""
        self._speed = 1
        self._playing = False

    def show(self, wall: float, clock: str, gap: str, *, speed: int, playing: bool) -> None:
        """Show the moment ``wall``; ``gap``: the span in words in which nobody watched, if it lies in one."""
        now = (wall, clock, gap, speed, playing)
        if now != (self._wall, self._clock, self._gap, self._speed, self._playing):
            self._wall, self._clock, self._gap, self._speed, self._playing = now
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        width = self.size.width
        line = self._words(width) if y == 0 else Line().add(" ").put(self.track(max(1, width - 2))).add(" ")
        return line.strip(width).apply_style(self.rich_style)

    def _words(self, width: int) -> Line:
        colours = self.palette
        left = Line().add(" ▶ " if self._playing else " ‖ ", colours.accent)
        left.add("playing" if self._playing else "paused", colours.strong).add(f" {self._speed}\u00d7  ", colours.text)
        left.add(f"{self.day.day} {self._clock}", colours.strong)
        if self._gap:
            left.add(f"  {UNSEEN} not observed {self._gap}", colours.warn)
        right = Line()
        for act_id in _HINTS:
            act = keys.act(act_id)
            hint = Line().add(keys.shown(act.keys[0]), colours.key).add(f" {act.label}  ", colours.dim)
            if left.width + right.width + hint.width < width:
                right.put(hint)
        return spread(left, right, width)

    def track(self, width: int) -> Line:
        """Return the day in ``width`` cells: what happened in each, and where the moment is."""
        colours = self.palette
        signs = self._signs(width)
        here = self._place(self._wall, width)
        styles = {ALERT: colours.bad, RESTART: colours.warn, TURN: colours.info, UNSEEN: colours.faint}
        line = Line()
        for place, sign in enumerate(signs):
            if place == here:
                line.add(NOW if sign in (QUIET, UNSEEN, UNKNOWN) else NOW_MARKED, colours.chip)
            else:
                line.add(sign, styles.get(sign, colours.dim))
        return line

    def _signs(self, width: int) -> list[str]:
        day = self.day
        step = (day.until_wall - day.since_wall) / width or 1.0
        signs = []
        for place in range(width):
            middle = day.since_wall + (place + 0.5) * step
            if day.watched_from is None or middle < day.watched_from:
                signs.append(UNKNOWN)
            else:
                signs.append(UNSEEN if any(begins <= middle < ends for begins, ends in day.gaps) else QUIET)
        kinds: dict[int, set[MarkKind]] = {}
        for mark in day.marks:
            kinds.setdefault(self._place(mark.wall, width), set()).add(mark.kind)
        for place, found in kinds.items():
            signs[place] = _SYMBOLS[next(kind for kind in _ORDER if kind in found)]
        return signs

    def _place(self, wall: float, width: int) -> int:
        day = self.day
        share = (wall - day.since_wall) / ((day.until_wall - day.since_wall) or 1.0)
        return min(width - 1, max(0, int(share * width)))
