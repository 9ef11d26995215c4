"""A block's Markdown as lines of cells: enough of it to read well, total on any text, nothing in it ever runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.style import Style

from teamops.model.text import clean
from teamops.tui.strips import Line, plain
from teamops.tui.theme import Palette

MOST_LINES = 5000
"""Source lines of one block that are drawn; the rest is said to be there."""
MOST_SIGNS = 10_000
"""Characters of one source line that are drawn."""
MOST_TEXT = 500_000
"""Characters of one block that are looked at."""

_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_BULLET = re.compile(r"(\s*)([-*+]|\d{1,9}[.)])\s+(.*)")
_FIELD = re.compile(r"(?:\*\*|__)([^*_:\uff1a]{1,40})(?:(?:\*\*|__)\s*[:\uff1a]|[:\uff1a](?:\*\*|__))\s*(.*)")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})\s*(.*)")
_RULE = re.compile(r"\s{0,3}([-*_])(?:\s*\1){2,}\s*")
_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|__([^_]+)__|(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])")

Run = tuple[str, Style]


class _Paragraph(Struct, frozen=True):
    """A source line on its way to be wrapped."""

    runs: list[Run]
    first: Run = ("", Style.null())
    """Stands before the first line …"""
    rest: Run = ("", Style.null())
    """… and this before its continuation."""
    hard: bool = False
    """Code: broken anywhere, its blanks kept."""


def draw(text: str, width: int, palette: Palette, found: str = "") -> list[Line]:
    """Return ``text`` in lines of at most ``width`` cells; ``found`` is marked in it (case-insensitive)."""
    lines: list[Line] = []
    source = clean(text[:MOST_TEXT]).expandtabs(4).split("\n")
    while source and not source[-1].strip():
        source.pop()
    for paragraph in _paragraphs(source[:MOST_LINES], max(8, width), palette):
        lines += _wrap(paragraph, max(8, width), palette, found.casefold())
    if len(source) > MOST_LINES or len(text) > MOST_TEXT:
        lines.append(Line().add("… The rest of this long block stands in the file.", palette.warn))
    return lines


def lines_above(text: str, width: int, palette: Palette, row: int) -> int:
    """Return how many lines ``draw`` makes of what stands above the 0-based line ``row`` of ``text``."""
    source = clean(text[:MOST_TEXT]).expandtabs(4).split("\n")[: min(row, MOST_LINES)]
    return sum(len(_wrap(one, max(8, width), palette, "")) for one in _paragraphs(source, max(8, width), palette))


def _paragraphs(source: list[str], width: int, palette: Palette) -> Iterator[_Paragraph]:
    fence = ""
    bar: Run = ("▎ ", palette.faint)
    for raw in source:
        line = raw[:MOST_SIGNS] + (" …" if len(raw) > MOST_SIGNS else "")
        mark = _FENCE.fullmatch(line)
        if fence:
            if mark and mark[1][0] == fence[0] and len(mark[1]) >= len(fence) and not mark[2]:
                fence = ""
            else:
                yield _Paragraph([(line, palette.code)], bar, bar, hard=True)
        elif mark and not ("`" in mark[2] and mark[1][0] == "`"):
            fence = mark[1]
            if mark[2]:
                yield _Paragraph([(mark[2], palette.faint)], bar, bar)
        else:
            yield _plain_paragraph(line, width, palette)


def _plain_paragraph(line: str, width: int, palette: Palette) -> _Paragraph:
    heading = _HEADING.fullmatch(line)
    if heading:
        style = palette.accent if len(heading[1]) != 4 else palette.strong
        mark = "▌ " if len(heading[1]) <= 3 else ""
        return _Paragraph([(heading[2], style)], (mark, palette.accent), (mark, palette.accent))
    field = _FIELD.fullmatch(line)
    if field:
        name = f"{field[1].strip():<8} "
        return _Paragraph(_inline(field[2], palette), (name, palette.faint), (" " * len(name), palette.faint))
    if _RULE.fullmatch(line):
        return _Paragraph([("─" * width, palette.rule)], hard=True)
    bullet = _BULLET.fullmatch(line)
    if bullet:
        indent = " " * min(12, len(bullet[1]))
        mark = "•" if bullet[2] in "-*+" else bullet[2]
        first = f"{indent}{mark} "
        return _Paragraph(_inline(bullet[3], palette), (first, palette.accent), (" " * len(first), palette.accent))
    if line.lstrip().startswith(">"):
        bar = ("│ ", palette.faint)
        return _Paragraph([(line.lstrip().lstrip("> "), palette.dim)], bar, bar)
    return _Paragraph(_inline(line, palette))


def _inline(text: str, palette: Palette) -> list[Run]:
    runs: list[Run] = []
    end = 0
    for match in _INLINE.finditer(text):
        if match.start() > end:
            runs.append((text[end : match.start()], palette.text))
        code, strong, also_strong, soft = match.groups()
        if code is not None:
            runs.append((code, palette.code))
        else:
            bold = strong or also_strong
            runs.append((bold, palette.strong) if bold else (soft, palette.text + Style(italic=True)))
        end = match.end()
    if end < len(text):
        runs.append((text[end:], palette.text))
    return runs


def _wrap(paragraph: _Paragraph, width: int, palette: Palette, found: str) -> list[Line]:
    """Break at blanks, or anywhere in code and where a word is wider than the line."""
    lines = [Line().add(*paragraph.first)]
    indent = paragraph.rest
    if cell_len(indent[0]) > width // 2:
        indent = ("", palette.text)
    for text, style in _marked(paragraph.runs, palette, found):
        pieces = [text] if paragraph.hard else re.findall(r" +|[^ ]+", text)
        for whole in pieces:
            piece = plain(whole)
            while piece:
                room = width - lines[-1].width
                # Measuring all of a very long word again for each of its lines would take its square.
                length = cell_len(piece) if len(piece) <= 4 * width else 4 * width
                if length <= room:
                    lines[-1].add(piece, style)
                    break
                if piece.isspace() and not paragraph.hard:
                    break
                if not paragraph.hard and length <= width - cell_len(indent[0]):
                    lines.append(Line().add(*indent))
                    continue
                head = _head(piece, room)
                if not head and lines[-1].width <= cell_len(indent[0]):
                    head = piece[0]  # wider than a whole line: goes all the same
                lines[-1].add(head, style)
                piece = piece[len(head) :]
                lines.append(Line().add(*indent))
    return lines


def _head(piece: str, room: int) -> str:
    """Return as much of ``piece`` as fits into ``room`` cells."""
    head = set_cell_size(piece[: max(1, room)], room) if room > 0 else ""
    while head and not piece.startswith(head):
        head = head[:-1]
    return head


def _marked(runs: list[Run], palette: Palette, found: str) -> Iterator[Run]:
    if not found:
        yield from runs
        return
    for text, style in runs:
        low = text.casefold()
        if len(low) != len(text):  # a fold that changes lengths would mark the wrong place
            low = text.lower() if len(text.lower()) == len(text) else ""
        end = 0
        while (at := low.find(found, end)) >= 0:
            yield text[end:at], style
            yield text[at : at + len(found)], palette.match
            end = at + len(found)
        yield text[end:], style
