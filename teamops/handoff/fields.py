"""The fields of a block: the bold-name paragraphs right under its heading."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from msgspec import Struct

from teamops.handoff.problems import problem
from teamops.model.handoff import Problem
from teamops.model.text import clean_line

KNOWN = ("Status", "Turn", "Tier", "Task", "Gates", "Verdict")
VALUE_LIMIT = 2_000
"""Longer values are cut."""

_CANONICAL = {name.lower(): name for name in (*KNOWN, "Session")}
"""Session is a word of everyday text, too: nobody is told that one may be misplaced."""
_ALIASES = {"gate": "gates"}
_MARK = r"[ \t]*(?:(?:[-*+>|]|[0-9]{1,3}[.)])[ \t]+)?"
_COLON = "[:：]"  # noqa: RUF001 - the full-width colon
_FIELD = re.compile(
    r"[ \t]*(?:(?:[-*+]|[0-9]{1,3}[.)])[ \t]+)?(\*\*|__)"
    rf"(?:[^\w*:：]{{0,4}}|\s*)([^\W_][^*_:：]{{0,39}}?)"  # noqa: RUF001 - the full-width colon
    rf"\s*(?:{_COLON}\s*\1|\1\s*{_COLON})\s*(.*)"
)
_NAMES = "|".join(KNOWN)
_NEARLY = re.compile(rf"{_MARK}([*_]*)({_NAMES})\1\s*[:：=]\s*\S", re.IGNORECASE)  # noqa: RUF001 - the full-width colon
_NO_COLON = re.compile(rf"{_MARK}(\*\*|__)({_NAMES})(?:\1\s+|\s*[:：=]\s*)\S", re.IGNORECASE)  # noqa: RUF001 - the full-width colon
_INSIDE = re.compile(rf"(\*\*|__)({_NAMES})(?:[:：]\1|\1\s*[:：])", re.IGNORECASE)  # noqa: RUF001 - the full-width colon
_STOPS_PARAGRAPH = re.compile(
    r" {0,3}(?:>|#{1,6}(?:[ \t]|$)|`{3}|~{3}|<|[-+*][ \t]|1[.)][ \t]|([-*_])[ \t]*(?:\1[ \t]*){2,}$)"
)
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_ITEM = re.compile(r" {0,3}(?:[-*+]|[0-9]{1,3}[.)])[ \t]+(.*)")
_BREAK = re.compile(r"<br[ \t]*/?>$", re.IGNORECASE)
_TOGGLES_FENCE = re.compile(r" {0,3}(?:`{3}|~{3})")


class Value(Struct, frozen=True):
    """A field's value and where it stands."""

    text: str
    line: int
    column: int


@dataclass(slots=True)
class Head:
    """What stands between a block's heading and its first section."""

    values: dict[str, Value] = field(default_factory=dict)
    """By lower-case name."""
    fields: dict[str, str] = field(default_factory=dict)
    """As written, known names in their usual spelling."""
    problems: list[Problem] = field(default_factory=list)
    finished: bool = False
    """Something follows the fields, so no more of them can come."""


def read_head(lines: list[str], first: int) -> Head:
    """Read the fields in ``lines``; the first of them is line ``first`` of the file.

    Several fields may stand in one paragraph, each on its line, or in one list. A line that is none continues the value
    above it, and a list right under a field without a value is its value; under Gates after a blank line, too. The
    first paragraph that does not begin with a field ends them.
    """
    head = Head()
    at, name, in_comment, listed, awaited = 0, "", False, "", ""
    while at < len(lines):
        line = lines[at]
        stripped = line.strip(" \t")
        if in_comment or stripped.startswith("<!--"):
            in_comment = "-->" not in line
            name = ""
        elif not head.values and _RULE.match(line):
            pass  # a line drawn under the heading
        elif not stripped:
            if name:
                awaited = name if name == "gates" and not head.values[name].text else ""
            name = ""
        elif found := _FIELD.match(line) if name or _is_shallow(line) else None:
            name, listed, awaited = _add(head, found, first + at), "", ""
        elif awaited and (item := _ITEM.match(line)):
            _continue(head, awaited, item[1])
            name, listed, awaited = awaited, awaited, ""
        elif name and (item := _ITEM.match(line)) and name in (listed, "" if head.values[name].text else name):
            _continue(head, name, f"; {item[1]}" if listed else item[1])
            listed = name
        elif name and not _STOPS_PARAGRAPH.match(line):
            if not _is_malformed(head, line, first + at):
                _continue(head, name, stripped)
        else:
            head.finished = True
            _look_at_rest(head, lines[at:], first + at)
            break
        at += 1
    return head


