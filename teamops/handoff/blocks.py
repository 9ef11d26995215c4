"""One block: its heading, fields and sections, in values."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import lru_cache
from types import MappingProxyType

from teamops.handoff.challenges import Written, is_challenges, is_responses, read_challenges, read_responses
from teamops.handoff.fields import Head, Value, read_head
from teamops.handoff.gates import is_gates, read_gates
from teamops.handoff.headings import SECTION_LEVEL, BlockHeading, heading_text, nearest
from teamops.handoff.lines import read_lines
from teamops.handoff.problems import problem
from teamops.handoff.scan import Heading
from teamops.model.handoff import Block, Gate, Problem, Section
from teamops.model.role import NONE, Role, role_of
from teamops.model.text import clean_line

HEAD_LIMIT = 65_536
"""Fields are looked for in so many bytes after the heading."""
SECTION_LIMIT = 262_144
"""Points and gates are looked for in so many bytes of a section."""

_ASIDE = re.compile(r"\([^()]*\)|~~[^~]*~~|<!--.*?-->|[*`\[\]]")
_IN_PARENTHESES = re.compile(r"\(\W*([^\W\d_][\w-]*)\W*\)")
_NAME = re.compile(r"\W*([^\W\d_][\w-]*)")
_NOBODY = re.compile(r"\s*(?:n/a|tbd|todo|\?+)\s*", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*(?:[,;/&+|>]|→|⇒|->|\band\b|\bor\b|\bthen\b)\s*", re.IGNORECASE)
_MORE = r"\s*(?:[/,>→-]|\u2013|or|to|and|then)+\s*(?:tier\s*)?\d"
_TIER = re.compile(rf"\D{{0,8}}?(?<![-\d.])([0-9]+)(?!\d|\.\d|{_MORE})", re.IGNORECASE)
_AROUND = " \t*_`\"'“”"


@dataclass(slots=True)
class Context:
    """What the blocks so far mean for the next one."""

    index: int = 0
    task: str | None = None
    at: datetime | None = None
    tasks: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    """Lower-case name → first spelling and tier."""

    def copy(self) -> Context:
        """Return a context that may go its own way."""
        return Context(self.index, self.task, self.at, dict(self.tasks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The place of a block in the normalized text that is read, and of that text in the file."""

    text: bytes
    start: int
    end: int
    line: int
    """1-based line of the heading in the file."""
    end_line: int
    base: int
    """Byte offset of the text in the file."""
    raw: bytes
    """The file's own bytes of the block."""
    headings: Sequence[Heading]
    """All headings in it, its own first."""
    last: bool


def digest_of(text: str | bytes) -> str:
    """Return the digest that a block of that text has in the file, whatever blank space comes after it there."""
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    return hashlib.blake2b(raw.rstrip(), digest_size=12).hexdigest()


