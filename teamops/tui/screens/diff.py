"""What was changed in a block after it was handed on, and the question whether the person accepts it."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import Vertical

from teamops.model.errors import TeamopsError
from teamops.model.snapshot import AcceptTamper, Snapshot
from teamops.tui import keys
from teamops.tui.faults import Fault
from teamops.tui.screens.base import TeamScreen, TeamWindow
from teamops.tui.strips import Line
from teamops.tui.tasks import shown
from teamops.tui.theme import Palette
from teamops.tui.widgets.keybar import KeyBar
from teamops.tui.widgets.page import Page
from teamops.tui.widgets.sheet import Sheet

MOST_LINES = 5000
"""Lines of a difference that are drawn; the rest is said to be there."""


class DiffScreen(TeamScreen):
    """A unified difference, old against new: its signs say what its colours say."""

    DEFAULT_CSS = """
    DiffScreen { layout: vertical; background: $background; }
    DiffScreen Page { height: auto; padding: 0 1; }
    DiffScreen Sheet { border-top: heavy $pane-focus; border-title-color: $pane-focus; border-title-style: bold; }
    """
    BINDINGS = keys.bindings(keys.Where.DIFF, only=("detail", "help", "back", "leave"))

    def __init__(self, fault: Fault, palette: Palette) -> None:
        super().__init__()
        self.fault = fault
        self.palette = palette
        self.head = Page(palette)
        self.sheet = Sheet(palette, id="diff")
        self.keybar = KeyBar(palette)

    def compose(self) -> ComposeResult:
        """Make head, difference and keys."""
        yield self.head
        yield self.sheet
        yield self.keybar

    def on_mount(self) -> None:
        """Ask for the difference."""
        self.sheet.border_title = " The block as it was handed on, against the file now "
        self._draw_head()
        self.sheet.show([Line().add("looking…", self.palette.dim)])
        self.sheet.focus()
        self.keybar.show([keys.act(act_id) for act_id in ("back", "accept", "detail", "help")], frozenset())
        if self.fault.tamper is not None:
            query = partial(self.team.port.tamper_diff, self.fault.tamper)
            self.team.ask("diff", query, self._show_diff, refused=self._refuse)

    def on_unmount(self) -> None:
        """Want no answer any more."""
        self.team.drop("diff")

    def show(self, snapshot: Snapshot) -> None:
        """Say so once the change is accepted, here or elsewhere."""
        if all(finding.tamper != self.fault.tamper for finding in snapshot.findings):
            self._draw_head(over=True)

    def _draw_head(self, *, over: bool = False) -> None:
        fault, colours = self.fault, self.palette
        head = Line().add(f"✖ {fault.code}", colours.bad).add(f"  {shown(fault.task)}", colours.strong)
        if fault.index >= 0:
            head.add(f"  line {fault.line}", colours.dim)
        if over:
            head.add("  ✓ accepted: no finding any more", colours.ok)
        legend = Line().add("- ", colours.bad).add("stood there  ", colours.dim)
        legend.add("+ ", colours.ok).add("stands there now", colours.dim)
        self.head.show([head, Line().add(fault.message, colours.text), legend])

    def _show_diff(self, lines: tuple[str, ...]) -> None:
        if not lines:
            self.sheet.show([Line().add("The two are the same: it was changed back.", self.palette.dim)])
            return
        drawn = [diff_line(line, self.palette) for line in lines[:MOST_LINES]]
        if len(lines) > MOST_LINES:
            drawn.append(Line().add(f"… {len(lines) - MOST_LINES} more lines", self.palette.warn))
        self.sheet.show(drawn)

    def _refuse(self, error: TeamopsError) -> None:
        self.sheet.show([Line().add(f"✖ {error}", self.palette.bad)])

    def action_accept(self) -> None:
        """Ask whether to accept the change."""
        if all(finding.tamper != self.fault.tamper for finding in self.team.snapshot.findings):
            self.team.refuse("This change is accepted already.")
            return
        self.team.push_screen(AcceptWindow(self.fault, self.palette))

    def action_detail(self) -> None:
        """Go to the block in the file."""
        if self.fault.index < 0:
            self.team.refuse("The block is no more in the file: there is no line to go to.")
        else:
            self.team.doors.line(self.fault.line)

    def action_back(self) -> None:
        """Back to the findings."""
        self.dismiss(None)

    def action_leave(self) -> None:
        """Back to the findings: q leaves one thing at a time."""
        self.dismiss(None)


def diff_line(text: str, palette: Palette) -> Line:
    """Return a line of a unified difference; its sign stands apart, so that it is seen without colours too."""
    if text.startswith(("---", "+++")):
        return Line(hang=2).add(text, palette.strong)
    if text.startswith("@@"):
        return Line(hang=2).add(text, palette.info)
    if text.startswith("-"):
        return Line(hang=2).add("- ", palette.bad).add(text[1:], palette.bad)
    if text.startswith("+"):
        return Line(hang=2).add("+ ", palette.ok).add(text[1:], palette.ok)
    return Line(hang=2).add("  ").add(text[1:], palette.dim)


class AcceptWindow(TeamWindow):
    """Says what accepting means; only y does it."""

    BINDINGS = [  # noqa: RUF012 - Textual declares it so
        ("y", "confirm", "accept"),
        ("n,escape,q", "back", "leave it"),
    ]

    def __init__(self, fault: Fault, palette: Palette) -> None:
        super().__init__()
        self.fault = fault
        self.palette = palette
        self.page = Page(palette)

    def compose(self) -> ComposeResult:
        """Make the question."""
        with Vertical(classes="window") as frame:
            frame.border_title = "Accept the change"
            yield self.page

    def on_mount(self) -> None:
        """Ask."""
        colours = self.palette
        keys_ = Line().add("y", colours.key).add(" accept   ", colours.dim).add("n", colours.key)
        keys_.add(" or ", colours.dim).add("Esc", colours.key).add(" leave it a finding", colours.dim)
        self.page.show(
            [
                Line().add(self.fault.message, colours.strong),
                Line(),
                Line().add("The file stays as it is. The ledger keeps what stood there, and your name.", colours.warn),
                Line(),
                keys_,
            ]
        )

    def action_confirm(self) -> None:
        """Accept it."""
        self.dismiss(None)
        if self.fault.tamper is not None:
            self.team.intend(AcceptTamper(self.fault.tamper), "Accepting the change")
