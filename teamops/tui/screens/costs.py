"""What the team cost: by agent, model and task, over the hours and the days, and every time that an agent ran away."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Final

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from teamops.model.agent_report import SpikeRecord
from teamops.model.cost_report import CostReport, Share
from teamops.model.errors import TeamopsError
from teamops.model.role import Role
from teamops.model.snapshot import Snapshot
from teamops.tui import keys, spike_lines
from teamops.tui.agent_words import moment
from teamops.tui.cost_lines import head_lines
from teamops.tui.screens.base import TeamScreen, find_agent
from teamops.tui.strips import Line
from teamops.tui.tasks import find_task
from teamops.tui.theme import Palette
from teamops.tui.widgets.agent_rows import SpikeRow
from teamops.tui.widgets.cost_rows import ShareList, ShareRow, TeamSpikeList
from teamops.tui.widgets.keybar import KeyBar
from teamops.tui.widgets.page import Page
from teamops.tui.widgets.plot import PlotView
from teamops.tui.widgets.rows import RowView, say
from teamops.tui.widgets.tabs import Tabs

POLL_S: Final = 2.0
"""How often costs are asked for, and only while this screen is on top."""
PARTS: Final = ("agents", "models", "tasks", "plot", "runaways")
WIDE: Final = 130
"""From so many cells the plot stands beside another part."""
DAYS: Final = (1, 7, 30)
TRACE: Final = (70, 13)
"""Cells and lines of a runaway's plot in its window."""
LOOKING: Final = ("Adding up what is on record…",)
NOTHING_USED: Final = (
    "Nothing was used in the last 30 days.",
    "u starts an agent; teamops usage reads the logs of all your projects.",
)
NO_SPIKES: Final = ("No agent ever ran away.", "A rule watches their tokens: [spike] in teamops.toml sets it.")


