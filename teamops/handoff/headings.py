"""What a top-level heading is: a block's, nearly a block's, or any other."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from datetime import datetime
from types import MappingProxyType

from msgspec import Struct

from teamops.handoff.problems import problem
from teamops.model.handoff import Problem
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, OPTIMIZER, PARTNER, REVIEWER, Role, role_of
from teamops.model.text import clean_line

BLOCK_LEVEL = 3
SECTION_LEVEL = 4

PERSONAS = MappingProxyType(
    {
        "MAX": DIRECTOR,
        "ISABELLE": DEVELOPER,
        "KEVIN": CODER,
        "SARAH": REVIEWER,
        "SAM": OPTIMIZER,
        "ALEX": PARTNER,
    }
)
"""The names that the shipped profiles give their roles. An agent that knows a colleague by name may write it."""

_WORD = r"[^\W\d_][\w-]*(?: [\w-]+){0,2}"
_BRACKETS = re.compile(rf"[*_]*\[[*_`\s]*({_WORD})[*`\s]*\](?![(\[])[*_]*[:：]?\s*(.*)")  # noqa: RUF001 - the full-width colon
_BARE = re.compile(rf"(?!\\)\W{{0,4}}({_WORD})(?:\W[^\]\d]{{0,40}}\])?\W{{1,4}}\d{{4}}-\d\d?-\d\d?")
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[\sT]+([0-9]{1,2}):([0-9]{2})(?![0-9])(?!\s*[ap]\.?m\b)", re.IGNORECASE
)
_DATE_LIKE = re.compile(r"\W{0,3}\d{1,4}[-/.]\d")
_HASHES = re.compile(r"[ \t]*#+[ \t]*")


class BlockHeading(Struct, frozen=True):
    """A heading that opens a block."""

    role: Role
    at: datetime | None
    problems: tuple[Problem, ...]


def heading_text(line: str) -> tuple[str, int]:
    """Return a heading line's text, and the 0-based column where it begins."""
    found = _HASHES.match(line)
    begin = found.end() if found else 0
    text = line[begin:].rstrip(" \t")
    bare = text.rstrip("#")
    closed = bare != text and (not bare or bare[-1] in " \t")
    return (bare if closed else text).strip(" \t"), begin


def read_heading(text: str, level: int, line: int, roles: Collection[Role]) -> BlockHeading | Problem | None:
    """Return what the heading line ``text`` is: a block's heading, a problem if it nearly is one, or ``None``.

    In brackets a role of the team opens a block with or without a date; any other word only where a date follows.
    """
    content, column = heading_text(text)
    found = _BRACKETS.match(content)
    if found is None:
        return _nearly(content, line, column + 1, roles)
    role, rest = role_of(clean_line(found[1])), found[2]
    if (role not in roles or level != BLOCK_LEVEL) and not _DATE_LIKE.match(rest):
        return None
    if level == 0:
        return problem(
            line, column + 1, "heading-space", "there is no blank after the ###, so this is no heading", "put one there"
        )
    if level < 0:
        return problem(
            line,
            column + 1,
            "heading-html",
            "this heading stands right under a closing tag and is part of the HTML, so it opens no block",
            "put an empty line before it",
        )
    if level != BLOCK_LEVEL:
        return problem(
            line,
            text.find("#") + 1,
            "heading-level",
            f"a block's heading has three #, this one has {level}; it opens no block",
            f"write ### [{role}] …",
        )
    at, problems = _read_date(rest, line, column + found.start(2) + 1)
    role = of_persona(role, roles) or role
    if role not in roles:
        problems = (_unknown_role(role, line, column + found.start(1) + 1, roles), *problems)
    return BlockHeading(role, at, problems)


def _nearly(content: str, line: int, column: int, roles: Collection[Role]) -> Problem | None:
    found = _BARE.match(content)
    if found is None:
        return None
    role = of_persona(role_of(found[1]), roles) or role_of(found[1])
    if role not in roles:
        return None
    return problem(
        line,
        column,
        "heading-brackets",
        f"this heading names {role} and a date, but not as a block's does, so it opens none",
        f"write ### [{role}] YYYY-MM-DD HH:MM",
    )


def _read_date(text: str, line: int, column: int) -> tuple[datetime | None, tuple[Problem, ...]]:
    found = _DATE.match(text)
    if found:
        try:
            return datetime(*(int(part) for part in found.groups())), ()  # type: ignore[arg-type]  # noqa: DTZ001 - naive local time by the protocol; five numbers
        except ValueError:
            pass
    hint = "write the local time as YYYY-MM-DD HH:MM"
    if not text.strip():
        return None, (problem(line, column, "missing-date", "the heading has no date and time", hint),)
    return None, (problem(line, column, "bad-date", f'"{clean_line(text, 40)}" is no date and time', hint),)


def _unknown_role(role: Role, line: int, column: int, roles: Collection[Role]) -> Problem:
    return problem(line, column, "unknown-role", f'"{role}" is no role of this team', nearest(role, roles))


def of_persona(name: Role, roles: Collection[Role]) -> Role | None:
    """Return the role whose shipped persona bears the name, if it is of the team and no role is called so."""
    role = PERSONAS.get(name)
    return role if role in roles and name not in roles else None


def nearest(role: Role, roles: Collection[Role]) -> str:
    """Return a hint: the role that was meant, by its own name or its persona's, or all there are."""
    ordered = sorted(roles)
    if close := difflib.get_close_matches(role, ordered, 1):
        return f"did you mean {close[0]}?"
    personas = [name for name in PERSONAS if of_persona(Role(name), roles)]
    if close := difflib.get_close_matches(role, personas, 1):
        return f"did you mean {PERSONAS[close[0]]}?"
    return f"roles: {', '.join(ordered)}"
