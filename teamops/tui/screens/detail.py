"""One agent in full, with its live pane."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from teamops.model.agent import AgentView
from teamops.model.errors import TeamopsError
from teamops.model.role import Role
from teamops.model.snapshot import Snapshot
from teamops.model.text import clean
from teamops.tui import keys, words
from teamops.tui.rules import WATCH_ONLY, why_not
from teamops.tui.screens.base import TeamScreen, find_agent
from teamops.tui.strips import Line, plain
from teamops.tui.theme import Palette
from teamops.tui.widgets.keybar import KeyBar
from teamops.tui.widgets.page import Page

POLL_S = 1.0
"""How often the pane is looked at, and only while this screen is on top."""
MOST_LINES = 500
MOST_SIGNS = 1000
"""Of one line of a pane: no terminal is wider."""
_SGR = re.compile(r"(\x1b\[[0-9;:]*m)")


class LivePane(ScrollView, can_focus=True):
    """What the agent's screen shows: its colours, and nothing else of its escapes."""

    DEFAULT_CSS = """
    LivePane { scrollbar-size: 1 1; height: 1fr; border-top: solid $pane-rule; border-title-color: $foreground; }
    """
    BINDINGS = keys.bindings(only=("down", "up", "page_down", "page_up", "first", "last"))

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="live")
        self.palette = palette
        self._strips: list[Strip] = []
        self._text: str | None = None

    def show(self, text: str) -> None:
        """Show ``text``; lines that did not change are not drawn again."""
        if text == self._text:
            return
        self._text = text
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

    def say(self, words_: str) -> None:
        """Show a word instead of a pane."""
        self._text = None
        self._strips = [Line().add(words_, self.palette.dim).strip(max(1, len(words_)))]
        self.virtual_size = Size(0, 1)
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
    safe = "".join(part if _SGR.fullmatch(part) else clean(part) for part in _SGR.split(text))
    strips = []
    for whole in Text.from_ansi(safe.expandtabs(8)).split("\n", allow_blank=True)[:MOST_LINES]:
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


