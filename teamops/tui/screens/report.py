"""The report of a day, or of seven: day by day, the present one first."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from teamops.model.day_report import DayReport
from teamops.model.errors import TeamopsError
from teamops.model.snapshot import Snapshot
from teamops.tui import keys
from teamops.tui.day_lines import body_lines, head_lines
from teamops.tui.screens.base import TeamScreen
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.keybar import KeyBar
from teamops.tui.widgets.page import Page

POLL_S: Final = 30.0
"""How often the present day is asked for anew, and only while this screen is on top."""
SPANS: Final = (1, 7)
GROUP: Final = "day report"


class ReportScreen(TeamScreen):
    """A head, and under it the report, which scrolls."""

    DEFAULT_CSS = """
    ReportScreen { layout: vertical; background: $background; }
    ReportScreen > Page { height: auto; padding: 0 1; }
    ReportScreen VerticalScroll { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    """
    BINDINGS = keys.bindings(
        keys.Where.REPORT,
        only=(
            "findings", "task", "tasks", "costs", "day_report", "sign_off", "palette", "help", "back", "leave",
            "down", "up", "page_down", "page_up", "first", "last",
        ),
    )  # fmt: skip
    AUTO_FOCUS = None

    def __init__(self, palette: Palette, first: Snapshot) -> None:
        super().__init__()
        self.palette = palette
        self.snapshot = first
        self.back = 0
        """So many days ago is the last one that is shown."""
        self.days = SPANS[0]
        self.report: DayReport | None = None
        self.head = Page(palette)
        self.body = Page(palette)
        self.keybar = KeyBar(palette)
        self._trouble = ""

    def compose(self) -> ComposeResult:
        """Make head, text and keys."""
        yield self.head
        with VerticalScroll(can_focus=False):
            yield self.body
        yield self.keybar

    def on_mount(self) -> None:
        """Begin to look."""
        acts = ("back", "earlier_day", "later_day", "period", "page_down", "palette", "help")
        self.keybar.show([keys.act(act_id) for act_id in acts], frozenset())
        self.draw()
        self.look_every(POLL_S, self._look_again)

    def on_unmount(self) -> None:
        """Want no answer any more."""
        self.team.drop(GROUP)

    def show(self, snapshot: Snapshot) -> None:
        """Take ``snapshot``; reports are asked for by themselves."""
        self.snapshot = snapshot

    # What is asked.

    @property
    def wanted(self) -> date:
        """The last day that is to be shown."""
        zone = None
        if self.team.settings.timezone:
            from zoneinfo import ZoneInfo

            zone = ZoneInfo(self.team.settings.timezone)
        wall = self.snapshot.stamp.wall
        now = datetime.fromtimestamp(wall, zone) if zone is not None else datetime.fromtimestamp(wall).astimezone()
        return now.date() - timedelta(days=self.back)

    def _look_again(self) -> None:
        if self.back == 0 or self.report is None:
            self._look()

    def _look(self) -> None:
        query = partial(self.team.port.day_report, self.wanted, self.days)
        self.team.ask(GROUP, query, self._take, refused=self._refuse)

    def _take(self, report: DayReport) -> None:
        self.report, self._trouble = report, ""
        self.draw()

    def _refuse(self, error: TeamopsError) -> None:
        self._trouble = str(error)
        if self.snapshot.replay is not None:
            self.report = None  # it may be of a later moment
        self.draw()

    # Drawing.

    def draw(self) -> None:
        """Draw what is known now."""
        report, colours = self.report, self.palette
        head = [Line().add("Report ", colours.accent).add(str(self.wanted), colours.strong)]
        if report is not None:
            head = head_lines(report, colours)
        if self._trouble:
            head.append(Line(hang=4).add("  ✖ it can't be told: ", colours.bad).add(self._trouble))
        self.head.show(head)
        if report is not None:
            self.body.show(body_lines(report, colours))
        elif self._trouble:
            self.body.show([])
        else:
            self.body.show([Line().add("Reading what is on record…", colours.dim)])

    # Days.

    def _go(self, back: int, days: int) -> None:
        self.back, self.days = back, days
        self.report, self._trouble = None, ""
        self.draw()
        self.query_one(VerticalScroll).scroll_home(animate=False)
        self._look()

    def action_earlier_day(self) -> None:
        """Show the day before, or the seven before."""
        self._go(self.back + self.days, self.days)

    def action_later_day(self) -> None:
        """Show the day after."""
        if self.back == 0:
            self.team.refuse("That is today: there is no later day yet.")
        else:
            self._go(max(0, self.back - self.days), self.days)

    def action_period(self) -> None:
        """Show seven days, or one again."""
        self._go(self.back, SPANS[(SPANS.index(self.days) + 1) % len(SPANS)])

    # Scrolling.

    def _scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_down(self) -> None:
        """One line down."""
        self._scroll(1)

    def action_up(self) -> None:
        """One line up."""
        self._scroll(-1)

    def action_page_down(self) -> None:
        """One page down."""
        self._scroll(max(1, self.size.height - 5))

    def action_page_up(self) -> None:
        """One page up."""
        self._scroll(-max(1, self.size.height - 5))

    def action_first(self) -> None:
        """To the top."""
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def action_last(self) -> None:
        """To the end."""
        self.query_one(VerticalScroll).scroll_end(animate=False)

    def action_back(self) -> None:
        """Back to where the person came from."""
        self.dismiss(None)

    def action_leave(self) -> None:
        """Leave this screen: q leaves one thing at a time."""
        self.dismiss(None)
