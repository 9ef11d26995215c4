"""Alerts and events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from textual.strip import Strip

from teamops.model.alert import Alert, AlertState
from teamops.model.snapshot import LogLine
from teamops.tui import words
from teamops.tui.strips import Line, spread
from teamops.tui.theme import Palette
from teamops.tui.widgets.rows import RowView


class AlertRow(Struct, frozen=True):
    """An alert and its age as drawn."""

    alert: Alert
    age: str
    silence: str = ""
    """How long it is silenced for yet; empty = it is not."""
    held: str = ""
    """Until when the cap holds it back; empty = it does not."""


class AlertsPane(RowView):
    """What needs its person, each with what to do."""

    row_height = 3

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="alerts")
        self.empty = ("✓ Nothing needs you.", "Stale handoffs, dead agents and the like appear here.")

    def show(self, rows: Sequence[object]) -> None:
        """Show ``rows``; the cursor stays on its alert while the person is here, and else waits on the newest."""
        self.tails = self.screen.focused is not self
        if self.tails and self.cursor:
            self.cursor = 0
            self.redraw()
        if self.tails and self.scroll_offset.y:
            self.scroll_to(y=0, animate=False)
        super().show(rows)

    def identity(self, row: object) -> object:
        """An alert is its cause."""
        return row.alert.key if isinstance(row, AlertRow) else row

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return severity, cause and age; what happened; what to do."""
        if not isinstance(row, AlertRow):
            raise TypeError(row)
        alert, colours = row.alert, self.palette
        symbol, style = words.SEVERITIES[alert.severity]
        quiet = bool(row.silence) or alert.state in (AlertState.ACKED, AlertState.RESOLVED)
        loud = colours.dim if quiet else colours.named(style)
        head = Line().add(f"{words.CURSOR} " if chosen else "  ", colours.accent)
        head.add(f"{symbol} {alert.severity} ", loud).add(alert.code, colours.dim if quiet else colours.strong)
        told = row.silence or row.held or f"{words.ALERT_STATES[alert.state]} {row.age}"
        state = Line().add(f"{told} ", colours.dim if quiet else loud)
        if alert.agent and head.width + len(alert.agent) + 2 + state.width <= width:
            head.add(f" {alert.agent}", colours.dim)
        head = spread(head, state, width)
        message = Line().add("    ").add(alert.message, colours.dim if quiet else colours.text, max(1, width - 5))
        todo = Line().add("    ").add(f"→ {alert.do}" if alert.do else "", colours.dim, max(1, width - 5))
        base = colours.cursor if chosen else None
        return [line.strip(width, base) for line in (head, message, todo)]


SMALL = 60
"""Below so many cells an event has no seconds, and its kind is its symbol alone."""
_KINDS = {"turn": "▶", "state": "●", "alert": "▲", "action": "»", "protocol": "§", "source": "~", "page": "◆"}


class EventsPane(RowView):
    """What happened and what teamops did, newest first."""

    tails = True

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="events")
        self.empty = ("Nothing has happened yet.", "Turns, states, alerts and actions appear here, newest first.")

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return time, kind, role and text."""
        if not isinstance(row, LogLine):
            raise TypeError(row)
        colours = self.palette
        small = width < SMALL
        when = datetime.fromtimestamp(row.wall).astimezone().strftime("%H:%M" if small else "%H:%M:%S")
        line = Line().add(words.CURSOR if chosen else " ", colours.accent).add(when, colours.faint)
        line.add(f" {_KINDS.get(row.kind, '·')} ", colours.info if row.ok else colours.bad)
        if not small:
            line.add(f"{row.kind:<8}", colours.dim)
        if not row.ok and row.kind != "alert":  # an alert's text begins with its severity
            line.add("✖ failed " if row.kind == "action" else "✖ ", colours.bad)
        if row.role:
            line.add(f"{row.role} ", colours.strong)
        line.add(row.text, colours.text, max(1, width - line.width))
        return [line.strip(width, colours.cursor if chosen else None)]