def read_block(
    piece: Piece, opened: BlockHeading, context: Context, roles: Collection[Role]
) -> tuple[Block, list[Problem]]:
    """Return the block and its problems; ``context`` goes on to the block after it."""
    own = piece.headings[0]
    head_end = min(
        piece.headings[1].start if len(piece.headings) > 1 else piece.end, piece.end, own.end + 1 + HEAD_LIMIT
    )
    lines = piece.text[own.end + 1 : head_end].decode("utf-8", "replace").split("\n")
    head = read_head(lines, piece.line + 1)
    finished = head.finished or head_end < piece.end
    ended = piece.text.endswith(b"\n") and own.end < piece.end

    problems = [*opened.problems, *head.problems]
    if opened.at and context.at and opened.at < context.at:
        problems.append(_backwards(piece.line, opened.at, context.at))
    turn = _turn(head, roles, problems)
    tier = _tier(head, problems)
    said = tier is not None and "status" in head.values and _is_whole(turn, roles)
    complete = not piece.last or finished or ("turn" in head.values and ended) or said
    if complete:
        _say_missing(head, piece.line, context, problems)
    else:
        problems.append(
            problem(
                piece.line,
                1,
                "unfinished-block",
                "the last block's fields are not complete: it may still be in writing",
                "if nobody writes it any more, add **Status**, **Turn** and **Tier**",
            )
        )
    sections = _sections(piece)
    written = _written(piece, sections)
    block = Block(
        index=context.index,
        role=opened.role,
        at=opened.at,
        line=piece.line,
        end_line=piece.end_line,
        start=piece.base + piece.start,
        end=piece.base + piece.end,
        task=_step(context, head, tier, opened.at),
        status=_lower(head.values.get("status")),
        turn=turn,
        tier=tier,
        verdict=_lower(head.values.get("verdict")),
        gates=head.values["gates"].text or None if "gates" in head.values else None,
        fields=MappingProxyType(head.fields),
        sections=tuple(section for section, _ in sections),
        challenges=read_challenges(written[_Use.CHALLENGES]) if _Use.CHALLENGES in written else None,
        responses=read_responses(written[_Use.RESPONSES]) if _Use.RESPONSES in written else (),
        checks=_checks(head, written.get(_Use.GATES, ())),
        digest=digest_of(piece.raw),
        complete=complete,
    )
    return block, problems


def _is_whole(turn: Role | None, roles: Collection[Role]) -> bool:
    """Return whether the Turn is a role that can't become another one by more letters."""
    if turn is None:
        return False
    return turn == NONE or (turn in roles and not any(role != turn and role.startswith(turn) for role in roles))


def task_name(written: str) -> str | None:
    """Return the task that a Task field names, without the marks that people put around names; ``None``: none."""
    return written.strip(_AROUND) or None


def _task(head: Head) -> str | None:
    """Return the block's own task."""
    value = head.values.get("task")
    return task_name(value.text) if value else None


def _step(context: Context, head: Head, tier: int | None, at: datetime | None) -> str | None:
    """Move the context past the block; return the block's task."""
    task = _task(head) or context.task
    key = (task or "").lower()
    spelling, before = context.tasks.get(key, (task or "", None))
    context.tasks[key] = (spelling, tier if tier is not None else before)
    context.task = spelling or None
    context.at = at or context.at
    context.index += 1
    return context.task


def _lower(value: Value | None) -> str | None:
    return value.text.strip("*_`").lower() or None if value else None


def _turn(head: Head, roles: Collection[Role], problems: list[Problem]) -> Role | None:
    value = head.values.get("turn")
    if value is None:
        return None
    written = unicodedata.normalize("NFKC", value.text)
    names = _names(written)
    if not names:
        problems.append(
            problem(value.line, value.column, "bad-turn", "the Turn names no role", "name the role that may work next")
        )
        return None
    known = [name for name in names if name in roles or name == NONE]
    if not known and (aside := _IN_PARENTHESES.search(written)):  # Isabelle (DEVELOPER)
        known = [name for name in (role_of(aside[1]),) if name in roles]
    turn = known[0] if known else names[0]
    if len(set(known)) > 1:
        problems.append(
            problem(
                value.line,
                value.column,
                "several-turns",
                f"the Turn names {', '.join(known)}; {turn} gets the light",
                "name one role; the next one gets the light from it",
            )
        )
    if not known:
        problems.append(
            problem(
                value.line,
                value.column,
                "unknown-turn",
                f'the Turn "{turn}" is no role of this team',
                _meant(written, roles) or nearest(turn, roles),
            )
        )
    return turn


def _names(text: str) -> list[Role]:
    """Return what a Turn names, each before its own words: ``CODER, please``."""
    if _NOBODY.fullmatch(text):
        return []
    parts = _SEPARATOR.split(_ASIDE.sub(" ", text).strip())
    names = [found[1] for part in parts if (found := _NAME.match(part.strip(" _")))]
    names = names or [found[1] for found in _IN_PARENTHESES.finditer(text)]
    return [role_of(name) for name in names]


