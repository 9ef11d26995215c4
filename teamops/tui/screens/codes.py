"""Every alert there is: what it means, what shows it, whether it calls the person, what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.strip import Strip

from teamops.model.snapshot import Snapshot
from teamops.tui import keys, words
from teamops.tui.screens.listing import ListScreen
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.page import Page
from teamops.tui.widgets.rows import RowView

if TYPE_CHECKING:
    from teamops.model.alert import AlertRule

CODE = 21
"""Cells for a code."""


class CodeList(RowView):
    """One line a code: how grave it is, whether it fires now, what it means."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="codes")
        self.empty = ("No alert has that text.", "Esc ends the filter.")
        self.firing: frozenset[str] = frozenset()

    def identity(self, row: object) -> object:
        """A rule is its code."""
        return getattr(row, "code", row)

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return the code's line."""
        rule: AlertRule = row  # type: ignore[assignment]  # the list shows nothing else
        colours = self.palette
        symbol, style = words.SEVERITIES[rule.severity]
        fires = rule.code in self.firing
        line = Line().add(f"{words.CURSOR} " if chosen else "  ", colours.accent)
        line.add(f"{symbol} ", colours.named(style)).add(rule.code, colours.bad if fires else colours.strong, CODE)
        line.add("  ▲ fires " if fires else "          ", colours.bad)
        line.add("calls you  " if rule.page else "           ", colours.dim)
        line.add(rule.meaning, colours.text, max(1, width - line.width))
        return [line.strip(width, colours.cursor if chosen else None)]


class CodesScreen(ListScreen):
    """The list, and below it the chosen code in full."""

    DEFAULT_CSS = """
    CodesScreen #chosen { border-top: solid $pane-rule; min-height: 6; max-height: 50%; }
    """
    BINDINGS = keys.bindings(keys.Where.CODES)
    SEARCHED = "alerts"

    def __init__(self, rules: Mapping[str, AlertRule], palette: Palette, first: Snapshot, code: str = "") -> None:
        self.codes = CodeList(palette)
        super().__init__(self.codes, palette, first)
        self.rules = tuple(rules.values())
        self.first_code = code
        self.chosen = Page(palette)
        self.chosen.id = "chosen"
        self._drawn: tuple[str, frozenset[str]] | None = None

    def body(self) -> ComposeResult:
        """Make the list and the chosen code below it."""
        yield self.list
        yield self.chosen

    def on_mount(self) -> None:
        """Show the list, the cursor on the code that was asked for."""
        super().on_mount()
        places = [place for place, rule in enumerate(self.rules) if rule.code == self.first_code]
        if places:
            self.list.move_to(places[0])

    @property
    def rule(self) -> AlertRule | None:
        """The chosen code's rule."""
        return self.list.row  # type: ignore[return-value]  # the list shows nothing else

    def draw(self) -> None:
        """Draw the codes, and which of them fire now."""
        firing = frozenset(alert.code for alert in self.snapshot.alerts if alert.listed)
        self.head.show(
            [
                Line()
                .add("Every alert there is", self.palette.strong)
                .add(f"   {len(self.rules)} of them, {len(firing)} now", self.palette.dim)
            ]
        )
        if self._drawn != (self.filter, firing):
            self._drawn = (self.filter, firing)
            self.codes.firing = firing
            self.list.show(
                [rule for rule in self.rules if self.wanted(rule.code, rule.meaning, rule.do, rule.severity_words)]
            )
            self.list.redraw()
        self.name_list("Alerts")
        self._draw_chosen()

    def _draw_chosen(self) -> None:
        rule, colours = self.rule, self.palette
        self.show_keys(("back", "search", "help"))
        if rule is None:
            self.chosen.show([])
            return
        symbol, style = words.SEVERITIES[rule.severity]
        head = Line().add(f"{symbol} {rule.severity_words} ", colours.named(style)).add(rule.code, colours.strong)
        head.add(f"   {self._when(rule)}", colours.dim)
        told = f"calls you away from the screen: {rule.paged}" if rule.page else "calls nobody away from the screen"
        lines = [
            head,
            Line(hang=2).add(rule.meaning, colours.text),
            Line(hang=2).add("shown by  ", colours.dim).add(rule.evidence, colours.text),
            Line(hang=2).add("→ ", colours.accent).add(rule.do.replace("`", ""), colours.text),
            Line(hang=2).add(told, colours.dim),
        ]
        if rule.inhibits:
            lines.append(Line(hang=2).add(f"hides  {', '.join(sorted(rule.inhibits))}", colours.faint))
        self.chosen.show(lines)

    @staticmethod
    def _when(rule: AlertRule) -> str:
        said = ["at once" if rule.for_s == 0 else f"after {words.age(rule.for_s)}"]
        if rule.page and rule.repeat_s is not None:
            said.append(f"told again every {words.age(rule.repeat_s)}")
        return ", ".join(said)

    def on_row_view_moved(self) -> None:
        """Show the code the cursor came to in full."""
        self._draw_chosen()
