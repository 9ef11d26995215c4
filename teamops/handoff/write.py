"""Blocks to text, so that reading the text gives the block back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from teamops.handoff import markdown
from teamops.handoff.fields import VALUE_LIMIT
from teamops.handoff.headings import SECTION_LEVEL
from teamops.handoff.scan import normalized, scan
from teamops.model.role import Role
from teamops.model.text import clean, clean_line

_NO_FIELDS: Mapping[str, str] = {}


def render_block(
    role: Role,
    at: datetime,
    status: str,
    turn: Role,
    tier: int,
    *,
    task: str | None = None,
    gates: str | None = None,
    verdict: str | None = None,
    fields: Mapping[str, str] = _NO_FIELDS,
    sections: Sequence[tuple[str, str]] = (),
) -> str:
    """Return a block as Markdown, ending in a newline.

    ``sections`` are titles with their Markdown. Values and titles are brought onto one line. In a section's text, what
    would open another block or section is escaped, and a fence left open is closed: the text can't pretend to be more
    than the section it is in.
    """
    written = {"Status": status, "Turn": str(turn), "Tier": str(tier)}
    written |= {
        name: value for name, value in (("Task", task), ("Gates", gates), ("Verdict", verdict)) if value is not None
    }
    written |= fields
    lines = [f"### [{role}] {at.isoformat(' ', 'minutes')}", ""]
    lines += [f"**{clean_line(name)}**: {_value(value)}".rstrip() for name, value in written.items()]
    for title, text in sections:
        lines += ["", f"#### {_title(title)}"]
        body = _harmless(clean(text).strip("\n"))
        if body:
            lines.append(body)
    return "\n".join(lines) + "\n"


def append_text(tail: bytes, block: str) -> bytes:
    """Return what to append to a file that ends in ``tail`` so that ``block`` stands after a blank line."""
    text = block.rstrip("\n").encode("utf-8", "replace") + b"\n"
    if not tail:
        return text
    end = normalized(tail)
    missing = 2 - (len(end) - len(end.rstrip(b"\n")))
    return b"\n" * max(0, missing) + text


def _value(value: str) -> str:
    return clean_line(value, VALUE_LIMIT).rstrip("\\ ")  # a backslash at the end would be a line break


def _title(title: str) -> str:
    return re.sub(r"(?:^|\s+)#+\s*$", "", clean_line(title)).strip() or "…"


def _harmless(text: str) -> str:
    """Return Markdown with each heading up to the sections' level escaped and nothing left open."""
    data = text.encode("utf-8", "replace")
    while True:
        found = scan(data)
        places = [heading.start for heading in found.headings if heading.level <= SECTION_LEVEL]
        if found.unclosed is not None:
            opening = found.unclosed.start + _indent(data, found.unclosed.start)
            run = markdown.fence_at(data, opening, _line_end(data, opening))
            if run is not None:
                data += b"\n" + run
                continue
            places.append(found.unclosed.start)
        if not places:
            return data.decode("utf-8", "replace")
        for place in reversed(places):
            mark = place + _indent(data, place)
            data = data[:mark] + b"\\" + data[mark:]


def _indent(data: bytes, at: int) -> int:
    return len(data[at:]) - len(data[at:].lstrip(b" "))


def _line_end(data: bytes, at: int) -> int:
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end