class Detail(TeamScreen):
    """State and evidence, an hour of beats, tokens and cost, lights, and the pane as it is now."""

    DEFAULT_CSS = """
    Detail { layout: vertical; background: $background; }
    Detail Page { height: auto; padding: 0 1; }
    """
    BINDINGS = keys.bindings(
        keys.Where.TEAM, only=("findings", "task", "tasks", "sign_off", "palette", "help", "back", "leave")
    )
    AUTO_FOCUS = "#live"

    def __init__(self, role: Role, palette: Palette, first: Snapshot) -> None:
        super().__init__()
        self.role = role
        self.palette = palette
        self.snapshot = first
        self.page = Page(palette)
        self.live = LivePane(palette)
        self.keybar = KeyBar(palette)
        self._asking = False
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Make facts, pane and keys."""
        yield self.page
        yield self.live
        yield self.keybar

    def on_mount(self) -> None:
        """Begin to look at the pane."""
        self.show(self.snapshot)
        self.live.border_title = " Its screen, live "
        self.live.say("looking…")
        self._look()
        self._timer = self.set_interval(POLL_S, self._look, name="live pane")

    def on_resize(self) -> None:
        """Draw the strips for the new width."""
        self.show(self.snapshot)

    def on_screen_suspend(self) -> None:
        """Stop looking under another window."""
        if self._timer is not None:
            self._timer.pause()

    def on_screen_resume(self) -> None:
        """Look again."""
        if self._timer is not None:
            self._timer.resume()

    def on_unmount(self) -> None:
        """Want no answer any more."""
        self.team.drop("live")

    @property
    def agent(self) -> AgentView | None:
        """The agent as of the newest snapshot."""
        return find_agent(self.snapshot, self.role)

    def show(self, snapshot: Snapshot) -> None:
        """Show what is known of the agent now."""
        self.snapshot = snapshot
        agent = self.agent
        if agent is None:
            self.page.show([Line().add(f"{self.role} is no longer in the team.", self.palette.warn)])
            return
        self.page.show(facts(agent, max(20, self.size.width - 4), self.palette))
        acts = [
            entry
            for entry in keys.key_bar((keys.Where.TEAM, keys.Where.PANES))
            if entry.id not in ("search", "zoom", "leave", "sign_off")
        ]
        off = frozenset(entry.id for entry in acts if why_not(entry.id, snapshot, agent))
        self.keybar.show([keys.act("back"), *acts], off)

    def _look(self) -> None:
        agent = self.agent
        if agent is None or agent.pane_id is None:
            watch_only = self.snapshot.supervisor.watch_only
            self.live.say(WATCH_ONLY if watch_only else "There is no pane: the session does not run.")
        elif not self._asking:
            self._asking = True
            self.team.ask("live", partial(self.team.port.screen, self.role), self._seen, refused=self._unseen)

    def _seen(self, text: str) -> None:
        self._asking = False
        if text.strip():
            self.live.show(text)
        else:
            self.live.say("The pane is empty.")

    def _unseen(self, error: TeamopsError) -> None:
        # Here, not as a note: it would come every second.
        self._asking = False
        self.live.say(f"✖ {error}")

    def action_back(self) -> None:
        """Back to the desk."""
        self.dismiss(None)

    def action_leave(self) -> None:
        """Back to the desk: q leaves one thing at a time."""
        self.dismiss(None)

    def action_poke(self) -> None:
        """Open the poke window."""
        self.team.open_poke(self.agent)

    def action_restart(self) -> None:
        """Ask whether to restart."""
        self.team.open_restart(self.agent)

    def action_start_agent(self) -> None:
        """Start the agent."""
        self.team.start_agent(self.agent)

    def action_stop_agent(self) -> None:
        """Ask whether to stop the agent."""
        self.team.open_stop(self.agent)

    def action_lift(self) -> None:
        """Ask for the new limit of who is held."""
        self.team.open_lift(self.agent)

    def action_attach(self) -> None:
        """Go to the session."""
        self.team.attach(self.agent)


def facts(agent: AgentView, width: int, palette: Palette) -> list[Line]:
    """Return what is known of ``agent`` in lines of ``width`` cells."""
    symbol, style = words.STATES[agent.state]
    head = Line().add("▶ " if agent.lights else "  ", palette.accent).add(f"{agent.role} {agent.name}", palette.strong)
    head.add(f"   {symbol} {words.state_words(agent)}", palette.named(style))
    why = Line().add("  known by ", palette.faint).add(agent.evidence.kind, palette.text)
    if agent.evidence.age_s is not None:
        why.add(f", {words.age(agent.evidence.age_s)} ago", palette.text)
    if agent.evidence.detail:
        why.add(f": {agent.evidence.detail}", palette.dim)
    tasks = ", ".join(task or "a task without a name" for task in agent.lights)
    where = Line().add("  runs ", palette.faint).add(agent.client or "?", palette.text)
    where.add(" in ", palette.faint).add(agent.session or "no session", palette.text)
    where.add(f" {agent.pane_id or ''}", palette.dim).add(" pid ", palette.faint).add(
        str(agent.pid or words.NOTHING), palette.text
    )
    where.add("   rss ", palette.faint).add(words.size(agent.rss_bytes), palette.text)
    where.add("   ↻ ", palette.faint).add(str(agent.restarts), palette.warn if agent.restarts else palette.text)
    lines = [head, why, where]
    if tasks:
        lines.append(Line().add("  its turn on ", palette.faint).add(tasks, palette.accent))
    if agent.message:
        lines.append(Line().add("  last said ", palette.faint).add(f"“{agent.message}”", palette.text))
    room = max(10, min(60, width - 30))
    beat = f"{words.age(agent.beat_age_s)} ago" if agent.beat_age_s is not None else "never"
    cost = words.money(agent.cost_today_usd, agent.unpriced_tokens)
    for title, strip, style_name, value in (
        ("beats", words.spark(agent.beats, room, peak=True), "beats", beat),
        ("tokens", words.spark(agent.tokens, room), "tokens", f"{words.count(agent.tokens_per_min)}/min"),
        ("cost", words.climb(agent.cost, room), "cost", f"{cost} today"),
    ):
        line = Line().add(f"  {title}", palette.faint, 10).add(strip, palette.named(style_name))
        lines.append(line.add(f"  {value}", palette.text))
    lines += _spike_lines(agent, palette)
    if agent.unpriced_tokens:
        unpriced = f"{words.count(agent.unpriced_tokens)} tokens of today have no known price"
        lines.append(Line().add("  ? ", palette.warn).add(unpriced, palette.text))
    return lines


def _spike_lines(agent: AgentView, palette: Palette) -> list[Line]:
    """Return what is known of a spike, and what the plain rules say."""
    lines = []
    if agent.spike is not None:
        spike = agent.spike
        figures = f"{spike.why}; {words.count(spike.tokens)} tokens, {words.money(spike.cost_usd)} in it so far"
        lines.append(Line().add("  ⇈ ", palette.bad).add(figures, palette.text))
    if agent.badges:
        said = f"{', '.join(agent.badges)}: more than the plain rules allow"
        lines.append(Line().add(f"  {words.BADGE} ", palette.warn).add(said, palette.text))
    return lines