def _is_shallow(line: str) -> bool:
    """Return whether the line is no indented code."""
    return not line.startswith(("    ", "\t", " \t", "  \t", "   \t"))


def _add(head: Head, found: re.Match[str], line: int) -> str:
    written = clean_line(found[2], 40)
    key = _ALIASES.get(written.lower(), written.lower())
    if key != written.lower() and key in head.values:  # each gate in a field of its own
        _continue(head, key, f"; {found[3]}")
        return key
    if key in head.values and (head.values[key].text or not found[3].strip()):
        head.problems.append(
            problem(
                line,
                found.start(2) + 1,
                "duplicate-field",
                f'the field "{written}" stands twice in this block; the first one counts',
                "keep one of them",
            )
        )
        return key
    head.values[key] = Value(_tidy(found[3]), line, found.start(3) + 1)
    head.fields[_CANONICAL.get(key, written)] = head.values[key].text
    for inside in _INSIDE.finditer(found[3][:VALUE_LIMIT]):
        head.problems.append(
            problem(
                line,
                found.start(3) + inside.start() + 1,
                "malformed-field",
                f"the field {_CANONICAL[inside[2].lower()]} stands in the line of another and is read as its text",
                "give each field a line of its own",
            )
        )
    return key


def _continue(head: Head, key: str, text: str) -> None:
    before = head.values[key]
    if len(before.text) >= VALUE_LIMIT:
        return
    joint = "" if text.startswith(";") else " "
    value = Value(clean_line(f"{before.text}{joint}{_tidy(text)}", VALUE_LIMIT), before.line, before.column)
    for name in head.fields:
        if name.lower() == key:
            head.values[key] = value
            head.fields[name] = value.text


def _tidy(text: str) -> str:
    """Return a value's text without Markdown's hard line break."""
    return clean_line(_BREAK.sub("", text.rstrip()).rstrip().removesuffix("\\"), VALUE_LIMIT)


def _look_at_rest(head: Head, lines: list[str], first: int) -> None:
    """Say which known fields stand where they are read as text, if they are missing above."""
    fenced = False
    told: set[str] = set()
    for number, line in enumerate(lines, first):
        if _TOGGLES_FENCE.match(line):
            fenced = not fenced
        if fenced or not _is_shallow(line) or _is_malformed(head, line, number):
            continue
        found = _FIELD.match(line)
        name = _CANONICAL.get(found[2].lower()) if found else None
        if found is None or name not in KNOWN or name.lower() in head.values or name in told:
            continue
        told.add(name)
        head.problems.append(
            problem(
                number,
                found.start(1) + 1,
                "misplaced-field",
                f"the field {name} stands after other text and is read as text",
                "move it up, right under the heading",
            )
        )


def _is_malformed(head: Head, line: str, number: int) -> bool:
    """Return whether the line is meant as a known field that is missing; say so."""
    found = None if _FIELD.match(line) else _NEARLY.match(line) or _NO_COLON.match(line)
    if found is None or found[2].lower() in head.values:
        return False
    name = _CANONICAL[found[2].lower()]
    head.problems.append(
        problem(
            number,
            found.start(1) + 1,
            "malformed-field",
            f"this line looks like the field {name} but is read as text",
            f"write it as **{name}**: value",
        )
    )
    return True
