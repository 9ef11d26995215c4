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
from typing import NamedTuple

from msgspec import Struct

from teamops.handoff.challenges import Written, is_challenges, is_responses, read_challenges, read_responses
from teamops.handoff.fields import Head, Value, read_head
from teamops.handoff.gates import claims_none, is_gates, read_gates
from teamops.handoff.headings import SECTION_LEVEL, BlockHeading, heading_text
from teamops.handoff.lines import read_lines
from teamops.handoff.problems import GATES_FORM, problem
from teamops.handoff.scan import Heading
from teamops.handoff.turn import is_whole, read_turn
from teamops.model.handoff import Block, Gate, Problem, Section
from teamops.model.role import HUMAN, NONE, Role
from teamops.model.text import clean_line

HEAD_LIMIT = 65_536
"""Fields are looked for in so many bytes after the heading."""
SECTION_LIMIT = 262_144
"""Points and gates are looked for in so many bytes of a section."""

_MORE = r"\s*(?:[/,>→-]|\u2013|or|to|and|then)+\s*(?:tier\s*)?\d"
_TIER = re.compile(rf"\D{{0,8}}?(?<![-\d.])([0-9]+)(?!\d|\.\d|{_MORE})", re.IGNORECASE)
_AROUND = " \t*_`\"'“”"


class Known(NamedTuple):
    """What the blocks of a task have said so far."""

    spelling: str
    """Its name as it was written first."""
    tier: int | None = None
    """In force: the highest since the task was opened, unless HUMAN lowered it."""
    closed: bool = False
    told: bool = False
    """Somebody knows that it has no tier."""


@dataclass(slots=True)
class Context:
    """What the blocks so far mean for the next one."""

    index: int = 0
    task: str | None = None
    at: datetime | None = None
    tasks: dict[str, Known] = field(default_factory=dict)
    """By lower-case name."""

    def copy(self) -> Context:
        """Return a context that may go its own way."""
        return Context(self.index, self.task, self.at, dict(self.tasks))


class Piece(Struct, frozen=True, kw_only=True):
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
    value = head.values.get("turn")
    turn = read_turn(value, roles, problems) if value else None
    tier = _tier(head, problems)
    complete = not piece.last or finished or ("turn" in head.values and ended)
    if not complete:
        complete = tier is not None and "status" in head.values and is_whole(turn, value, roles)
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
    checks = _checks(head, written.get(_Use.GATES, ()))
    if complete and (ended or not piece.last) and not checks:
        _say_unreadable(head, written.get(_Use.GATES, ()), problems)
    block = Block(
        index=context.index,
        role=opened.role,
        at=opened.at,
        line=piece.line,
        end_line=piece.end_line,
        start=piece.base + piece.start,
        end=piece.base + piece.end,
        task=_step(context, head, opened, turn, tier),
        status=_lower(head.values.get("status")),
        turn=turn,
        tier=tier,
        verdict=_lower(head.values.get("verdict")),
        gates=head.values["gates"].text or None if "gates" in head.values else None,
        fields=MappingProxyType(head.fields),
        sections=tuple(section for section, _ in sections),
        challenges=read_challenges(written[_Use.CHALLENGES]) if _Use.CHALLENGES in written else None,
        responses=read_responses(written[_Use.RESPONSES]) if _Use.RESPONSES in written else (),
        checks=checks,
        digest=digest_of(piece.raw),
        complete=complete,
        stranger=opened.role not in roles,
        lost=turn is not None and turn != NONE and turn not in roles,
    )
    return block, problems


def task_name(written: str) -> str | None:
    """Return the task that a Task field names, without the marks that people put around names; ``None``: none."""
    return written.strip(_AROUND) or None


def _task(head: Head) -> str | None:
    """Return the block's own task."""
    value = head.values.get("task")
    return task_name(value.text) if value else None


def _step(context: Context, head: Head, opened: BlockHeading, turn: Role | None, tier: int | None) -> str | None:
    """Move the context past the block; return the block's task."""
    task = _task(head) or context.task
    key = (task or "").lower()
    before = context.tasks.get(key) or Known(task or "")
    holds = _in_force(before, opened.role, turn, tier)
    context.tasks[key] = Known(
        before.spelling,
        holds,
        before.closed if turn is None else turn == NONE,
        before.told or (holds is None and "tier" not in head.values),
    )
    context.task = before.spelling or None
    context.at = opened.at or context.at
    context.index += 1
    return context.task


def _in_force(task: Known, role: Role, turn: Role | None, tier: int | None) -> int | None:
    """Return the tier that holds after a block, as the rules of the protocol see it.

    Whether a closing kept those rules is not known here, so each one lets the task begin anew with another tier.
    """
    if tier is None or task.tier is None:
        return task.tier if tier is None else tier
    begins = task.closed and turn not in (None, NONE)
    return tier if begins or role == HUMAN else max(task.tier, tier)


def _lower(value: Value | None) -> str | None:
    return value.text.strip("*_`").lower() or None if value else None


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
        hint = "add **Status**: and how the work stands, in a word or two"
        problems.append(problem(line, 1, "missing-status", "the block has no Status", hint))
    if "tier" in head.values:
        return
    known = context.tasks.get((_task(head) or context.task or "").lower(), Known(""))
    if known.tier is not None:
        problems.append(
            problem(
                line,
                1,
                "inherited-tier",
                f"the block has no Tier; {known.tier} holds",
                f"add **Tier**: {known.tier}",
            )
        )
    elif not known.told:
        problems.append(
            problem(line, 1, "missing-tier", "no block of this task has said its Tier yet", "add **Tier**: 1, 2 or 3")
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


def _say_unreadable(head: Head, sections: Sequence[Written], problems: list[Problem]) -> None:
    """Say where gates are meant though none can be read; a section "Done" may hold anything."""
    value = head.values.get("gates")
    hint = f"write {GATES_FORM}"
    if value and not claims_none(value.text):
        what = f'"{clean_line(value.text, 40)}" names no gate'
        problems.append(problem(value.line, value.column, "unreadable-gates", what, hint))
        return
    for section in sections:
        if "gate" in section.title.lower() and not claims_none(" ".join(line.text for line in section.lines)):
            what = "no gate can be read in this section"
            problems.append(problem(section.line, 1, "unreadable-gates", what, hint))
            return
