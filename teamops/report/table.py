"""Tables for people: columns in line whatever the script, in the width of a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from teamops.model.text import clean_line

WIDTH = 80
NOTHING = "–"  # noqa: RUF001 - a dash for people
_GAP = "  "
_JOINT = "\u00a0"
_LEAST = 8
"""No column is cut below this."""


def table(
    head: tuple[str, ...], rows: Sequence[tuple[str, ...]], width: int = WIDTH, give: tuple[int, ...] = ()
) -> str:
    """Return lines of columns. Where they are wider than ``width``, the columns ``give`` are cut, the widest first."""
    widths = [max(cells(row[column]) for row in (head, *rows)) for column in range(len(head))]
    excess = sum(widths) + len(_GAP) * (len(head) - 1) - width
    while excess > 0 and give:
        widest = max(give, key=lambda column: widths[column])
        if widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
        excess -= 1
    lines = []
    for row in (head, *rows):
        shown = (fit(cell, width) for cell, width in zip(row, widths, strict=True))
        lines.append(_GAP.join(shown).rstrip())
    return "\n".join(lines)


def wrapped(text: str, width: int = WIDTH, first: str = "", rest: str = "") -> list[str]:
    """Return ``text`` on lines of at most ``width`` columns, begun by ``first`` and then ``rest``.

    What ``kept`` has joined stays on one line.
    """
    lines, line, begun = [], first, False
    for word in text.replace("\n", " ").split(" "):
        if not word:
            continue
        if begun and cells(line) + 1 + cells(word) > width:
            lines.append(line)
            line, begun = rest, False
        line += f" {word}" if begun else word
        begun = True
    shown = [*lines, line] if begun or not lines else lines
    return [line.replace(_JOINT, " ") for line in shown]


def kept(text: str) -> str:
    """Return ``text`` so that ``wrapped`` does not break it."""
    return text.replace(" ", _JOINT)


def or_dash(value: object, limit: int = 48) -> str:
    """Return ``value`` cleaned on one line; a dash for nothing."""
    return NOTHING if value is None or value == "" else clean_line(str(value), limit)


def fit(text: str, width: int) -> str:
    """Return ``text`` cut or filled up to ``width`` columns."""
    if cells(text) > width:
        while text and cells(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - cells(text))


def cells(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def counted(count: int, what: str) -> str:
    """Return a count in words: ``1 block``, ``2 blocks``."""
    return f"{count} {what}{'' if count == 1 else 's'}"
