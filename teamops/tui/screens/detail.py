"""One agent in full: why its state is believed, its hour, pane, pokes, restarts, processes, runaways."""

from __future__ import annotations

from functools import partial
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from teamops.model.agent import AgentView
from teamops.model.agent_report import AgentReport
from teamops.model.errors import TeamopsError
from teamops.model.role import Role
from teamops.model.snapshot import Snapshot
from teamops.tui import agent_lines, keys, spike_lines
from teamops.tui.agent_words import moment
from teamops.tui.rules import WATCH_ONLY, why_not
from teamops.tui.screens.base import AgentScreen, find_agent
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.agent_rows import (
    LeftOut,
    PokeList,
    PokeRow,
    ProcessList,
    RestartList,
    RestartRow,
    SpikeList,
    SpikeRow,
)
from teamops.tui.widgets.keybar import KeyBar
from teamops.tui.widgets.live_pane import LivePane
from teamops.tui.widgets.page import Page
from teamops.tui.widgets.rows import RowView, say
from teamops.tui.widgets.sheet import Sheet
from teamops.tui.widgets.tabs import Tabs

POLL_S: Final = 1.0
"""How often pane and memory are looked at, and only while this screen is on top."""
PARTS: Final = ("overview", "hour", "live", "pokes", "restarts", "processes", "spikes")
WIDE: Final = 120
"""From so many cells the overview stands beside another part."""
LOOKING: Final = ("Looking at what is remembered…",)


