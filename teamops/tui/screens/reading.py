"""Windows to read: help, an alert in full, an event in full."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll

from teamops.model.agent_report import DeliveryStage
from teamops.model.alert import Alert
from teamops.model.snapshot import LogLine
from teamops.tui import agent_words, boundary_words, keys, words
from teamops.tui.screens.base import TeamWindow
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.page import Page


class ReadingWindow(TeamWindow):
    """Text with a title; scrolls; any of the leaving keys closes it."""

    BINDINGS = [  # noqa: RUF012 - Textual declares it so
        Binding("escape,q,enter,question_mark", "back", "close"),
        Binding("j,down", "scroll(1)", "down"),
        Binding("k,up", "scroll(-1)", "up"),
        Binding("pagedown,space", "scroll(10)", "page down"),
        Binding("pageup", "scroll(-10)", "page up"),
        Binding("g,home", "scroll(-100000)", "first"),
        Binding("G,end", "scroll(100000)", "last"),
    ]
    DEFAULT_CSS = "ReadingWindow VerticalScroll { scrollbar-size-vertical: 1; }"

    def __init__(self, title: str, lines: list[Line], palette: Palette) -> None:
        super().__init__()
        self.heading = title
        self.lines = lines
        self.page = Page(palette)

    def compose(self) -> ComposeResult:
        """Make the text."""
        with VerticalScroll(can_focus=False, classes="window") as frame:
            frame.border_title = self.heading
            frame.border_subtitle = "Esc closes"
            yield self.page

    def on_mount(self) -> None:
        """Show the text."""
        self.page.show(self.lines)

    def action_scroll(self, lines: int) -> None:
        """Scroll by so many lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def alert_window(alert: Alert, palette: Palette) -> ReadingWindow:
    """Return a window with all that is known of an alert."""
    symbol, style = words.SEVERITIES[alert.severity]
    head = Line().add(f"{symbol} {alert.severity} ", palette.named(style)).add(alert.code, palette.strong)
    head.add(f"  {alert.subject}", palette.dim)
    about = Line().add(f"{words.ALERT_STATES[alert.state]} since {_when(words.state_since(alert))}", palette.dim)
    if words.state_since(alert) != alert.since_wall:
        about.add(f", came {_when(alert.since_wall)}", palette.dim)
    if alert.agent:
        about.add(f" · {alert.agent}", palette.dim)
    lines = [head, about, Line(), Line().add(alert.message, palette.text)]
    if alert.do:
        lines += [Line(), Line().add("→ ", palette.accent).add(alert.do, palette.text)]
    return ReadingWindow("Alert", lines, palette)


def event_window(row: LogLine, palette: Palette) -> ReadingWindow:
    """Return a window with an event's whole text."""
    head = Line().add(_when(row.wall), palette.dim).add(f"  {row.kind}", palette.info)
    head.add(f"  {row.role}" if row.role else "", palette.strong).add("" if row.ok else "  ✖ failed", palette.bad)
    return ReadingWindow("Event", [head, Line(), Line().add(row.text, palette.text)], palette)


