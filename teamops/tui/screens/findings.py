"""What is to be mended: the handoff file's problems and the protocol's findings, each with a way to its line."""

from __future__ import annotations

from collections import Counter

from textual.app import ComposeResult
from textual.strip import Strip

from teamops.model.handoff import Severity, Task
from teamops.model.snapshot import Snapshot
from teamops.tui import keys, words
from teamops.tui.faults import Fault, Faults
from teamops.tui.rules import why_no_diff
from teamops.tui.screens.listing import ListScreen
from teamops.tui.strips import Line
from teamops.tui.tasks import find_task, shown
from teamops.tui.theme import Palette
from teamops.tui.widgets.page import Page
from teamops.tui.widgets.rows import RowView

ROOMY = 100
"""From so many cells a row has its task and its author too."""


class FaultList(RowView):
    """One line a fault: severity, code, line, task, what is wrong."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="faults")

    def identity(self, row: object) -> object:
        """A fault is its cause and its place."""
        return (row.code, row.index, row.line, row.message) if isinstance(row, Fault) else row

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return the fault's line."""
        if not isinstance(row, Fault):
            raise TypeError(row)
        colours = self.palette
        symbol, style = words.SEVERITIES[row.severity]
        line = Line().add(f"{words.CURSOR} " if chosen else "  ", colours.accent)
        line.add(f"{symbol} {row.severity}", colours.named(style), 10).add(" ")
        line.add(str(row.line), colours.dim, 6, "right").add("  ")
        line.add(row.code, colours.strong, 21).add(" ")
        if width >= ROOMY:
            line.add(row.role or "", colours.dim, 10).add(shown(row.task), colours.dim, 18).add(" ")
        line.add(row.message, colours.text, max(1, width - line.width))
        return [line.strip(width, colours.cursor if chosen else None)]


class FindingsScreen(ListScreen):
    """The list, and below it the chosen fault in full."""

    DEFAULT_CSS = """
    FindingsScreen #chosen { border-top: solid $pane-rule; min-height: 4; max-height: 50%; }
    """
    BINDINGS = keys.bindings(keys.Where.FINDINGS)
    SEARCHED = "findings"

    def __init__(self, palette: Palette, first: Snapshot) -> None:
        super().__init__(FaultList(palette), palette, first)
        self.faults = Faults()
        self._drawn: tuple[tuple[Fault, ...], str] | None = None
        self.chosen = Page(palette)
        self.chosen.id = "chosen"

    def body(self) -> ComposeResult:
        """Make the list and the chosen fault below it."""
        yield self.list
        yield self.chosen

    @property
    def chosen_task(self) -> Task | None:
        """The chosen fault's task."""
        return find_task(self.snapshot, self.fault.task) if self.fault else super().chosen_task

    @property
    def fault(self) -> Fault | None:
        """The chosen fault."""
        row = self.list.row
        return row if isinstance(row, Fault) else None

    def draw(self) -> None:
        """Draw the faults of the newest snapshot."""
        snapshot = self.snapshot
        faults = self.faults.of(snapshot)
        self.head.show([self._counts(faults)])
        # An empty list says what comes next, not only that there is nothing.
        if self.filter:
            self.list.empty = ("No finding has that text.", "Esc ends the filter.")
        elif not snapshot.blocks:
            self.list.empty = (
                "No block yet.",
                "Blocks that break a rule of the protocol appear here.",
            )
        else:
            self.list.empty = (
                "✓ Nothing is to be mended.",
                "Every block keeps the protocol. A (sign off) and t (task) show how far the work is.",
            )
        if self._drawn is None or self._drawn[0] is not faults or self._drawn[1] != self.filter:
            self._drawn = (faults, self.filter)
            self.list.show([fault for fault in faults if self._wanted(fault)])
        self.name_list("Findings")
        self._draw_chosen()

    def _wanted(self, fault: Fault) -> bool:
        return self.wanted(
            fault.code, fault.severity, fault.message, fault.hint, fault.task, fault.role, f"line {fault.line}"
        )

    def _counts(self, faults: tuple[Fault, ...]) -> Line:
        line = Line().add("To be mended in ", self.palette.dim).add(self.snapshot.handoff_path, self.palette.strong)
        if self.snapshot.handoff_trouble:
            line.add(f"  ▲ {self.snapshot.handoff_trouble}", self.palette.bad)
        number = Counter(fault.severity for fault in faults)
        for severity in (Severity.CRITICAL, Severity.ERROR, Severity.WARNING, Severity.INFO):
            if number[severity]:
                symbol, style = words.SEVERITIES[severity]
                line.add(f"   {symbol} {number[severity]} {severity}", self.palette.named(style))
        return line

    def _draw_chosen(self) -> None:
        fault, colours = self.fault, self.palette
        self.show_keys(
            ("back", "detail", "diff", "search", "task", "tasks", "help"),
            frozenset({"diff"} if why_no_diff(fault) else ()),
        )
        if fault is None:
            self.chosen.show([])
            return
        symbol, style = words.SEVERITIES[fault.severity]
        head = Line().add(f"{symbol} {fault.severity} ", colours.named(style)).add(fault.code, colours.strong)
        place = f"  line {fault.line}" if fault.index >= 0 or fault.line else "  no more in the file"
        head.add(place, colours.dim).add(f"  {shown(fault.task)}", colours.dim)
        if fault.role:
            head.add(f"  by {fault.role}", colours.dim)
        lines = [head, Line().add(fault.message, colours.text)]
        if fault.hint:
            lines.append(Line(hang=2).add("→ ", colours.accent).add(fault.hint, colours.text))
        ways = Line().add("Enter", colours.key)
        if fault.tamper is not None:
            ways.add(" or ", colours.dim).add("d", colours.key).add(" shows what was changed", colours.dim)
        else:
            ways.add(f" goes to line {fault.line}", colours.dim)
        self.chosen.show([*lines, ways.add("   t", colours.key).add(" opens its task", colours.dim)])

    def on_row_view_moved(self) -> None:
        """Show the fault the cursor came to in full."""
        self._draw_chosen()

    def on_row_view_chosen(self) -> None:
        """Go to the fault's line; for a rewritten block, to what was changed."""
        fault = self.fault
        if fault is None:
            return
        if fault.tamper is not None:
            self.team.doors.diff(fault)
        else:
            self.team.doors.line(fault.line)

    def action_diff(self) -> None:
        """Show what was changed in the block."""
        self.team.doors.diff(self.fault)
