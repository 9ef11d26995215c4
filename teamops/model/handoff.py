"""The handoff file in values: blocks, problems, tasks and their lights."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, field

from teamops.model.role import Role


class Severity(StrEnum):
    """How much a problem, finding or alert matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class Stage(StrEnum):
    """A station of a tier's pipeline."""

    DESIGN = "design"
    DESIGN_REVIEW = "design-review"
    IMPLEMENT = "implement"
    CODE_REVIEW = "code-review"
    VERIFY = "verify"
    """Tier 2: the DIRECTOR checks what the implementer built."""
    CONFIRM = "confirm"
    """Tier 3: the DIRECTOR confirms after the code review."""
    SIGN_OFF = "sign-off"
    CONSULT = "consult"
    """Off the pipeline: a role outside the core loop (PARTNER, OPTIMIZER, a team's own) was asked."""
    CLOSED = "closed"


class Section(Struct, frozen=True):
    """A level-4 heading inside a block."""

    title: str
    line: int
    """1-based line of the heading in the file."""


class Point(Struct, frozen=True):
    """One numbered point under Challenges, or the answer to one under Responses."""

    number: int
    """As written; points of a list without numbers count from 1."""
    text: str
    """Its first words, cleaned, on one line."""
    line: int
    """1-based line in the file."""


class Challenges(Struct, frozen=True):
    """What stands under a block's Challenges."""

    points: tuple[Point, ...] = ()
    none: str = ""
    """The reason of an explicit "none"; empty where there is none, or none is given."""
    line: int = 0


class GateResult(StrEnum):
    """What a block claims of a gate."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNKNOWN = "unknown"


GATES = ("runs", "correct", "complete")
"""The three gates of "done"."""


class Gate(Struct, frozen=True):
    """One gate as a block claims it."""

    name: str
    """Lower case: runs, correct, complete, or a team's own."""
    result: GateResult
    evidence: str
    """What proves it, cleaned; empty = nothing does."""
    line: int = 0


class Standing(StrEnum):
    """What "done" is worth in a task."""

    OPEN = "open"
    """Nobody claims that it is done."""
    DONE = "done"
    """Claimed, and all three gates pass with evidence."""
    DOUBTED = "done?"
    """Claimed, but a gate is missing, fails, has no evidence or is contradicted."""
    WITHDRAWN = "withdrawn"
    """Closed without being done, and said so."""


class Passage(Struct, frozen=True):
    """A task came to a stage, or to another holder in it."""

    stage: Stage
    holder: Role | None
    index: int
    """Index of the block that brought it there."""


class Problem(Struct, frozen=True):
    """Something in the file that does not follow the grammar. It never stops the reading."""

    line: int
    """1-based."""
    column: int
    """1-based, in characters."""
    code: str
    """Kebab-case and stable: people's scripts match on it."""
    severity: Severity
    message: str
    """What is wrong."""
    hint: str
    """How to mend it."""


_NO_FIELDS: Mapping[str, str] = MappingProxyType({})


class Block(Struct, frozen=True, kw_only=True):
    """One handoff: a level-3 heading ``[ROLE] YYYY-MM-DD HH:MM`` and all up to the next such heading."""

    index: int
    """0-based place in the file."""
    role: Role
    at: datetime | None
    """The heading's naive local time; for display and order only. ``None`` where it can't be read."""
    line: int
    """1-based line of the heading."""
    end_line: int
    """1-based last line that belongs to the block."""
    start: int
    """Byte offset of the heading in the file."""
    end: int
    """Byte offset just past the block."""
    task: str | None = None
    """The task it belongs to: its own Task field, else that of the block before it."""
    status: str | None = None
    """Lower case."""
    turn: Role | None = None
    """The role that may work next, HUMAN, or NONE."""
    tier: int | None = None
    verdict: str | None = None
    """Lower case: approved, changes-requested…"""
    gates: str | None = None
    """As written."""
    fields: Mapping[str, str] = field(default_factory=lambda: _NO_FIELDS)
    """Every field as written, unknown ones too; known names in their usual spelling."""
    sections: tuple[Section, ...] = ()
    challenges: Challenges | None = None
    """``None``: the block has no such section."""
    responses: tuple[Point, ...] = ()
    """Answers to challenges, under Responses."""
    checks: tuple[Gate, ...] = ()
    """The gates it claims, read from its Gates field or from a checklist under a section Gates."""
    digest: str = ""
    """Hash of the block's bytes without trailing white space: says whether a block was rewritten."""
    complete: bool = True
    """False while the block may still be in writing: the last one, as long as more of its fields may come. Such a block
    moves no light."""
    stranger: bool = False
    """Its author's role is none of the team's: the grammar says so; the protocol takes it for the holder."""
    lost: bool = False
    """Its Turn is no role of the team: the grammar says so, and whoever may be next takes the light up."""


class Task(Struct, frozen=True, kw_only=True):
    """One task as the blocks tell it: who holds its light, and where its pipeline stands."""

    task: str | None
    """``None`` for blocks before any Task field."""
    turn: Role | None
    """The holder of the light; NONE when closed; ``None`` when the last block names nobody."""
    tier: int | None
    stage: Stage
    since_line: int
    """Line of the block that gave the light to its holder."""
    since_index: int
    """Index of that block."""
    since_digest: str
    """Digest of that block: the light's identity across restarts of teamops."""
    rounds: int
    """How often a review sent the work back."""
    open: bool
    blocks: tuple[int, ...]
    """Indices of its blocks, oldest first."""
    passages: tuple[Passage, ...] = ()
    """Its way through the stages, oldest first."""
    standing: Standing = Standing.OPEN
    gates: tuple[Gate, ...] = ()
    """The gates claimed last for the work as it is now."""


class Handoff(Struct, frozen=True, kw_only=True):
    """The whole file as parsed at one moment."""

    blocks: tuple[Block, ...] = ()
    problems: tuple[Problem, ...] = ()
    size: int = 0
    """Bytes parsed."""
    lines: int = 0
