"""The protocol's rules over a whole handoff file: its tasks, and the blocks that break a rule.

What the blocks alone tell is judged here; what only the ledger knows (forged, rewritten, contradicted), in ``proof``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from teamops.domain.breach import CODES, again, breach, named
from teamops.domain.challenges import Echo, challenge_findings
from teamops.domain.course import Course
from teamops.domain.gates import claim_findings
from teamops.domain.limits import Limits
from teamops.domain.mending import CLAIMS, Fault, mends
from teamops.domain.step import Step, step_of
from teamops.domain.turns import turn_findings
from teamops.model.handoff import Block, Severity, Task
from teamops.model.protocol import ProtocolFinding
from teamops.model.role import DIRECTOR, HUMAN, NONE, REVIEWER
from teamops.model.text import clean_line

__all__ = ["CODES", "Protocol", "Reading", "read"]

_NO_END = frozenset(
    {
        "not-holder", "turn-not-allowed", "partner-in-loop", "verify-skipped", "build-skipped", "code-review-skipped",
        "sign-off-skipped",
    }
)  # fmt: skip
"""A task that is closed so is not at its end: the block that mends it goes on where it was."""
_REMEMBERED = 32
"""Of a task with more faults than that, the older ones can't be mended any more: it goes wrong all the time."""


class Reading(Struct, frozen=True):
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
        noted = list(told)
        for one, line in self.mended.items():
            place = bisect_left(noted, one.index, key=lambda finding: finding.index)
            noted[noted.index(one, place)] = _noted(one, line)
        return tuple(noted)


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
    block = _meant(course, block)
    course.open_again(block)
    first, held, owed = course.mender == block.role, course.turn, course.owed
    step = step_of(course, block)
    found = list(turn_findings(course, block, step))
    if step.unclear:
        found.append(_unclear(block))
    if step.claims and all(one.code != "build-skipped" for one in found):  # what was not built has no gates
        found += claim_findings(block, block.checks, turn=not found)
    if step.hands_on and (step.in_turn or block.role == DIRECTOR):
        found += challenge_findings(block, owed, reviews=step.review is not None or not step.blocked)
    course.take(block, step)
    codes = {one.code for one in found}
    mended = [fault for fault in course.faults if mends(fault, block, step, codes, stage=course.stage, first=first)]
    news.mended.update((fault.finding, block.line) for fault in mended)
    numbers = {point.line: number for number, point in owed.items()}
    new = [Fault(one, held, numbers.get(one.line)) for one in found]
    course.faults = (*(fault for fault in course.faults if fault not in mended), *new)[-_REMEMBERED:]
    if step.in_turn and not step.late and block.turn is not None:
        course.mender = block.role if found or block.stranger else None  # who was meant may say it again
    if step.closes:
        course.ill_closed = bool(codes & _NO_END)
        course.unproven = bool(codes & CLAIMS)
    if block.role == REVIEWER:
        found += _echo(echo, block, step)
    return found


def _meant(course: Course, block: Block) -> Block:
    """Return ``block``; one by nobody of the team as if the holder had written it, unless that is the person."""
    if not block.stranger or course.turn == HUMAN:
        return block
    holder = course.author if course.lost else course.turn
    if holder in (None, NONE):
        holder = DIRECTOR
    keeps = block.turn == block.role
    return replace(block, role=holder, turn=holder if keeps else block.turn, lost=block.lost and not keeps)


def _unclear(block: Block) -> ProtocolFinding:
    said = f'"{clean_line(block.verdict, 60)}"' if block.verdict else "no field, only a section"
    return breach(
        "unclear-verdict",
        block,
        f"the verdict of {block.role}{named(block.task)} is {said}: neither approved nor sent back, so nothing passes",
        f"write **Verdict**: approved or changes-requested: {again(block)} and that Verdict",
    )


def _echo(echo: Echo, block: Block, step: Step) -> list[ProtocolFinding]:
    asks = block.challenges is not None and bool(block.challenges.points)
    if (step.review is None or step.unclear) and not (step.late and asks):
        return []
    return echo.take(block, back=step.back)


def _key(block: Block) -> str:
    return (block.task or "").lower()
