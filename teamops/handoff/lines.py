"""The lines under a section's heading, each with what it is: text that may open a point, or text that may not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

LINE_LIMIT = 4_000
"""Longer lines are cut."""

_TAB = 4
_FENCE = re.compile(r"(?:(`{3,})[^`]*|(~{3,}).*)$")
_MARKER = re.compile(r"(?:[-*+]|[0-9]{1,3}[.)])(?: +|$)")
_HEADING = re.compile(r"#{1,6}(?: |$)")
_RULE = re.compile(r"([-*_])(?: *\1){2,}$")
_COMMENT = re.compile(r"<!--.*?-->")


class Kind(Enum):
    """What a line is."""

    TEXT = "text"
    BLANK = "blank"
    HEADING = "heading"
    QUOTE = "quote"
    """Words of somebody else."""
    CODE = "code"
    """A line inside a fence."""


class Line(Struct, frozen=True):
    """One line of a section."""

    number: int
    """1-based line in the file."""
    indent: int
    """Columns before its text."""
    text: str
    """Without the blanks around it, and without comments."""
    kind: Kind


def read_lines(written: Sequence[str], first: int) -> list[Line]:
    """Return the lines ``written``, the first of which is line ``first`` of the file.

    Comments and the marks of fences are left out. A fence inside a list item ends with the item, as in CommonMark, so
    one that was forgotten swallows no other point.
    """
    lines: list[Line] = []
    run, in_comment, item, held = "", False, 0, 0
    for number, raw in enumerate(written, first):
        line = raw[:LINE_LIMIT].expandtabs(_TAB).rstrip()
        text = line.lstrip()
        indent = len(line) - len(text)
        if run and (not text or indent >= held):
            if text.startswith(run) and not text.strip(run[0]):
                run = ""
            else:
                lines.append(Line(number, indent, text, Kind.CODE if text else Kind.BLANK))
            continue
        run = ""
        if in_comment:
            _, ended, text = text.partition("-->")
            in_comment = not ended
        elif text.startswith("<!--") and "-->" not in text:
            in_comment, text = True, ""
        else:
            item = _item(lines, indent, text, item)
        text = "" if _RULE.match(text) else _COMMENT.sub("", text).strip()
        marker = _MARKER.match(text)
        begin = marker.end() if marker else 0
        if fence := _FENCE.match(text, begin):
            run, held = fence[1] or fence[2], item if indent + begin >= item else 0
            text = text[:begin].strip()
        if text or not (in_comment or fence):
            lines.append(Line(number, indent, text, _kind(text)))
    return lines


def _item(before: list[Line], indent: int, text: str, item: int) -> int:
    """Return the column from which on text belongs to the list item that is open after this line; 0 = none is."""
    marker = _MARKER.match(text)
    if marker:
        return item if item and indent >= item else indent + len(marker[0])
    is_over = text and indent < item and before and before[-1].kind is Kind.BLANK
    return 0 if is_over else item


def _kind(text: str) -> Kind:
    if not text:
        return Kind.BLANK
    if text.startswith(">"):
        return Kind.QUOTE
    return Kind.HEADING if _HEADING.match(text) else Kind.TEXT
