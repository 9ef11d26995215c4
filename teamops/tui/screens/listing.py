"""A screen of its own with a list that can be filtered: findings, tasks, a task's timeline."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from teamops.model.snapshot import Snapshot
from teamops.tui import keys
from teamops.tui.screens.base import TeamScreen
from teamops.tui.theme import Palette
from teamops.tui.widgets.keybar import KeyBar
from teamops.tui.widgets.page import Page
from teamops.tui.widgets.rows import RowView
from teamops.tui.widgets.searchbar import SearchBar

EVERYWHERE: Final = (
    "search",
    "findings",
    "task",
    "tasks",
    "costs",
    "alert_codes",
    "boundaries",
    "day_report",
    "sign_off",
    "palette",
    "help",
    "back",
    "leave",
)
"""What works on each of these screens."""


class ListScreen(TeamScreen):
    """Head, list, keys; ``/`` filters, Esc ends the filter and then leaves."""

    DEFAULT_CSS = """
    ListScreen { layout: vertical; background: $background; }
    ListScreen Page { height: auto; padding: 0 1; }
    ListScreen #body { height: 1fr; border-top: heavy $pane-focus; border-title-color: $pane-focus;
        border-title-style: bold; }
    ListScreen #body RowView { height: 1fr; }
    """
    BINDINGS = keys.bindings(only=EVERYWHERE)
    SEARCHED = "list"
    """What the search line says that it filters."""

    def __init__(self, rows: RowView, palette: Palette, first: Snapshot) -> None:
        super().__init__()
        self.palette = palette
        self.snapshot = first
        self.head = Page(palette)
        self.list = rows
        self.keybar = KeyBar(palette)
        self.bar = SearchBar()
        self.filter = ""
        """Case-folded; empty = all rows."""

    def compose(self) -> ComposeResult:
        """Make head, list and keys."""
        yield self.head
        with Vertical(id="body"):
            yield from self.body()
        yield self.bar
        yield self.keybar

    def body(self) -> ComposeResult:
        """Make what stands between head and keys."""
        yield self.list

    def on_mount(self) -> None:
        """Show the snapshot with the first frame."""
        self.list.focus()
        self.show(self.snapshot)

    def on_resize(self) -> None:
        """Draw for the new width."""
        self.show(self.snapshot)

    def show(self, snapshot: Snapshot) -> None:
        """Show ``snapshot``."""
        self.snapshot = snapshot
        self.draw()

    def draw(self) -> None:
        """Draw what is known now."""
        raise NotImplementedError

    def name_list(self, text: str) -> None:
        """Name the list; said only where it is another name, since that draws its frame anew."""
        body = self.query_one("#body", Widget)
        told = f" {text}{' · filtered' if self.filter else ''} "
        if body.border_title != told:
            body.border_title = told

    def show_keys(self, acts: tuple[str, ...], off: frozenset[str] = frozenset()) -> None:
        """Show the keys of ``acts``."""
        note = f"/{self.filter}  Esc ends it" if self.filter else ""
        self.keybar.show([keys.act(act_id) for act_id in acts], off, note)

    def wanted(self, *texts: str | None) -> bool:
        """Return whether one of ``texts`` has what is searched for."""
        return not self.filter or any(self.filter in (text or "").casefold() for text in texts)

    # What every one of them can do.

    def action_search(self) -> None:
        """Open the search line."""
        self.bar.open(self.SEARCHED, self.filter)

    def on_search_bar_typed(self, event: SearchBar.Typed) -> None:
        """Filter while the person types."""
        self.set_filter(event.text)

    def on_search_bar_left(self, event: SearchBar.Left) -> None:
        """Give the focus back to the list."""
        if not event.kept:
            self.set_filter("")
        self.list.focus()

    def set_filter(self, text: str) -> None:
        """Show only rows that have ``text``."""
        wanted = text.strip().casefold()
        if wanted != self.filter:
            self.filter = wanted
            self.draw()

    def action_detail(self) -> None:
        """Open the row under the cursor."""

    def action_back(self) -> None:
        """End a filter, else leave."""
        if self.bar.display:
            self.bar.close()
        elif self.filter:
            self.set_filter("")
        else:
            self.dismiss(None)

    def action_leave(self) -> None:
        """Leave this screen: q leaves one thing at a time."""
        self.dismiss(None)
