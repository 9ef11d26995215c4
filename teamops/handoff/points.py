"""Numbered points in a section's lines, however people number them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, groupby

from msgspec.structs import replace

from teamops.handoff.lines import Kind, Line
from teamops.model.handoff import Point
from teamops.model.text import clean_line

TEXT_LIMIT = 200
"""So many characters of a point's text are kept."""
NUMBERS = r"[0-9]{1,3}(?:\s*(?:,|/|&|\+|\band\b|\bto\b|-|\u2013)\s*(?:and\s+)?[c#]?[0-9]{1,3})*"
"""One number or several: ``1``, ``1 and 2``, ``1, 3``, ``1-3``."""

_CODE_COLUMN = 4
"""Text so far in is code, where no item is open above it."""
_MANY = 50
"""A span over more numbers names its two ends alone."""
_LABEL = (
    r"(?:(?:challenge|point|response|answer|item|re|ad|to|no\.?|nr\.?)s?(?:[ ]*[#:][ ]*|[ ]+(?:to[ ]+)?)"
    r"|[cqra][#-]?|\#[ ]?)"
)
_OPENS = re.compile(
    rf"""
    (?P<bullet> [-*+][ ]+ (?:\[[ xX]\][ ]+)? )?
    (?P<heading> \#{{1,6}}[ ]+ )?
    (?P<marks> [*_`]{{1,3}} )?
    (?P<bracket> [(\[] )?
    (?P<label> {_LABEL} )?
    (?P<numbers> {NUMBERS} )
    (?(bracket) [)\]] )
    (?:
        [*_`]{{0,3}} \\?[.):] [*_`]{{0,3}} (?= \s | $ | (?<=[:)*_`])[^\W\d] )
      | [*_`]{{0,3}} [ ]+ (?:-{{1,2}}|\u2013|\u2014) (?= [ ] )
      | (?(marks) [*_`]{{1,3}} (?= \s | $ ) | (?!) )
      | (?(bracket) (?= \s | $ ) | (?!) )
      | (?(label) $ | (?!) )
      | (?(heading) $ | (?!) )
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_HASH = re.compile(r"(?P<bullet>[-*+][ ]+)?\#(?P<numbers>[0-9]{1,3})(?=\s)")
"""``#1 text``: this mark needs no delimiter."""
_BOLD = re.compile(r"(?:\*\*|__)[^*_]+(?:\*\*|__)\W{0,2}")
_BULLET = re.compile(r"[-*+](?:[ ]+(?:\[[ xX]\](?:[ ]+|$))?|$)")
_MARKER = re.compile(r"(?:[-*+]|[0-9]{1,3}[.)])[ ]+")
_ROW = re.compile(r"\|[ ]*([*_`#cC]{0,3}[0-9]{1,3}[*_`.]{0,3})[ ]*\|(.*?)\|?$")
_SPAN = re.compile(r"(?<=[0-9])\s*(?:-|\u2013|\bto\b)\s*(?=[c#]?[0-9])", re.IGNORECASE)


@dataclass(slots=True)
class Item:
    """One point as it stands."""

    numbers: tuple[int, ...]
    """Empty: a bullet."""
    line: int
    labelled: bool = False
    """Its number has a word or a mark of its own: ``C1``, ``Point 1``, ``#1``."""
    parts: list[str] = field(default_factory=list)
    part: int = 0
    """So many headings stand above it in its section."""

    @property
    def text(self) -> str:
        """Its first words on one line."""
        return clean_line(" ".join(part for part in self.parts if part), TEXT_LIMIT)


@dataclass(slots=True)
class Reading:
    """What stands in a section: prose, then its items."""

    prose: list[Line] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    first: Item | None = None
    """The first that has a number."""


def read_items(lines: Iterable[Line], *, quotes: bool) -> Reading:
    """Return the items among ``lines``; what is nested in an item or follows it is its text.

    A bullet is an item as long as nothing has a number. Where the first number has a label (``C1``), numbers without
    one belong to the point above. ``1. 1. 1.`` counts on, as Markdown shows it; so does a list that begins again under
    another heading, or a line in bold, with a number that was there before. With ``quotes`` quoted lines count as
    text.
    """
    found = Reading()
    column, part = _CODE_COLUMN, 0
    for line in lines:
        if line.kind is Kind.BLANK or (line.kind is Kind.QUOTE and not quotes):
            continue
        item = None
        if line.kind in (Kind.TEXT, Kind.HEADING) and line.indent < column:
            item = _opened(line, found)
            if item is not None and item.parts[0].startswith(">") and not quotes:
                item.parts.clear()
            part += item is None and _divides(line, column)
        if item is not None:
            item.part = part
            found.items.append(item)
            found.first = found.first or (item if item.numbers else None)
            marker = _MARKER.match(line.text)
            column = line.indent + len(marker[0]) if marker else _CODE_COLUMN
        elif line.kind is Kind.HEADING:
            column = _CODE_COLUMN
            if not found.items:
                found.prose.append(replace(line, text=line.text.strip("# ")))
        elif found.items:
            found.items[-1].parts.append(line.text)
        else:
            found.prose.append(line)
    if len(found.items) > 1 and all(item.numbers == (1,) for item in found.items):
        for number, item in enumerate(found.items, 1):
            item.numbers = (number,)
    if part:
        _count_on(found.items)
    return found


def _count_on(items: Sequence[Item]) -> None:
    """Let each part of a section that counts from the beginning again count on from the highest number before it."""
    used: set[int] = set()
    for _, same in groupby(items, key=lambda item: item.part):
        part = list(same)
        numbers = {number for item in part for number in item.numbers}
        if not used.isdisjoint(numbers):
            top = max(used)
            for item in part:
                item.numbers = tuple(number + top for number in item.numbers)
            numbers = {number + top for number in numbers}
        used |= numbers


def under_quotes(lines: Iterable[Line]) -> Iterator[Line]:
    """Return the lines of answers with each quoted point as an item, for what stands under the quote answers it.

    Points that are quoted together are answered together.
    """
    numbers: list[str] = []
    for line in lines:
        if line.kind is Kind.QUOTE:
            found = _OPENS.match(line.text.lstrip("> "))
            numbers += [str(number) for number in numbers_of(found["numbers"])] if found else []
        elif line.kind is Kind.BLANK:
            yield line
        else:
            if numbers:
                yield Line(line.number, 0, f"{', '.join(numbers)}.", Kind.TEXT)
                numbers = []
            yield line


def _divides(line: Line, column: int) -> bool:
    """Return whether what comes after the line is another part of its section."""
    bold = line.kind is Kind.TEXT and line.indent < column and _BOLD.fullmatch(line.text)
    return line.kind is Kind.HEADING or bool(bold)


def _opened(line: Line, before: Reading) -> Item | None:
    """Return the item that the line opens."""
    text = f"{row[1]}: {row[2].replace('|', ' ')}" if (row := _ROW.match(line.text)) else line.text
    found = _OPENS.match(text) or _HASH.match(text)
    first = before.first
    if found is not None:
        marks = found.groupdict()
        labelled = bool(marks.get("label") or marks.get("heading")) or found.re is _HASH
        if first is None or labelled or not first.labelled:
            rest = text[found.end() :].strip()
            if marks.get("marks") and not found[0].rstrip().endswith(marks["marks"]):
                rest = rest.replace(marks["marks"], "", 1)  # **1. A title** and more
            return Item(numbers_of(found["numbers"]), line.number, labelled, [rest])
    elif first is None and (bullet := _BULLET.match(text)):
        return Item((), line.number, parts=[text[bullet.end() :].strip()])
    return None


def numbers_of(written: str) -> tuple[int, ...]:
    """Return the numbers that ``1, 3-5 and 7`` names."""
    numbers: list[int] = []
    for part in re.split(r"[,/&+]|\band\b", written, flags=re.IGNORECASE):
        ends = [int(number) for number in re.findall("[0-9]+", part)]
        if len(ends) == 2 and _SPAN.search(part) and ends[0] < ends[1] < ends[0] + _MANY:
            ends = list(range(ends[0], ends[1] + 1))
        numbers += ends
    return tuple(dict.fromkeys(numbers))


def numbered(items: Sequence[Item], *, every: bool) -> tuple[Point, ...]:
    """Return the items as points.

    Bullets take the numbers that are free. A number that stands twice names the same point again; with ``every`` it is
    a point of its own and gets the next free number, so that none hides behind another.
    """
    taken = {number for item in items for number in item.numbers}
    free = (number for number in count(1) if number not in taken)
    top = max(taken, default=0)
    used: set[int] = set()
    points = []
    for item in items:
        for written in item.numbers or (next(free),):
            number = written
            if every and written in used:
                number = top + 1
            top = max(top, number)
            taken.add(number)
            used.add(number)
            points.append(Point(number, item.text, item.line))
    return tuple(points)
