"""The main screen: header, agents, handoff, alerts, events, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from teamops.model.agent import AgentView
from teamops.model.alert import Alert
from teamops.model.handoff import Task
from teamops.model.snapshot import AckAlert, LogLine, Snapshot
from teamops.tui import keys, words
from teamops.tui.arrangement import CSS, arrangement
from teamops.tui.block_text import DrawnBlock, draw_block
from teamops.tui.faults import Faults
from teamops.tui.filters import Filters
from teamops.tui.rules import next_silence, why_no_sign_off, why_no_task, why_not
from teamops.tui.screens.base import AgentScreen, find_agent
from teamops.tui.tasks import awaits_sign_off, find_task
from teamops.tui.theme import Palette
from teamops.tui.widgets.agents import AgentsPane
from teamops.tui.widgets.handoff import HandoffPane
from teamops.tui.widgets.header import Header
from teamops.tui.widgets.keybar import KeyBar
from teamops.tui.widgets.lists import AlertRow, AlertsPane, EventsPane
from teamops.tui.widgets.rows import RowView
from teamops.tui.widgets.tabs import Tabs

if TYPE_CHECKING:
    from textual.geometry import Size

    from teamops.tui.widgets.searchbar import SearchBar

SEARCH_BAR_AFTER_S: Final = 0.3

PANES: Final = ("agents", "handoff", "alerts", "events")
_WHERE: Final = {
    "agents": (keys.Where.TEAM, keys.Where.LISTS, keys.Where.PANES),
    "handoff": (keys.Where.HANDOFF, keys.Where.PANES),
    "alerts": (keys.Where.TEAM, keys.Where.ALERTS, keys.Where.LISTS, keys.Where.PANES),
    "events": (keys.Where.TEAM, keys.Where.LISTS, keys.Where.PANES),
}


class Desk(AgentScreen):
    """Everything at a glance; each pane by its number."""

    DEFAULT_CSS = CSS
    BINDINGS = keys.bindings(
        keys.Where.TEAM, keys.Where.PANES, keys.Where.ALERTS,
    )  # fmt: skip
    AUTO_FOCUS = "#agents"

    def __init__(self, palette: Palette, first: Snapshot, size: Size) -> None:
        # Classes that fit the terminal from the start: each change of one styles the whole screen anew.
        super().__init__(id="main", classes=f"{arrangement(size)} -show-handoff")
        self.palette = palette
        self.snapshot = first
        self.head = Header(palette)
        self.agents = AgentsPane(palette)
        self.handoff = HandoffPane(palette)
        self.alerts = AlertsPane(palette)
        self.events = EventsPane(palette)
        self.tabs = Tabs(palette)
        self.keybar = KeyBar(palette)
        self.search: SearchBar | None = None
        """Made after the first frame, which does not need it."""
        self.filters = Filters()
        self.faults = Faults()
        self.lower = "handoff"
        """Which of the lower panes shows where only one fits."""
        self.news_age_s = 0.0

    def compose(self) -> ComposeResult:
        """Make the panes."""
        yield self.head
        with Container(id="desk"):
            for pane in (self.agents, self.tabs, self.handoff, self.alerts, self.events):
                if pane is not self.tabs:
                    pane.add_class("pane")
                yield pane
        yield self.keybar

    def on_mount(self) -> None:
        """Show the first snapshot with the first frame."""
        self._arrange()
        self.show(self.snapshot)
        self.set_timer(SEARCH_BAR_AFTER_S, self._search_bar, name="search bar")

    def on_resize(self, _event: events.Resize) -> None:
        """Give the panes their new places."""
        self._arrange()
        self.show(self.snapshot)

    # Layout.

    @property
    def grid(self) -> bool:
        """All panes are side by side."""
        return arrangement(self.size) == "-grid"

    @property
    def stack(self) -> bool:
        """All panes are one below the other."""
        return arrangement(self.size) == "-stack"

    @property
    def pane(self) -> str:
        """Name of the pane that has the focus."""
        focused: Widget | None = self.focused
        for widget in focused.ancestors_with_self if focused is not None else ():
            if widget.id in PANES and isinstance(widget, Widget):
                return widget.id or ""
        return "agents"

    def _arrange(self) -> None:
        names = {arrangement(self.size), f"-show-{self.lower}"}
        if self.has_class("-zoom"):
            names.add("-zoom")
        if names != self.classes:  # each change of a class styles the whole screen anew: one change for all
            self.set_classes(" ".join(names))
        self._fit_agents()

    def _fit_agents(self) -> None:
        sides, edges = (4, 2) if self.grid else (0, 1)
        height = self.size.height - 5
        wanted = self.agents.lay_out(len(self.agents.rows), self.size.width - sides - 1, height)
        most = height // 2 if not self.grid else height * 9 // 20
        lines = max(3, min(wanted, max(3, most))) + edges
        self.agents.styles.height = lines
        # A grid's auto row measures the content, not the height asked for.
        self.query_one("#desk").styles.grid_rows = f"{lines} 1fr 1fr"

    # Snapshots.

    def show(self, snapshot: Snapshot) -> None:
        """Show ``snapshot``, drawing only what changed."""
        grown = snapshot.blocks is not self.snapshot.blocks
        self.snapshot = snapshot
        self.head.show(snapshot, roomy=self.grid or self.stack, news_age_s=self.news_age_s)
        number = len(self.agents.rows)
        self.agents.show(self.filters.agents(snapshot))
        if len(self.agents.rows) != number:
            self._fit_agents()
        self.handoff.show(snapshot)
        if grown and self.filters["handoff"]:
            self.team.search_blocks(self, self.filters["handoff"])
        now = snapshot.stamp.wall
        self.alerts.show(
            [
                AlertRow(
                    alert, words.age(now - words.state_since(alert)), words.silence(alert, now), words.held(alert, now)
                )
                for alert in self.filters.alerts(snapshot)
            ]
        )
        self.events.show(self.filters.events(snapshot))
        self._titles(snapshot)
        self._show_keys()

    def _titles(self, snapshot: Snapshot) -> None:
        number, wrong = sum(alert.listed for alert in snapshot.alerts), len(self.faults.to_mend(snapshot))
        counts = {
            "agents": str(len(snapshot.agents)) if len(snapshot.agents) else "",
            # Not the number of blocks: the block's own head has it, and a new title draws the whole pane again.
            "handoff": f"{wrong} to mend" if wrong else "",
            "alerts": f"{number} open" if number else "",
            "events": "",
        }
        titles = []
        for place, name in enumerate(PANES, 1):
            title = f"{place} {name.capitalize()}" + (f" · {counts[name]}" if counts[name] else "")
            if self.filters[name]:
                title += " · filtered"
            titles.append(title)
            pane = self._pane_widget(name)
            title = title if self.grid else f" {title} "
            if pane.border_title != title:
                pane.border_title = title
        self.tabs.show(titles[1:], PANES.index(self.lower) - 1, alert=bool(number), focused=self.pane != "agents")

    def _show_keys(self) -> None:
        acts = keys.key_bar(_WHERE[self.pane])
        off = frozenset(entry.id for entry in acts if self.why_not(entry.id))
        acts = [entry for entry in acts if entry.id != "sign_off" or entry.id not in off]
        note = f"/{self.filters[self.pane]}  Esc ends it" if self.filters[self.pane] else ""
        self.keybar.show(acts, off, note)

    def on_descendant_focus(self) -> None:
        """Show the keys of the pane that got the focus."""
        self._titles(self.snapshot)
        self._show_keys()

    def on_row_view_moved(self) -> None:
        """Show what can be done with the row the cursor came to."""
        self._show_keys()

    def tell_age(self, seconds: float) -> None:
        """Say that the newest snapshot is ``seconds`` old; 0 = it is fresh."""
        if seconds != self.news_age_s:
            self.news_age_s = seconds
            self.head.show(self.snapshot, roomy=self.grid or self.stack, news_age_s=seconds)

    # What can be done.

    @property
    def agent(self) -> AgentView | None:
        """The agent the keys are about: that of the chosen alert or event, else the one chosen in the agents pane."""
        row = {"alerts": self.alerts.row, "events": self.events.row}.get(self.pane)
        role = row.alert.agent if isinstance(row, AlertRow) else row.role if isinstance(row, LogLine) else None
        meant = find_agent(self.snapshot, role) if role is not None else None
        return meant or self.agents.agent

    @property
    def alert(self) -> Alert | None:
        """The chosen alert."""
        row = self.alerts.row
        return row.alert if isinstance(row, AlertRow) else None

    @property
    def chosen_task(self) -> Task | None:
        """The task t and A are about: that of the chosen block, or of the chosen agent, else the most urgent one."""
        block = self.handoff.block
        if block is not None and (self.pane == "handoff" or not self.handoff.follows):
            return find_task(self.snapshot, block.task)
        return super().chosen_task

    def action_sign_off(self) -> None:
        """Open the sign-off window on the chosen task; where no block is chosen, on one that waits for the person."""
        self.team.doors.sign_off(self._to_sign_off)

    @property
    def _to_sign_off(self) -> Task | None:
        waiting = awaits_sign_off(self.snapshot)
        chosen = self.chosen_task
        return waiting[0] if waiting and self.pane != "handoff" and chosen not in waiting else chosen

    def why_not(self, act_id: str) -> str:
        """Return why an act can't be done now; empty where it can."""
        if act_id == "sign_off":
            return why_no_sign_off(self._to_sign_off, self.snapshot)
        if act_id == "task":
            return why_no_task(self.chosen_task, self.snapshot)
        return why_not(act_id, self.snapshot, self.agent, self.alert)

    def action_acknowledge(self) -> None:
        """Acknowledge the chosen alert."""
        if self.pane != "alerts":
            self.team.refuse("x acknowledges an alert: choose one in the alerts pane (3) first.")
        elif reason := self.why_not("acknowledge"):
            self.team.refuse(reason)
        elif self.alert is not None:
            self.team.intend(AckAlert(self.alert.code, self.alert.subject), "Acknowledging")

    def action_silence(self) -> None:
        """Silence the chosen alert for longer, or let it speak again."""
        if self.pane != "alerts":
            self.team.refuse("m silences an alert: choose one in the alerts pane (3) first.")
        elif reason := self.why_not("silence"):
            self.team.refuse(reason)
        elif (alert := self.alert) is not None:
            self.team.intend(*next_silence(alert, self.snapshot.stamp.wall))

    def action_alert_codes(self) -> None:
        """List every alert there is, at the chosen one's."""
        self.team.doors.alert_codes(self.alert.code if self.pane == "alerts" and self.alert is not None else "")

    def action_detail(self) -> None:
        """Open what is chosen."""

    def action_pane(self, number: int) -> None:
        """Give the focus to a pane."""
        name = PANES[number - 1]
        if name != "agents":
            self.lower = name
        zoomed = self.has_class("-zoom")
        if zoomed:
            self._zoom(name)
        self._arrange()
        self._focus_pane(name)

    def _focus_pane(self, name: str) -> None:
        if name == "handoff":
            (self.handoff.view if self.handoff.view.display else self.handoff.list).focus()
        else:
            self._pane_widget(name).focus()

    def _pane_widget(self, name: str) -> Widget:
        panes: dict[str, Widget] = {
            "agents": self.agents, "handoff": self.handoff, "alerts": self.alerts, "events": self.events,
        }  # fmt: skip
        return panes[name]

    def action_next_pane(self) -> None:
        """Go to the next pane."""
        self.action_pane((PANES.index(self.pane) + 1) % len(PANES) + 1)

    def action_previous_pane(self) -> None:
        """Go to the pane before."""
        self.action_pane((PANES.index(self.pane) - 1) % len(PANES) + 1)

    def action_zoom(self) -> None:
        """Give the focused pane the whole screen, or take it back."""
        self._zoom("" if self.has_class("-zoom") else self.pane)

    def _zoom(self, name: str) -> None:
        self.set_class(bool(name), "-zoom")
        for pane in PANES:
            self._pane_widget(pane).set_class(pane == name, "-zoomed")

    def action_back(self) -> None:
        """End a search, else a zoom, else go to the agents."""
        if self.search is not None and self.search.display:
            self.search.close()
        elif self.filters[self.pane]:
            self._filter(self.pane, "")
        elif self.has_class("-zoom"):
            self._zoom("")
        elif self.pane == "handoff" and self.handoff.listed and not self.handoff.both:
            self.handoff.open_block()

    # Search.

    async def _search_bar(self) -> SearchBar:
        if self.search is None:
            from teamops.tui.widgets.searchbar import SearchBar

            self.search = SearchBar()
            await self.mount(self.search, before=self.keybar)
        return self.search

    async def action_search(self) -> None:
        """Open the search line for the focused pane."""
        bar = await self._search_bar()
        bar.open(self.pane, self.filters[self.pane])

    def on_search_bar_typed(self, event: SearchBar.Typed) -> None:
        """Filter while the person types."""
        self._filter(event.pane, event.text)

    def on_search_bar_left(self, event: SearchBar.Left) -> None:
        """Give the focus back to the searched pane."""
        if not event.kept:
            self._filter(event.pane, "")
        if event.pane == "handoff" and event.kept and self.handoff.list.display:
            self.handoff.list.focus()
        else:
            self._focus_pane(event.pane)

    def _filter(self, pane: str, text: str) -> None:
        if not self.filters.put(pane, text):
            return
        if pane == "handoff":
            self.team.search_blocks(self, self.filters[pane])
        self.show(self.snapshot)

    # Opening rows.

    def on_row_view_chosen(self, event: RowView.Chosen) -> None:
        """Open an agent or an alert."""
        row = event.view.row
        if isinstance(row, AgentView):
            self.team.open_detail(row.role)
        elif isinstance(row, AlertRow):
            self.team.open_alert(row.alert)
        elif event.view is self.events:
            self.team.open_event(self.events.row)

    def show_line(self, index: int, line: int) -> None:
        """Show block ``index`` in the handoff pane, scrolled to line ``line`` of the file."""
        if self.search is not None and self.search.display:
            self.search.close()
        self._filter("handoff", "")
        self.action_pane(2)
        self.handoff.go_to(index, line)

    def on_handoff_pane_wanted(self, event: HandoffPane.Wanted) -> None:
        """Fetch and draw a block's text, away from the UI thread."""
        block, width, line, found = event.block, event.width, event.line, self.handoff.found

        def drawn() -> DrawnBlock:
            return draw_block(self.team.port.block_text(block), width, self.palette, found, line)

        self.team.ask("block", drawn, self.handoff.view.show_text, failed=self.handoff.forget_drawn)