def _meant(text: str, roles: Collection[Role]) -> str:
    """Return a hint if just one role of the team stands somewhere in ``text``."""
    found = {role for role in roles if re.search(rf"\b{re.escape(role)}\b", text, re.IGNORECASE)}
    return f"write **Turn**: {found.pop()}" if len(found) == 1 else ""


def _tier(head: Head, problems: list[Problem]) -> int | None:
    value = head.values.get("tier")
    if value is None:
        return None
    found = _TIER.match(unicodedata.normalize("NFKC", value.text))
    if found and found[1] in {"1", "2", "3"}:
        return int(found[1])
    problems.append(
        problem(value.line, value.column, "bad-tier", f'"{clean_line(value.text, 40)}" is no tier', "write 1, 2 or 3")
    )
    return None


def _say_missing(head: Head, line: int, context: Context, problems: list[Problem]) -> None:
    if "turn" not in head.values:
        problems.append(
            problem(
                line, 1, "missing-turn", "the block has no Turn, so the light stays where it was", "add **Turn**: ROLE"
            )
        )
    if "status" not in head.values or not head.values["status"].text:
        problems.append(problem(line, 1, "missing-status", "the block has no Status", "add **Status**: done"))
    if "tier" in head.values:
        return
    key = (_task(head) or context.task or "").lower()
    tier = context.tasks.get(key, ("", None))[1]
    if tier is None:
        problems.append(
            problem(line, 1, "missing-tier", "no block of this task has said its Tier yet", "add **Tier**: 1, 2 or 3")
        )
    else:
        problems.append(
            problem(line, 1, "inherited-tier", f"the block has no Tier; {tier} holds", f"add **Tier**: {tier}")
        )


def _backwards(line: int, at: datetime, before: datetime) -> Problem:
    return problem(
        line,
        1,
        "time-backwards",
        f"the block's time {at:%Y-%m-%d %H:%M} is before that of the block above ({before:%Y-%m-%d %H:%M})",
        "append blocks in the order of time; the order in the file counts",
    )


def _sections(piece: Piece) -> list[tuple[Section, Heading]]:
    sections = []
    line, at = piece.line, piece.start
    for heading in piece.headings[1:]:
        if heading.level == SECTION_LEVEL:
            line += piece.text.count(b"\n", at, heading.start)
            at = heading.start
            title, _ = heading_text(piece.text[heading.start : heading.end].decode("utf-8", "replace"))
            sections.append((Section(clean_line(title), line), heading))
    return sections


class _Use(Enum):
    """What a section is read for."""

    CHALLENGES = "challenges"
    RESPONSES = "responses"
    GATES = "gates"


@lru_cache(maxsize=1024)
def _use(title: str) -> _Use | None:
    if is_responses(title):
        return _Use.RESPONSES
    if is_challenges(title):
        return _Use.CHALLENGES
    return _Use.GATES if is_gates(title) else None


def _written(piece: Piece, sections: list[tuple[Section, Heading]]) -> dict[_Use, list[Written]]:
    """Return the sections that are read on, with their lines: up to the next section or the block's end."""
    found: dict[_Use, list[Written]] = {}
    for number, (section, heading) in enumerate(sections):
        use = _use(section.title)
        if use is not None:
            end = sections[number + 1][1].start if number + 1 < len(sections) else piece.end
            text = piece.text[heading.end + 1 : min(end, heading.end + 1 + SECTION_LIMIT)].decode("utf-8", "replace")
            lines = read_lines(text.split("\n"), section.line + 1)
            found.setdefault(use, []).append(Written(section.title, section.line, lines))
    return found


def _checks(head: Head, sections: Sequence[Written]) -> tuple[Gate, ...]:
    value = head.values.get("gates")
    return read_gates(value.text if value else "", value.line if value else 0, sections) if value or sections else ()
