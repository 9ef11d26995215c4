"""Finds the headings of a Markdown file that stand at its top level, fast.

Most of a file needs no parser: from one line that begins with a mark (``#``, a fence, ``<``) the scan jumps to the
next. Only where such a line may belong to a list item (it is indented and a list was opened), or where a lone tag
stands right under text, is the piece around it given to markdown-it. So the answer is that of CommonMark at a hundred
megabytes a second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import Struct

from teamops.handoff import markdown

PIECE = 262_144
"""Most bytes given to markdown-it at once. Past them, lines with a mark count as not being in a list."""

_LONE_CR = re.compile(rb"\r(?!\n)")
_FIRST = re.compile(rb" {0,3}(?=[#`~<])")
_MARK = re.compile(rb"\n {0,3}(?=[#`~<])")
_ATX = re.compile(rb"(#{1,6})(?=[ \t]|$)")
_TIGHT = re.compile(rb"#{1,6}(?:\xc2\xa0|[\x0b\x0c])*\[")
_AFTER_TAG = re.compile(rb"</[A-Za-z][A-Za-z0-9-]*>[ \t]*\n( {0,3}#{3}[ \t]+\[[^\n]*)")
_LIST = re.compile(rb"(?m)^ {0,3}(?:[-+*]|[0-9]{1,9}[.)])(?:[ \t]|$)")
_PLAIN_HEADING = re.compile(rb"\n#{1,6}(?=[ \t\n]|\Z)")


class Heading(NamedTuple):
    """An ATX heading's line."""

    start: int
    """Byte offset of the line."""
    end: int
    """Byte offset of its end, without the newline."""
    level: int
    """1 to 6; 0 = it would be one, had it a space after its ``#``; -1 = had it not a closing tag right above it."""


class Unclosed(Struct, frozen=True):
    """A fence or a comment that runs to the end of the file."""

    start: int
    """Byte offset of the line that opens it."""
    comment: bool


@dataclass(slots=True)
class Scan:
    """What stands at the top level."""

    headings: list[Heading] = field(default_factory=list)
    unclosed: Unclosed | None = None


def normalized(data: bytes) -> bytes:
    """Return ``data`` with newlines alone as line ends, each byte at its place (CRLF becomes blank and newline)."""
    if b"\r" not in data:
        return data
    return _LONE_CR.sub(b"\n", data).replace(b"\r\n", b" \n")