class Detail(AgentScreen):
    """A head, and under it one part; on a wide screen the overview and another part."""

    DEFAULT_CSS = """
    Detail { layout: vertical; background: $background; }
    Detail Page { height: auto; padding: 0 1; }
    Detail #parts { height: 1fr; }
    Detail #parts > * { width: 1fr; height: 1fr; }
    Detail.-wide #parts > * { width: 3fr; padding-left: 1; }
    Detail.-wide #parts > #overview { width: 2fr; border-right: solid $pane-rule; padding: 0 1; }
    """
    BINDINGS = keys.bindings(
        keys.Where.TEAM, keys.Where.AGENT,
        only=(
            "findings", "task", "tasks", "costs", "alert_codes", "boundaries", "day_report", "sign_off", "palette",
            "help", "back",
            "leave",
            "pane(1)", "pane(2)", "pane(3)", "pane(4)", "next_pane", "previous_pane",
        ),
    )  # fmt: skip
    AUTO_FOCUS = None

    def __init__(self, role: Role, palette: Palette, first: Snapshot) -> None:
        super().__init__()
        self.role = role
        self.palette = palette
        self.snapshot = first
        self.part = "overview"
        self.beside = "live"
        """What stands beside the overview on a wide screen."""
        self.report: AgentReport | None = None
        self.page = Page(palette)
        self.tabs = Tabs(palette, first=1)
        self.overview = Sheet(palette, id="overview")
        self.hour = Sheet(palette, id="hour")
        self.live = LivePane(palette)
        self.pokes = PokeList(palette)
        self.restarts = RestartList(palette)
        self.processes = ProcessList(palette)
        self.spikes = SpikeList(palette)
        self.keybar = KeyBar(palette)
        self._trouble = ""
        """Why what is remembered can't be told now."""
        self._asking: set[str] = set()

    def compose(self) -> ComposeResult:
        """Make head, titles, parts and keys."""
        yield self.page
        yield self.tabs
        with Horizontal(id="parts"):
            yield from self._widgets().values()
        yield self.keybar

    def _widgets(self) -> dict[str, Widget]:
        parts = (self.overview, self.hour, self.live, self.pokes, self.restarts, self.processes, self.spikes)
        return dict(zip(PARTS, parts, strict=True))

    def on_mount(self) -> None:
        """Begin to look."""
        self.live.say("looking…")
        self._arrange()
        self.overview.focus()
        self.look_every(POLL_S, self._look)

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._arrange()

    def on_unmount(self) -> None:
        """Want no answer any more."""
        self._forget()

    @property
    def agent(self) -> AgentView | None:
        """The agent as of the newest snapshot."""
        return find_agent(self.snapshot, self.role)

    def choose(self, role: Role) -> None:
        """Show another agent; what is still on its way about this one is not wanted any more."""
        self._forget()
        self.role, self.report, self._trouble = role, None, ""
        self.live.say("looking…")
        self.overview.action_first()
        for rows in (self.pokes, self.restarts, self.processes, self.spikes):
            rows.show([])
            rows.move_to(0)
        self.show(self.team.snapshot)
        self._look()

    # What is asked.

    def _forget(self) -> None:
        self._asking.clear()
        self.team.drop("live")
        self.team.drop("agent-report")

    def _look(self) -> None:
        agent = self.agent
        if agent is None:
            return
        if "agent-report" not in self._asking:
            self._asking.add("agent-report")
            query = partial(self.team.port.agent_report, self.role)
            self.team.ask("agent-report", query, partial(self._take, self.role), refused=self._refuse)
        if self.live.display:
            self._look_at_pane(agent)

    def _look_at_pane(self, agent: AgentView) -> None:
        if self.snapshot.replay is not None:
            self.live.say("What its screen showed then is not on record.")
        elif agent.pane_id is None:
            if self.snapshot.supervisor.watch_only:
                self.live.say(WATCH_ONLY, "teamops init sets up a team.")
            else:
                self.live.say(f"There is no pane: {self._no_session(agent)}", self._start(agent))
        elif "live" not in self._asking:
            self._asking.add("live")
            self.team.ask("live", partial(self.team.port.screen, self.role), self._seen, refused=self._unseen)

    def _take(self, role: Role, report: AgentReport) -> None:
        self._asking.discard("agent-report")
        if role == self.role:
            self.report, self._trouble = report, ""
            self.draw()

    def _refuse(self, error: TeamopsError) -> None:
        # Here, not as a note: it would come every second.
        self._asking.discard("agent-report")
        self._trouble = str(error)
        self.draw()

    def _seen(self, text: str) -> None:
        self._asking.discard("live")
        if text.strip():
            self.live.show(text)
        else:
            self.live.say("The pane is empty.", "Its program has printed nothing yet. a goes there.")

    def _unseen(self, error: TeamopsError) -> None:
        self._asking.discard("live")
        self.live.say(f"✖ {error}")

    # Drawing.

    def show(self, snapshot: Snapshot) -> None:
        """Show what is known of the agent now."""
        self.snapshot = snapshot
        self.draw()

    def draw(self) -> None:
        """Draw the parts that are seen."""
        agent, colours = self.agent, self.palette
        self._draw_tabs()
        if agent is None:
            self._draw_keys(agent)
            gone = Line().add(f"{self.role} is no longer in the team.", colours.warn)
            self.page.show([gone, Line().add("[ and ] show another agent, Esc goes back.", colours.dim)])
            return
        head = agent_lines.head_lines(agent, colours)
        if self._trouble:
            head.append(Line(hang=4).add("  ✖ what is remembered can't be told: ", colours.bad).add(self._trouble))
        self.page.show(head)
        now = self.snapshot.stamp.wall
        if self.overview.display:
            width = self.overview.text_width
            self.overview.show(agent_lines.overview_lines(agent, self.report, now, width, colours))
        if self.hour.display:
            self.hour.show(agent_lines.hour_lines(agent, now, self.hour.text_width, colours))
        self._draw_rows(agent, now)
        self._draw_keys(agent)

    def _draw_rows(self, agent: AgentView, now: float) -> None:
        report = self.report
        if report is None:
            told = (f"✖ {self._trouble}",) if self._trouble else LOOKING
            for rows in (self.pokes, self.restarts, self.processes, self.spikes):
                say(rows, told)
            return
        start = self._start(agent)
        poke = start if agent.lift else "p pokes it: shows the line first."
        say(self.pokes, ("It was never poked.", poke))
        now_too = agent.can_restart and not agent.lift
        again = f"r {'restarts' if agent.pid is not None else 'starts'} it now." if now_too else start
        say(self.restarts, ("It was never restarted.", f"A rule does so when it is unwell. {again}"))
        say(self.processes, ("What ran then is not on record.",) if report.past else ("No process of it runs.", start))
        self.pokes.show([PokeRow(poke, moment(poke.decided_wall, now)) for poke in report.deliveries])
        of = report.attempts_allowed
        self.restarts.show([RestartRow(record, moment(record.wall, now), of) for record in report.restarts])
        more = report.processes_left_out
        say(self.spikes, ("It never ran away.", "A rule watches its tokens: [spike] in teamops.toml sets it."))
        self.spikes.show(
            [SpikeRow(one, moment(one.began_wall, now), spike_lines.standing(one, now)) for one in report.spikes]
        )
        self.processes.show([*report.processes, *([LeftOut(more)] if more else [])])

    def _draw_tabs(self) -> None:
        report = self.report
        counts: tuple[int, ...] = (0,) * len(PARTS)
        if report is not None:
            processes = len(report.processes) + report.processes_left_out
            counts = (0, 0, 0, len(report.deliveries), len(report.restarts), processes, len(report.spikes))
        names = ("State", "Hour", "Pane", "Pokes", "Restarts", "Tree", "Spikes")
        titles = [f"{place} {name}" for place, name in enumerate(names, 1)]
        if self.size.width >= WIDE:
            titles = [f"{title} ({number})" if number else title for title, number in zip(titles, counts, strict=True)]
        beside = PARTS.index(self.beside) if self.has_class("-wide") and self.part == "overview" else None
        self.tabs.show(titles, PARTS.index(self.part), alert=False, focused=True, beside=beside)

    def _draw_keys(self, agent: AgentView | None) -> None:
        left_out = {"search", "zoom", "leave", "sign_off", "part(5)", "part(6)", "part(7)"}
        rows = {"pokes": self.pokes, "restarts": self.restarts, "spikes": self.spikes}.get(self.part)
        if rows is None or not rows.rows:
            left_out.add("detail")
        wheres = (keys.Where.TEAM, keys.Where.PANES, keys.Where.AGENT, keys.Where.LISTS)
        acts = [entry for entry in keys.key_bar(wheres) if entry.id not in left_out]
        off = frozenset(entry.id for entry in acts if why_not(entry.id, self.snapshot, agent))
        self.keybar.show([keys.act("back"), *acts], off)

    @staticmethod
    def _start(agent: AgentView) -> str:
        if agent.lift:
            return "It is held: L lets it spend again."
        return "r starts it." if agent.can_restart else "Name its command in teamops.toml, and r starts it."

    @staticmethod
    def _no_session(agent: AgentView) -> str:
        return f"the session {agent.session} does not run." if agent.session else "it has no session."

    # Parts and agents.

    def _arrange(self) -> None:
        wide = self.size.width >= WIDE
        self.set_class(wide, "-wide")
        seen = {self.part, *(("overview", self.beside) if wide else ())}
        for name, widget in self._widgets().items():
            if widget.display != (name in seen):
                widget.display = name in seen
        self.show(self.snapshot)

    def action_pane(self, number: int) -> None:
        """Show a part."""
        self.part = PARTS[number - 1]
        if self.part != "overview":
            self.beside = self.part
        self._arrange()
        self._widgets()[self.part].focus()
        self._look()

    def action_part(self, number: int) -> None:
        """Show a part that only this screen has."""
        self.action_pane(number)

    def action_next_pane(self) -> None:
        """Show the next part."""
        self.action_pane((PARTS.index(self.part) + 1) % len(PARTS) + 1)

    def action_previous_pane(self) -> None:
        """Show the part before."""
        self.action_pane((PARTS.index(self.part) - 1) % len(PARTS) + 1)

    def action_earlier_agent(self) -> None:
        """Show the agent before."""
        self._step(-1)

    def action_later_agent(self) -> None:
        """Show the next agent."""
        self._step(1)

    def _step(self, by: int) -> None:
        roles = [agent.role for agent in self.snapshot.agents]
        others = [role for role in roles if role != self.role]
        if not others:
            self.team.refuse("There is no other agent.")
            return
        here = roles.index(self.role) if self.role in roles else 0
        self.choose(roles[(here + by) % len(roles)])

    def on_row_view_chosen(self, event: RowView.Chosen) -> None:
        """Show a poke, a restart or a runaway in full."""
        from teamops.tui.screens.remembered import poke_window, restart_window, spike_window

        row, now = event.view.row, self.snapshot.stamp.wall
        if isinstance(row, PokeRow):
            self.team.push_screen(poke_window(row.poke, now, self.palette))
        elif isinstance(row, RestartRow):
            self.team.push_screen(restart_window(row.record, row.of, now, self.palette))
        elif isinstance(row, SpikeRow):
            self.team.push_screen(spike_window(row.record, now, self.palette))
        else:
            self.team.refuse("There is no more to tell of a process than its line.")

    def action_back(self) -> None:
        """Back to the desk."""
        self.dismiss(None)

    def action_leave(self) -> None:
        """Back to the desk: q leaves one thing at a time."""
        self.dismiss(None)
