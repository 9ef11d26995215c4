"""Lines of cells from outside text: measured, cut, styled, never interpreted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from teamops.model.text import clean_line

_PIECE = 64
_STRIP = frozenset("▁▂▃▄▅▆▇█")
LONGEST = 2000
"""Characters of one piece of text that are looked at: longer ones are nothing to read on a screen."""
Align = Literal["left", "right", "centre"]


def plain(text: str) -> str:
    """Return ``text`` as one printable line. Snapshots are clean already; what is drawn is sure to be."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else "�" for sign in clean_line(text, 2000))


def fit(text: str, width: int, align: Align = "left") -> str:
    """Return ``text`` in exactly ``width`` cells; an ellipsis says that it was cut."""
    if width <= 0:
        return ""
    text = plain(text[:LONGEST])
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    if align == "right":
        return " " * (width - length) + text
    if align == "centre":
        left = (width - length) // 2
        return " " * left + text + " " * (width - length - left)
    return text + " " * (width - length)


class Line:
    """A line in the making: its cells so far, and how many they are."""

    __slots__ = ("hang", "segments", "width")

    def __init__(self, hang: int = 0) -> None:
        self.hang = hang
        """Where it is broken, what follows stands so many cells to the right."""
        self.segments: list[Segment] = []
        self.width = 0

    def add(self, text: str, style: Style | None = None, width: int | None = None, align: Align = "left") -> Line:
        """Add ``text``, as it is or in ``width`` cells."""
        text = plain(text[:LONGEST]) if width is None else fit(text, width, align)
        if text:
            self.width += cell_len(text)
            if self.segments and self.segments[-1].style is style:
                text = self.segments.pop().text + text
            self.segments.append(Segment(text, style))
        return self

    def put(self, other: Line) -> Line:
        """Add another line's cells."""
        self.segments.extend(other.segments)
        self.width += other.width
        return self

    def has(self, style: Style) -> bool:
        """Return whether some cells are in that very style."""
        return any(segment.style is style for segment in self.segments)

    def to(self, column: int) -> Line:
        """Add blanks up to ``column``."""
        return self.add(" " * (column - self.width)) if column > self.width else self

    def strip(self, width: int, base: Style | None = None) -> Strip:
        """Return the line in exactly ``width`` cells, ``base`` laid over every cell."""
        strip = Strip(self.segments, self.width).adjust_cell_length(width)
        return strip if base is None else Strip(_over(strip, base), width)


def _over(segments: Iterable[Segment], base: Style) -> list[Segment]:
    if not base.reverse:
        return [Segment(text, base if style is None else style + base) for text, style, _ in segments]
    # Colours turned inside out are a patchwork, and a strip of blocks turned inside out lies.
    return [
        Segment(text, style)
        if not _STRIP.isdisjoint(text)
        else Segment(text, base if style is None else Style(bold=style.bold) + base)
        for text, style, _ in segments
    ]


def spread(left: Line, right: Line, width: int) -> Line:
    """Return ``left`` and ``right`` at the two ends of ``width`` cells; the right end wins where both don't fit."""
    room = width - right.width
    line = Line()
    if left.width > room - 1:
        cut = Strip(left.segments, left.width).crop(0, max(0, room - 2))
        line.segments = list(cut)
        line.width = cut.cell_length
        if room > 2:
            line.add("…")
    else:
        line.put(left)
    return line.to(room).put(right)


def changed(old: Strip, new: Strip) -> tuple[int, int] | None:
    """Return the span of cells (start, end) in which two strips of one width differ; ``None`` where they don't."""
    if old == new:
        return None
    ours, theirs = list(old), list(new)
    start = 0
    while ours and theirs and ours[0] == theirs[0]:
        start += cell_len(ours.pop(0).text)
        theirs.pop(0)
    end = max(old.cell_length, new.cell_length)
    while ours and theirs and ours[-1] == theirs[-1]:
        end -= cell_len(ours.pop().text)
        theirs.pop()
    return start, end


def wrap(line: Line, width: int) -> list[Strip]:
    """Return ``line`` broken at blanks into strips of ``width`` cells; a word wider than that is broken anywhere."""
    strips = []
    hang = line.hang if line.hang < width // 2 else 0
    indent = Strip.blank(hang) if hang else Strip([])
    # In pieces: each crop measures the segments it meets, and short ones are measured once for all.
    pieces = [
        Segment(text[start : start + _PIECE], style)
        for text, style, _ in line.segments
        for start in range(0, len(text), _PIECE)
    ]
    rest, room = Strip(pieces), width
    while rest.cell_length > room:
        head = rest.crop(0, room + 1).text
        at = head.rfind(" ")
        blank = at > room // 3
        cut = cell_len(head[:at]) if blank else room
        strips.append(rest.crop(0, cut))
        rest, room = rest.crop(cut + blank), width - hang
    strips.append(rest)
    return [
        # Measured anew: signs that make one sign together are narrower than apart, and a crop may have parted them.
        Strip([*(indent if place else ()), *strip]).adjust_cell_length(width)
        for place, strip in enumerate(strips)
    ]