def scan(text: bytes) -> Scan:
    """Scan normalized ``text``, which begins at the top level. Total: any bytes are accepted."""
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: bytes) -> None:
        self.text = text
        self.found = Scan()
        self.open_from = 0
        """A line's start. Nothing, no list and no paragraph, was open there."""
        self.no_list_to = 0
        """No list was opened between ``open_from`` and here."""
        self.trust = False
        """The piece around is too long: lines count as standing at the top level."""

    def run(self) -> Scan:
        text, length = self.text, len(self.text)
        first = _FIRST.match(text)
        at = self._take(0, first.end()) if first else 0
        while at < length:
            mark = _MARK.search(text, at - 1 if at else 0)
            if mark is None:
                break
            at = self._take(mark.start() + 1, mark.end())
        return self.found

    def _take(self, line: int, begin: int) -> int:
        """Take the line with a mark that starts at ``line``, its mark at ``begin``; return where to go on."""
        end = self._line_end(begin)
        match self.text[begin]:
            case 0x23:  # #
                return self._take_heading(line, begin, end)
            case 0x3C:  # <
                return self._take_html(line, begin, end)
            case _:
                return self._take_fence(line, begin, end)

    def _take_heading(self, line: int, begin: int, end: int) -> int:
        atx = _ATX.match(self.text, begin, end)
        if atx is None:
            if _TIGHT.match(self.text, begin, end):
                self.found.headings.append(Heading(line, end, 0))
            return end + 1
        if self._in_list(line, begin):
            return self._ask(line)
        self.found.headings.append(Heading(line, end, len(atx[1])))
        return self._closed(end + 1)

    def _take_fence(self, line: int, begin: int, end: int) -> int:
        run = markdown.fence_at(self.text, begin, end)
        if run is None:
            return end + 1
        if self._in_list(line, begin):
            return self._ask(line)
        return self._skip_fence(line, run, end)

    def _skip_fence(self, line: int, run: bytes, after: int) -> int:
        end = markdown.fence_end(self.text, run, after)
        if end is None:
            self.found.unclosed = Unclosed(line, comment=False)
            return len(self.text)
        return self._closed(end + 1)

    def _take_html(self, line: int, begin: int, end: int) -> int:
        kind = markdown.html_at(self.text[begin:end])
        if kind is None:
            return end + 1
        if self._in_list(line, begin) or (kind == markdown.ANY_TAG and self._under_text(line)):
            return end + 1 if self.trust else self._ask(line)
        return self._skip_html(line, begin, kind)

    def _skip_html(self, line: int, begin: int, kind: int) -> int:
        end = markdown.html_end(self.text, kind, begin)
        if end is None:
            self.found.unclosed = Unclosed(line, comment=kind == markdown.COMMENT)
            return len(self.text)
        for found in _AFTER_TAG.finditer(self.text, begin, end) if kind in markdown.TO_BLANK_LINE else ():
            self.found.headings.append(Heading(found.start(1), found.end(1), -1))
        return self._closed(end + 1)

    def _closed(self, at: int) -> int:
        self.open_from = self.no_list_to = at
        self.trust = False
        return at

    def _in_list(self, line: int, begin: int) -> bool:
        """Return whether the line may belong to a list item."""
        if begin == line or self.trust:
            return False
        if _LIST.search(self.text, self.no_list_to, line):
            return True
        self.no_list_to = line
        return False

    def _under_text(self, line: int) -> bool:
        """Return whether the line before is not blank and may be text."""
        if line <= self.open_from:
            return False
        before = self.text.rfind(b"\n", 0, line - 1) + 1
        return bool(self.text[before : line - 1].strip(b" \t"))

    def _line_end(self, at: int) -> int:
        end = self.text.find(b"\n", at)
        return len(self.text) if end < 0 else end

    def _ask(self, line: int) -> int:
        """Ask markdown-it what the line is: parse from where nothing was open until a heading stands at the top again.

        What a line is depends on the lines before it alone, so the answer holds whatever comes later.
        """
        text, start = self.text, self.open_from
        longest = self._line_end(min(start + PIECE, len(text)))
        plain = _PLAIN_HEADING.search(text, self._line_end(line))
        stop = min(longest, self._line_end(plain.end()) if plain else len(text))
        while True:
            headings, leaf = self._parse(start, stop)
            if headings:
                # Those after the first are found the quick way, with the lines between them that are nearly headings.
                self.found.headings.append(headings[0])
                return self._closed(headings[0].end + 1)
            if stop >= longest:
                break
            stop = min(longest, self._line_end(min(start + 2 * (stop - start), len(text))))
        if leaf is not None:
            # A fence or HTML block stands open at the top level: it is skipped the quick way, from where it began.
            return self._skip_leaf(leaf)
        self.trust = True
        return stop + 1

    def _skip_leaf(self, line: int) -> int:
        begin = line
        while self.text[begin] == 0x20:  # a blank
            begin += 1
        end = self._line_end(begin)
        run = markdown.fence_at(self.text, begin, end)
        if run is not None:
            return self._skip_fence(line, run, end)
        kind = markdown.html_at(self.text[begin:end])
        return end + 1 if kind is None else self._skip_html(line, begin, kind)

    def _parse(self, start: int, stop: int) -> tuple[list[Heading], int | None]:
        """Return the top level's headings in a piece, and where the fence or HTML block starts that ends it."""
        piece = self.text[start:stop]
        tokens = markdown.top_tokens(piece)
        starts = [start]
        at = piece.find(b"\n") + 1
        while at > 0:
            starts.append(start + at)
            at = piece.find(b"\n", at) + 1
        headings = []
        for token in tokens:
            if token.type == "heading_open" and token.markup.startswith("#") and token.map:
                place = starts[token.map[0]]
                headings.append(Heading(place, self._line_end(place), len(token.markup)))
        leaf = None
        if tokens and tokens[-1].type in {"fence", "html_block"} and tokens[-1].map:
            leaf = starts[tokens[-1].map[0]]
        return headings, leaf