def _when(wall: float) -> str:
    return datetime.fromtimestamp(wall).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def help_window(palette: Palette, notes: tuple[str, ...] = ()) -> ReadingWindow:
    """Return the help: what works in a lesser way now, every key by where it works, what the symbols mean."""
    lines: list[Line] = []
    if notes:
        lines.append(Line().add("Notes: what works in a lesser way", palette.accent))
        lines += [Line(hang=4).add("  ~ ", palette.warn).add(note, palette.text) for note in notes]
        lines.append(Line())
    for where, acts in groupby(
        sorted(keys.REGISTRY, key=lambda entry: list(keys.Where).index(entry.where)), lambda entry: entry.where
    ):
        lines += [Line().add(where.capitalize(), palette.accent)]
        for entry in acts:
            shown = " ".join(keys.shown(key) for key in entry.keys)
            lines.append(Line(hang=13).add(f"  {shown}", palette.key, 13).add(entry.help, palette.text))
        lines.append(Line())
    lines.append(Line().add("Agents", palette.accent))
    for state, (symbol, style) in words.STATES.items():
        lines.append(
            Line(hang=17).add(f"  {symbol} {state}", palette.named(style), 17).add(_STATES[state.value], palette.text)
        )
    lines += [Line(), Line().add("The light", palette.accent)]
    for symbol, word, style in (words.HANDED_ON, *words.LIGHTS.values()):
        lines.append(Line(hang=17).add(f"  {symbol} {word}", palette.named(style), 17).add(_LIGHTS[word], palette.text))
    lines += [Line(), Line().add("A poke", palette.accent)]
    for stage, (symbol, style) in agent_words.STAGES.items():
        lines.append(
            Line(hang=17).add(f"  {symbol} {stage}", palette.named(style), 17).add(_STAGES[stage], palette.text)
        )
    lines += [Line(), Line().add("Also", palette.accent)]
    lines += [
        Line(hang=13).add(f"  {symbol}", palette.key, 13).add(meaning, palette.text)
        for symbol, meaning in (
            ("▶", "holds the light: it is this role's turn"),
            ("·", "a minute without anything, in a strip of the last hour"),
            ("↻", "restarts by teamops today"),
            ("▸", "of an agent's evidence: what its state rests on"),
            (boundary_words.REFUSED, "calls that its boundary refused today; unheld: nothing holds it to its boundary"),
            (boundary_words.CROSSED, "a change past a boundary that nobody has dealt with"),
            (words.BADGE, "a plain spike rule says so: no alert by itself"),
            ("?", "used tokens whose model has no known price: not counted as $0"),
            ("✓ ● ○", "stage done, current, to come; behind it, the time spent there so far"),
            ("\u00d72", "the work came to this stage twice: a review sent it back"),
            ("▲ done?", "claimed done, but a gate is missing, fails, has no evidence or is contradicted"),
            ("◆", "waits for you: A signs off"),
            ("→ ↻ ○", "a challenge answered, asked again, not answered yet"),
            ("+ -", "stands there now, stood there when the block was handed on"),
            ("✓ ▲ ■", "of the forecast on the cost screen: within the day's budget, over it, it is spent already"),
            ("┃ ◆", "in a replay's time bar: the moment that is shown, ◆ where something happened"),
            ("▲ ↻ •", "there: an alert fired, an agent was restarted, a light came to somebody"),
            ("─ ░ ·", "there: teamops watched, nobody watched, not on record who watched"),
            ("▾", "on the cost screen: the span that tokens, bars and plot are of"),
            ("█ ▒ x", "in a report's strip: alive, hangs, down; = held, · not there, ? not observed"),
            ("i ▲ ✖ ■", "info, warning, error, critical"),
        )
    ]
    return ReadingWindow("Keys and symbols", lines, palette)


_STATES = {
    "unknown": "no evidence: for instance no session of that name",
    "starting": "its process is young and has shown nothing of its own",
    "working": "fresh evidence of work",
    "idle": "at rest; nothing is expected of it",
    "waiting": "a question or permission dialog is open: it needs you",
    "silent": "should beat and has missed two beats",
    "errored": "its client can't reach its model: API calls fail",
    "zombie": "its process lives, it should work, and nothing shows that it does",
    "runaway": "uses tokens many times faster than it usually does",
    "suspended": "its process was stopped from outside (SIGSTOP)",
    "backing off": "unwell again soon after a restart: the cooldown runs",
    "held": "teamops holds it back until you clear that (r)",
    "given up": "restarted as often as allowed: only you clear that (r)",
    "dead": "its process is gone; exit status or signal stand beside it",
    "shutting down": "said so itself; silence is expected",
}
_STAGES = {
    DeliveryStage.DECIDED: "to be typed; not yet done",
    DeliveryStage.REFUSED: "not submitted: a dialog, a draft or a dead pane stood there",
    DeliveryStage.TYPED: "typed and submitted, as far as the pane shows",
    DeliveryStage.ACCEPTED: "taken: its client's hook, transcript or status says so, or the agent's next beat",
    DeliveryStage.WORKING: "the agent has shown work since",
    DeliveryStage.UNPROVEN: "typed, and no proof came that it was taken",
}
_LIGHTS = {
    "handed on": "given less than 5 minutes ago and not taken yet",
    "working": "taken: its holder shows signs of work",
    "waiting": "no sign of work for 5 minutes",
    "STALE": "no sign of work for 13 minutes: an alert and a notification",
    "your turn": "the team waits for you",
}
