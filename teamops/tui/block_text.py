"""A block's text as the handoff pane shows it: drawn, and the place in it that is wanted."""

from __future__ import annotations

from msgspec import Struct

from teamops.tui.paper import draw, lines_above
from teamops.tui.strips import Line
from teamops.tui.theme import Palette


class DrawnBlock(Struct, frozen=True):
    """A block's lines of cells."""

    lines: list[Line]
    at: int | None = None
    """The line to scroll to; ``None``: stay where the person is."""
    marked: range = range(0)
    """Lines that were asked for."""


def draw_block(text: str, width: int, palette: Palette, found: str = "", line: int | None = None) -> DrawnBlock:
    """Draw a block's Markdown without its heading, which the pane shows above it.

    ``found`` is marked; ``line`` is the wanted line of the block, 0 its heading.
    """
    first, _, rest = text.partition("\n")
    body, left_out = text, 0
    if first.lstrip().startswith("###"):
        body = rest.lstrip("\n")
        left_out = 1 + len(rest) - len(body)
    lines = draw(body, width, palette, found)
    if line is not None:
        if line < left_out:
            return DrawnBlock(lines, 0)
        above = lines_above(body, width, palette, line - left_out)
        marked = range(above, lines_above(body, width, palette, line - left_out + 1))
        return DrawnBlock(lines, above, marked)
    at = next((place for place, drawn in enumerate(lines) if found and drawn.has(palette.match)), 0)
    return DrawnBlock(lines, at or None)
