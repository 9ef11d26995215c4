"""Poke: the line that will be typed, before it is typed."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from teamops.model.agent import AgentView
from teamops.model.snapshot import PokeRole, Snapshot
from teamops.model.text import clean_line
from teamops.tui import words
from teamops.tui.rules import why_not
from teamops.tui.screens.base import TeamWindow, find_agent
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.page import Page

MOST_SIGNS = 700
"""Longer lines are not taken whole by the clients."""


class PokeWindow(TeamWindow):
    """Shows the agent's state and the line; Enter sends it, Esc doesn't."""

    BINDINGS = [("escape", "back", "cancel")]  # noqa: RUF012 - Textual declares it so
    DEFAULT_CSS = """
    PokeWindow Input, PokeWindow Input:focus { padding: 0 1; margin: 1 0; background: $panel; }
    """

    def __init__(self, agent: AgentView, palette: Palette) -> None:
        super().__init__()
        self.agent = agent
        self.palette = palette
        self.head = Page(palette)
        self.foot = Page(palette)
        self.line = Input(
            compact=True, placeholder="fetching the line…", max_length=MOST_SIGNS, disabled=True, select_on_focus=False
        )

    def compose(self) -> ComposeResult:
        """Make state, line and keys."""
        with Vertical(classes="window") as frame:
            frame.border_title = "Poke"
            yield self.head
            yield self.line
            yield self.foot

    def on_mount(self) -> None:
        """Fetch the line."""
        self._draw()
        self.team.ask("poke-text", partial(self.team.port.poke_text, self.agent.role), self._offer, failed=self._own)

    def _offer(self, text: str) -> None:
        self.line.value = clean_line(text, MOST_SIGNS)
        self._own()

    def _own(self) -> None:
        self.line.placeholder = "the line to type"
        self.line.disabled = False
        self.line.focus()
        self.line.cursor_position = len(self.line.value)
        self._draw()

    def show(self, snapshot: Snapshot) -> None:
        """Keep the state shown true while the person thinks."""
        agent = find_agent(snapshot, self.agent.role)
        if agent is not None and agent != self.agent:
            self.agent = agent
            self._draw()

    def on_input_changed(self) -> None:
        """Count what is left."""
        self._draw()

    def _draw(self) -> None:
        colours, agent = self.palette, self.agent
        symbol, style = words.STATES[agent.state]
        who = Line().add(f"{agent.role} {agent.name}", colours.strong)
        who.add(f"  {symbol} {words.state_words(agent)}", colours.named(style)).add(
            f"  {words.evidence(agent)}", colours.dim
        )
        self.head.show([who, Line().add("This line is typed into its client and submitted:", colours.dim)])
        reason = why_not("poke", self.team.snapshot, agent)
        if reason:
            foot = Line().add(f"▲ {reason}", colours.warn)
        else:
            foot = (
                Line()
                .add("Enter", colours.key)
                .add(" send   ", colours.dim)
                .add("Esc", colours.key)
                .add(" cancel", colours.dim)
            )
            foot.add(f"   {len(self.line.value)}/{MOST_SIGNS}", colours.faint)
        self.foot.show([foot])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Send the line, unless that has become impossible meanwhile."""
        event.stop()
        text = clean_line(event.value, MOST_SIGNS)
        reason = why_not("poke", self.team.snapshot, self.agent)
        if reason:
            self.team.refuse(reason)
        elif not text:
            self.team.refuse("An empty line pokes nobody.")
        else:
            self.dismiss(None)
            self.team.intend(PokeRole(self.agent.role, text), f"Poking {self.agent.role}")
