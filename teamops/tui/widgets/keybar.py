"""The last line: the keys that work here, from the registry; those that don't now are dim."""

from __future__ import annotations

from textual.strip import Strip
from textual.widget import Widget

from teamops.tui import keys
from teamops.tui.strips import Line
from teamops.tui.theme import Palette


class KeyBar(Widget):
    """Keys and their labels, as many as fit; the last ones (help, quit) always."""

    DEFAULT_CSS = "KeyBar { dock: bottom; height: 1; }"

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="keybar")
        self.palette = palette
        self._acts: list[keys.Act] = []
        self._off: frozenset[str] = frozenset()
        self._note = ""

    def show(self, acts: list[keys.Act], off: frozenset[str], note: str = "") -> None:
        """Show ``acts``, those whose id is in ``off`` as not possible now; ``note`` stands before them."""
        if (acts, off, note) != (self._acts, self._off, self._note):
            self._acts, self._off, self._note = acts, off, note
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - one line only
        """Return the line."""
        width, colours = self.size.width, self.palette
        line = Line().add(" ")
        if self._note:
            line.add(f"{self._note}  ", colours.warn)
        must = [entry for entry in self._acts if entry.id in ("help", "leave")]
        room = width - sum(len(self._words(entry)) + 2 for entry in must)
        for entry in self._acts:
            if entry not in must and line.width + len(self._words(entry)) + 2 > room:
                continue
            off = entry.id in self._off
            line.add(keys.shown(entry.keys[0]), colours.faint if off else colours.key)
            line.add(f" {entry.label}  ", colours.faint if off else colours.dim)
        return line.strip(width).apply_style(self.rich_style)

    @staticmethod
    def _words(entry: keys.Act) -> str:
        return f"{keys.shown(entry.keys[0])} {entry.label}"
