"""Restart: asked first, and Enter is no answer."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from teamops.model.agent import AgentState, AgentView
from teamops.model.snapshot import RestartRole, Snapshot
from teamops.tui import words
from teamops.tui.screens.base import TeamWindow, find_agent
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.page import Page


class RestartWindow(TeamWindow):
    """Says what a restart does to this agent now; only y does it."""

    BINDINGS = [  # noqa: RUF012 - Textual declares it so
        ("y", "confirm", "restart"),
        ("n,escape,q", "back", "cancel"),
    ]

    TITLE_SHOWN = "Restart"

    def __init__(self, agent: AgentView, palette: Palette) -> None:
        super().__init__()
        self.agent = agent
        self.palette = palette
        self.page = Page(palette)

    def compose(self) -> ComposeResult:
        """Make the question."""
        with Vertical(classes="window") as frame:
            frame.border_title = self.TITLE_SHOWN
            yield self.page

    def on_mount(self) -> None:
        """Ask."""
        self._draw()

    def show(self, snapshot: Snapshot) -> None:
        """Keep the state shown true while the person thinks."""
        agent = find_agent(snapshot, self.agent.role)
        if agent is not None and agent != self.agent:
            self.agent = agent
            self._draw()

    def _draw(self) -> None:
        colours, agent = self.palette, self.agent
        symbol, style = words.STATES[agent.state]
        who = Line().add(f"{agent.role} {agent.name}", colours.strong)
        who.add(f"  {symbol} {words.state_words(agent)}", colours.named(style)).add(
            f"  {words.evidence(agent)}", colours.dim
        )
        if agent.pane_id is None:
            what = f"Its session {agent.session} does not run: it is started."
        elif agent.state is AgentState.DEAD:
            what = "Its command is started again in its own pane."
        else:
            what = (
                f"It runs (pid {agent.pid}): what it has not saved is lost. Its command starts again in its own pane."
            )
        times = f"teamops has restarted it {agent.restarts} times today." if agent.restarts > 1 else ""
        asked = Line().add("y", colours.key).add(" restart   ", colours.dim)
        asked.add("n", colours.key).add(" or ", colours.dim).add("Esc", colours.key).add(
            " leave it as it is", colours.dim
        )
        lines = [who, Line(), Line().add(what, colours.text if agent.state is AgentState.DEAD else colours.warn)]
        if times:
            lines.append(Line().add(times, colours.warn))
        self.page.show([*lines, Line(), asked])

    def action_confirm(self) -> None:
        """Restart it."""
        self.dismiss(None)
        self.team.intend(RestartRole(self.agent.role), f"Restarting {self.agent.role}")