class CostScreen(TeamScreen):
    """A head, and under it one part; on a wide screen a part and the plot."""

    DEFAULT_CSS = """
    CostScreen { layout: vertical; background: $background; }
    CostScreen Page { height: auto; padding: 0 1; }
    CostScreen #parts { height: 1fr; }
    CostScreen #parts > * { width: 1fr; height: 1fr; }
    CostScreen.-wide #parts > RowView { width: 3fr; }
    CostScreen.-wide #parts > #plot { width: 2fr; border-left: solid $pane-rule; }
    """
    BINDINGS = keys.bindings(
        keys.Where.COSTS,
        only=(
            "findings", "task", "tasks", "costs", "alert_codes", "day_report", "sign_off", "palette", "help", "back",
            "leave",
            "pane(1)", "pane(2)", "pane(3)", "pane(4)", "next_pane", "previous_pane",
        ),
    )  # fmt: skip
    AUTO_FOCUS = None

    def __init__(self, palette: Palette, first: Snapshot) -> None:
        super().__init__()
        self.palette = palette
        self.snapshot = first
        self.part = "agents"
        self.span = 0
        """Which of ``DAYS`` tokens, bars and plot are of."""
        self.report: CostReport | None = None
        self.page = Page(palette)
        self.tabs = Tabs(palette, first=1)
        self.shares = {name: ShareList(palette, name.removesuffix("s"), name) for name in PARTS[:3]}
        self.plot = PlotView(palette, id="plot")
        self.spikes = TeamSpikeList(palette)
        self.keybar = KeyBar(palette)
        self._trouble = ""
        """Why costs can't be told now."""
        self._asking = False

    def compose(self) -> ComposeResult:
        """Make head, titles, parts and keys."""
        yield self.page
        yield self.tabs
        with Horizontal(id="parts"):
            yield from self._widgets().values()
        yield self.keybar

    def _widgets(self) -> dict[str, Widget]:
        return {**self.shares, "plot": self.plot, "runaways": self.spikes}

    def on_mount(self) -> None:
        """Begin to look."""
        self._arrange()
        self.shares["agents"].focus()
        self.look_every(POLL_S, self._look)

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._arrange()

    def on_unmount(self) -> None:
        """Want no answer any more."""
        self.team.drop("costs")
        self.team.drop("plot")

    # What is asked.

    def _look(self) -> None:
        if not self._asking:
            self._asking = True
            self.team.ask("costs", self.team.port.cost_report, self._take, refused=self._refuse)

    def _take(self, report: CostReport) -> None:
        self._asking = False
        self.report, self._trouble = report, ""
        self.draw()

    def _refuse(self, error: TeamopsError) -> None:
        # Here, not as a note: it would come every second.
        self._asking = False
        self._trouble = str(error)
        self.draw()

    def on_plot_view_wanted(self, event: PlotView.Wanted) -> None:
        """Draw the plot in a thread."""
        self.team.ask("plot", event.draw, self.plot.take)

    # Drawing.

    def show(self, snapshot: Snapshot) -> None:
        """Take ``snapshot``; costs are asked for by themselves."""
        self.snapshot = snapshot

    def draw(self) -> None:
        """Draw what is known now."""
        report, colours = self.report, self.palette
        head = [Line().add("Costs", colours.accent)] if report is None else head_lines(report, colours)
        if self._trouble:
            head.append(Line(hang=4).add("  ✖ costs can't be told: ", colours.bad).add(self._trouble))
        self.page.show(head)
        told = (f"✖ {self._trouble}",) if self._trouble else LOOKING
        used = report is not None and bool(report.month.responses)
        for name, rows in self.shares.items():
            rows.show([] if report is None else self._rows(getattr(report, name), name))
            if rows.span != self.span:
                rows.span = self.span
                rows.redraw()
            say(rows, told if report is None else NOTHING_USED)
        if report is None:
            self.plot.say(*told)
        elif used:
            self._show_plot(report)
        else:
            self.plot.say(*NOTHING_USED)
        self.spikes.show([] if report is None else [self._spike_row(one, report) for one in report.spikes])
        say(self.spikes, told if report is None else NO_SPIKES)
        self._draw_tabs()
        self._draw_keys()

    def _rows(self, shares: tuple[Share, ...], part: str) -> list[ShareRow]:
        sums = [(one.today, one.week, one.month)[self.span] for one in shares]
        most = max((spend.cost_usd for spend in sums), default=Decimal(0))
        return [
            ShareRow(*self._label(share, part), share, spend, most) for share, spend in zip(shares, sums, strict=True)
        ]

    def _label(self, share: Share, part: str) -> tuple[str, bool]:
        """Return a row's name, and whether it is its own."""
        if part == "agents":
            agent = find_agent(self.snapshot, Role(share.name or ""))
            return (f"{share.name} {agent.name}" if agent is not None and agent.name else share.name or "?"), True
        if share.name:
            return share.name, True
        if part == "models":
            return "counted by itself", False
        return ("without a light" if share.name is None else "no task"), False

    @staticmethod
    def _spike_row(record: SpikeRecord, report: CostReport) -> SpikeRow:
        told = replace(record, why=f"{record.role}: {record.why}")
        return SpikeRow(told, moment(record.began_wall, report.wall), spike_lines.standing(record, report.wall))

    def _show_plot(self, report: CostReport) -> None:
        days, palette = DAYS[self.span], self.palette
        periods = report.hours if days == 1 else report.days[-days:]
        figures = (days, tuple(one.spend.cost_usd for one in periods), report.day_since_wall, report.burn.limit_usd)

        def draw(width: int, height: int) -> list[Line]:
            from teamops.tui import plots

            return plots.draw(plots.bars_of(report, days), width, height, palette)

        self.plot.show(figures, draw)

    def _draw_tabs(self) -> None:
        report = self.report
        counts = [0] * len(PARTS)
        if report is not None:
            counts = [len(report.agents), len(report.models), len(report.tasks), 0, len(report.spikes)]
        names = ("Agents", "Models", "Tasks", "Plot", "Runaways")
        titles = [
            f"{place} {name} ({number})" if number else f"{place} {name}"
            for place, (name, number) in enumerate(zip(names, counts, strict=True), 1)
        ]
        beside = PARTS.index("plot") if self.has_class("-wide") and self.part != "plot" else None
        self.tabs.show(titles, PARTS.index(self.part), alert=False, focused=True, beside=beside)

    def _draw_keys(self) -> None:
        acts = ["back", "span", "palette", "help"]
        rows = self._widgets()[self.part]
        if isinstance(rows, RowView) and rows.rows and self.part != "models":
            acts.insert(1, "detail")
        self.keybar.show([keys.act(act_id) for act_id in acts], frozenset())

    # Parts and spans.

    def _arrange(self) -> None:
        wide = self.size.width >= WIDE
        self.set_class(wide, "-wide")
        seen = {self.part, *(("plot",) if wide else ())}
        for name, widget in self._widgets().items():
            if widget.display != (name in seen):
                widget.display = name in seen
        self.draw()

    def action_pane(self, number: int) -> None:
        """Show a part."""
        self.part = PARTS[number - 1]
        self._arrange()
        self._widgets()[self.part].focus()

    def action_part(self, number: int) -> None:
        """Show a part that the desk has none of."""
        self.action_pane(number)

    def action_next_pane(self) -> None:
        """Show the next part."""
        self.action_pane((PARTS.index(self.part) + 1) % len(PARTS) + 1)

    def action_previous_pane(self) -> None:
        """Show the part before."""
        self.action_pane((PARTS.index(self.part) - 1) % len(PARTS) + 1)

    def action_span(self) -> None:
        """Show tokens, bars and plot of the next span."""
        self.span = (self.span + 1) % len(DAYS)
        self.draw()

    # What a row opens.

    def on_row_view_chosen(self, event: RowView.Chosen) -> None:
        """Open an agent, a task, or a runaway with its trace."""
        row = event.view.row
        if isinstance(row, SpikeRow):
            self._open_spike(row.record)
        elif isinstance(row, ShareRow):
            self._open_share(row.share)

    def _open_share(self, share: Share) -> None:
        if self.part == "agents" and share.name is not None:
            if find_agent(self.snapshot, Role(share.name)) is None:
                self.team.refuse(f"{share.name} is no longer in the team.")
            else:
                self.team.open_detail(Role(share.name))
        elif self.part == "tasks" and share.name is not None:
            task = find_task(self.snapshot, share.name or None)
            if task is None:
                self.team.refuse("That task is no longer in the handoff file: it was archived.")
            else:
                self.team.doors.task(task)
        else:
            self.team.refuse("There is no more to tell of it than its line.")

    def _open_spike(self, record: SpikeRecord) -> None:
        now, palette = self.snapshot.stamp.wall, self.palette

        def draw() -> list[Line]:
            from teamops.tui import plots

            width, height = TRACE
            width = min(width, self.size.width - 10)
            return plots.draw(plots.trace_of(record, now, width), width, height, palette)

        self.team.ask("trace", draw, partial(self._show_spike, record, now))

    def _show_spike(self, record: SpikeRecord, now: float, lines: list[Line]) -> None:
        from teamops.tui.screens.remembered import spike_window

        self.team.push_screen(spike_window(record, now, self.palette, lines))

    def action_back(self) -> None:
        """Back to where the person came from."""
        self.dismiss(None)

    def action_leave(self) -> None:
        """Leave this screen: q leaves one thing at a time."""
        self.dismiss(None)
