"""The protocol's rules over a whole handoff file: its tasks, and the blocks that break a rule.

What the blocks alone tell is judged here; what only the ledger knows (forged, rewritten, contradicted), in ``proof``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from teamops.domain.breach import CODES
from teamops.domain.challenges import Echo, challenge_findings
from teamops.domain.course import Course
from teamops.domain.gates import claim_findings
from teamops.domain.limits import Limits
from teamops.domain.mending import mends
from teamops.domain.step import step_of
from teamops.domain.turns import turn_findings
from teamops.model.handoff import Block, Severity, Task
from teamops.model.protocol import ProtocolFinding
from teamops.model.role import NONE, REVIEWER

__all__ = ["CODES", "Protocol", "Reading", "read"]

_NO_END = frozenset(
    {
        "not-holder", "turn-not-allowed", "partner-in-loop", "verify-skipped", "build-skipped", "code-review-skipped",
        "sign-off-skipped",
    }
)  # fmt: skip
"""A task that is closed so is not at its end: the block that mends it goes on where it was."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the blocks of a file mean."""

    tasks: tuple[Task, ...] = ()
    """In the order in which they first stand in the file."""
    findings: tuple[ProtocolFinding, ...] = ()
    """In the order of the blocks that they are about."""


def read(blocks: Sequence[Block], limits: Limits) -> Reading:
    """Return what ``blocks`` mean."""
    return Protocol(limits).after(blocks)


class Protocol:
    """The reading of a file that grows: a new block costs in proportion to its own task."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._begin()

    def _begin(self) -> None:
        self._courses: dict[str, Course] = {}
        self._tasks: dict[str, Task] = {}
        self._findings: tuple[ProtocolFinding, ...] = ()
        self._echo = Echo(self._limits.approvals_in_a_row)
        self._count = 0
        """Blocks taken for good: all but the last, which may still be written."""
        self._newest: Block | None = None
        """The last of them. The same object again means the same blocks before it."""

    def after(self, blocks: Sequence[Block]) -> Reading:
        """Return what ``blocks`` mean."""
        if not (0 < self._count < len(blocks)) or blocks[self._count - 1] is not self._newest:
            self._begin()
        news = _News()
        for key in dict.fromkeys([_take(self._courses, block, self._echo, news) for block in blocks[self._count : -1]]):
            self._tasks[key] = self._courses[key].seal()
        self._findings = news.after(self._findings)
        self._count = max(0, len(blocks) - 1)
        self._newest = blocks[self._count - 1] if self._count else None
        if not blocks:
            return Reading()
        key, news = _key(blocks[-1]), _News()
        last = {key: self._courses[key].copy()} if key in self._courses else {}
        _take(last, blocks[-1], self._echo.copy(), news)
        return Reading(tuple({**self._tasks, key: last[key].seal()}.values()), news.after(self._findings))


@dataclass(slots=True)
class _News:
    """What some more blocks did wrong, and what they mended."""

    found: list[ProtocolFinding] = field(default_factory=list)
    mended: dict[ProtocolFinding, int] = field(default_factory=dict)
    """Findings, of these blocks or of earlier ones, and the line of the block that mended each."""

    def after(self, findings: tuple[ProtocolFinding, ...]) -> tuple[ProtocolFinding, ...]:
        """Return ``findings`` and what came; a finding that was mended is no more than a note."""
        told = (*findings, *self.found) if self.found else findings
        if not self.mended:
            return told
        return tuple(_noted(one, self.mended[one]) if one in self.mended else one for one in told)


def _noted(finding: ProtocolFinding, line: int) -> ProtocolFinding:
    return replace(
        finding,
        severity=Severity.INFO,
        message=f"{finding.message}; mended in line {line}",
        hint="nothing is left to do",
    )


def _take(courses: dict[str, Course], block: Block, echo: Echo, news: _News) -> str:
    """Go on past ``block``, and add to ``news`` what is wrong with it; return the key of its task."""
    key = _key(block)
    course = courses.get(key)
    if course is None:
        course = courses[key] = Course(block.task, block)
    if block.complete:
        news.found += _judge(course, block, echo, news)
    else:
        course.blocks.append(block.index)
    return key


def _judge(course: Course, block: Block, echo: Echo, news: _News) -> list[ProtocolFinding]:
    course.open_again(block)
    step = step_of(course, block)
    found = list(turn_findings(course, block, step))
    if step.claims:
        found += claim_findings(block, block.checks)
    if step.hands_on:
        found += challenge_findings(block, course.owed, reviews=step.review is not None or not step.blocked)
    if not found and mends(course.faulty, block, step):
        news.mended.update((fault, block.line) for fault in course.faulty)
    course.take(block, step)
    if found or block.turn is not None:
        course.faulty = tuple(found)
    if step.in_turn and block.turn is not None:
        course.mender = block.role if found else None
    if block.turn == NONE:
        course.ill_closed = any(finding.code in _NO_END for finding in found)
    if block.role == REVIEWER and step.review is not None:
        found += echo.take(block, back=step.back)
    return found


def _key(block: Block) -> str:
    return (block.task or "").lower()
