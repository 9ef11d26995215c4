"""One change past a boundary: its evidence, its difference, and what the person does about it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.containers import Vertical

from teamops.model.boundary import Violation
from teamops.model.errors import TeamopsError
from teamops.model.snapshot import SettleViolation, Snapshot
from teamops.tui import boundary_words, keys
from teamops.tui.agent_words import moment
from teamops.tui.rules import SETTLES, why_not_settle
from teamops.tui.screens.base import TeamScreen, TeamWindow
from teamops.tui.screens.diff import MOST_LINES, diff_line
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.keybar import KeyBar
from teamops.tui.widgets.page import Page
from teamops.tui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from teamops.tui.app import TeamopsApp

_ASKED: Final[Mapping[str, tuple[str, str, str]]] = {
    "let_stand": (
        "Accept the change",
        "The file stays as it is, and the change counts as yours. The record keeps it.",
        "Accepting",
    ),
    "quarantine": (
        "Quarantine the change",
        "The file goes back to what it was before; the change is kept as a patch and can be put back (R).",
        "Quarantining",
    ),
    "restore": (
        "Put the change back",
        "The file becomes what the agent made of it. It counts as yours then.",
        "Restoring",
    ),
}
"""What each act is called, what it does, and how it is said to be under way."""


class ViolationScreen(TeamScreen):
    """Head, evidence, and the difference below it: its signs say what its colours say."""

    DEFAULT_CSS = """
    ViolationScreen { layout: vertical; background: $background; }
    ViolationScreen Page { height: auto; padding: 0 1; }
    ViolationScreen Sheet {
        border-top: heavy $pane-focus; border-title-color: $pane-focus; border-title-style: bold;
    }
    """
    BINDINGS = keys.bindings(keys.Where.BOUNDARIES, only=("palette", "help", "back", "leave"))

    def __init__(self, violation: Violation, palette: Palette) -> None:
        super().__init__()
        self.violation = violation
        self.palette = palette
        self.head = Page(palette)
        self.sheet = Sheet(palette, id="change")
        self.keybar = KeyBar(palette)
        self._change = [Line().add("looking…", palette.dim)]

    def compose(self) -> ComposeResult:
        """Make head, evidence with the difference, and keys."""
        yield self.head
        yield self.sheet
        yield self.keybar

    def on_mount(self) -> None:
        """Ask for the difference."""
        self.sheet.border_title = " Its evidence and the change "
        self.sheet.focus()
        self._draw()
        query = partial(self.team.port.violation_diff, self.violation.id)
        self.team.ask("violation", query, self._show_diff, refused=self._refuse)

    def on_unmount(self) -> None:
        """Want no answer any more."""
        self.team.drop("violation")

    def show(self, snapshot: Snapshot) -> None:
        """Show what became of it, here or elsewhere."""
        now = next((one for one in snapshot.violations if one.id == self.violation.id), self.violation)
        if now != self.violation:
            self.violation = now
            self._draw()

    def _draw(self) -> None:
        one, colours, now = self.violation, self.palette, self.team.snapshot.stamp.wall
        symbol, style = boundary_words.STATES[one.state]
        head = Line(hang=2).add(f"{symbol} {one.state}", colours.named(style)).add(f"  {one.path}", colours.strong)
        head.add(f"  {one.change} {boundary_words.size(one)}".rstrip(), colours.text)
        head.add(f"  {moment(one.wall, now)}", colours.dim)
        why = Line(hang=2).add(one.why, colours.text).add(f" ({one.rule})" if one.rule else "", colours.dim)
        lines = [head, why, Line(hang=2).add(one.it_was, colours.text)]
        if one.note:
            when = "" if one.changed_wall is None else f"  {moment(one.changed_wall, now)}"
            lines.append(Line(hang=2).add(one.note, colours.warn).add(when, colours.dim))
        self.head.show(lines)
        evidence = [Line(hang=4).add("  · ", colours.faint).add(text, colours.text) for text in one.evidence]
        evidence = evidence or [Line().add("  None but the change itself.", colours.dim)]
        told = Line().add("Evidence", colours.accent).add("  best first", colours.dim)
        change = Line().add("The change", colours.accent).add("  - ", colours.bad).add("stood there", colours.dim)
        change.add("  + ", colours.ok).add("was made of it", colours.dim)
        self.sheet.show([told, *evidence, Line(), change, *self._change])
        off = frozenset(act for act in SETTLES if why_not_settle(act, one))
        self.keybar.show([keys.act(act_id) for act_id in ("back", *SETTLES, "help")], off)

    def _show_diff(self, lines: tuple[str, ...]) -> None:
        self._change = [diff_line(line, self.palette) for line in lines[:MOST_LINES]]
        if len(lines) > MOST_LINES:
            self._change.append(Line().add(f"… {len(lines) - MOST_LINES} more lines", self.palette.warn))
        if not lines:
            self._change = [Line().add("  The two are the same.", self.palette.dim)]
        self._draw()

    def _refuse(self, error: TeamopsError) -> None:
        self._change = [Line(hang=2).add(f"✖ {error}", self.palette.bad)]
        self._draw()

    def action_let_stand(self) -> None:
        """Ask whether to let the change stand."""
        ask_to_settle(self.team, "let_stand", self.violation, self.palette)

    def action_quarantine(self) -> None:
        """Ask whether to undo the change and keep it as a patch."""
        ask_to_settle(self.team, "quarantine", self.violation, self.palette)

    def action_restore(self) -> None:
        """Ask whether to put the change back."""
        ask_to_settle(self.team, "restore", self.violation, self.palette)

    def action_back(self) -> None:
        """Back to the boundaries."""
        self.dismiss(None)

    def action_leave(self) -> None:
        """Back to the boundaries: q leaves one thing at a time."""
        self.dismiss(None)


def ask_to_settle(team: TeamopsApp, act: str, violation: Violation | None, palette: Palette) -> None:
    """Ask before anything is done about a violation, or say why nothing can be."""
    reason = why_not_settle(act, violation)
    if reason or violation is None:
        team.refuse(reason)
    else:
        team.push_screen(SettleWindow(act, violation, palette))


class SettleWindow(TeamWindow):
    """Says what will be done; only y does it."""

    BINDINGS = [  # noqa: RUF012 - Textual declares it so
        ("y", "confirm", "do it"),
        ("n,escape,q", "back", "leave it"),
    ]

    def __init__(self, act: str, violation: Violation, palette: Palette) -> None:
        super().__init__()
        self.act = act
        self.violation = violation
        self.palette = palette
        self.page = Page(palette)

    def compose(self) -> ComposeResult:
        """Make the question."""
        with Vertical(classes="window") as frame:
            frame.border_title = _ASKED[self.act][0]
            yield self.page

    def on_mount(self) -> None:
        """Ask."""
        self._ask("")

    def show(self, snapshot: Snapshot) -> None:
        """Say so where it was settled meanwhile: what would be done is another thing then."""
        now = next((one for one in snapshot.violations if one.id == self.violation.id), self.violation)
        if now.state is not self.violation.state:
            self.violation = now
            self._ask(why_not_settle(self.act, now))

    def _ask(self, settled: str) -> None:
        one, colours = self.violation, self.palette
        what = Line(hang=2).add(one.path, colours.strong)
        what.add(f"  {one.change} {boundary_words.size(one)}".rstrip(), colours.text)
        does = settled or _ASKED[self.act][1]
        asked = Line().add("y", colours.key).add(f" {keys.act(self.act).label}   ", colours.dim)
        asked.add("n", colours.key).add(" or ", colours.dim).add("Esc", colours.key).add(" leave it", colours.dim)
        why = Line(hang=2).add(f"{one.why}; {one.it_was}", colours.text)
        self.page.show([what, why, Line(), Line().add(does, colours.warn), Line(), asked])

    def action_confirm(self) -> None:
        """Do it."""
        self.dismiss(None)
        reason = why_not_settle(self.act, self.violation)
        if reason:
            self.team.refuse(reason)
            return
        doing = f"{_ASKED[self.act][2]} the change of {self.violation.path}"
        self.team.intend(SettleViolation(self.violation.id, SETTLES[self.act]), doing)
