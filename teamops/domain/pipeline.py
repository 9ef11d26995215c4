"""Tasks and their pipelines: who holds each light, and at which station the task stands.

Source of the rules: the house plan, "The protocol". Tier 1 is the DIRECTOR alone; tier 2 design, build, verify; tier 3
design, design review, build, code review, confirmation, sign-off by the person. A review may send the work back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from teamops.model.handoff import Block, Stage, Task
from teamops.model.role import DIRECTOR, HUMAN, IMPLEMENTERS, NONE, REVIEWER, Role

_PIPELINES: dict[int, tuple[Stage, ...]] = {
    1: (Stage.DESIGN,),
    2: (Stage.DESIGN, Stage.IMPLEMENT, Stage.VERIFY),
    3: (
        Stage.DESIGN,
        Stage.DESIGN_REVIEW,
        Stage.IMPLEMENT,
        Stage.CODE_REVIEW,
        Stage.CONFIRM,
        Stage.SIGN_OFF,
    ),
}
_OF_DIRECTOR = (Stage.DESIGN, Stage.VERIFY, Stage.CONFIRM)
_SENT_BACK = re.compile(
    r"\bchanges?[\s_-]+(?:(?:are|is)[\s_-]+)?(?:requested|required|needed)"
    r"|\b(?:request|require|need)(?:s|ed|ing)?[\s_-]+(?:changes?|rework|work)|\breject(?:ed)?\b|\bnot[\s_-]+approved\b"
)
_NEGATED = re.compile(r"\b(?:no|not|without|0|zero|never)(?:[\s_-]+\w+){0,2}[\s_-]+$")
_APPROVED = re.compile(r"(?<!not )(?<!not-)\b(?:approved?|accepted)\b")


def pipeline(tier: int | None) -> tuple[Stage, ...]:
    """Return the stations of ``tier`` in order; of tier 2 where none is known."""
    return _PIPELINES.get(tier or 2, _PIPELINES[2])


def sends_back(verdict: str | None) -> bool:
    """Return whether a review's verdict (lower case) asks for changes."""
    words = verdict or ""
    approved = _APPROVED.search(words)
    # What stands first is the verdict; the rest of the line are its reasons.
    before = words[: approved.start()] if approved else words
    return any(not _NEGATED.search(words[: found.start()]) for found in _SENT_BACK.finditer(before))


def tasks(blocks: Sequence[Block]) -> tuple[Task, ...]:
    """Return every task of ``blocks``, in the order in which they first stand in the file."""
    return Progress().after(blocks)


@dataclass(slots=True)
class _State:
    """A task so far."""

    task: str | None
    since: Block
    """The block that gave the light to its holder; the first one until a block does."""
    turn: Role | None = None
    tier: int | None = None
    stage: Stage = Stage.DESIGN
    rounds: int = 0
    built: bool = False
    """An implementer has written a block since the task was opened (again)."""
    sent_back: bool = False
    """The last verdict asked for changes, and no implementer has written since."""
    blocks: list[int] = field(default_factory=list)

    def copy(self) -> _State:
        return replace(self, blocks=self.blocks.copy())

    def take(self, block: Block) -> None:
        self.blocks.append(block.index)
        if not block.complete:
            return
        self.tier = block.tier if block.tier is not None else self.tier
        if block.role in IMPLEMENTERS:
            self.built, self.sent_back = True, False
        elif block.verdict:
            self.sent_back = sends_back(block.verdict)
            self.rounds += self.sent_back
        if block.turn is None:
            return
        if self.turn == NONE != block.turn:
            self.built, self.sent_back, self.stage = block.role in IMPLEMENTERS, False, Stage.DESIGN
        if block.turn != self.turn:
            self.since = block
        self.turn = block.turn
        self.stage = self._stage(block.turn)

    def _stage(self, turn: Role) -> Stage:
        if turn == NONE:
            return Stage.CLOSED
        if turn == HUMAN:
            return Stage.SIGN_OFF if self.tier == 3 else self.stage
        if turn in IMPLEMENTERS:
            return Stage.IMPLEMENT
        if turn == REVIEWER:
            return Stage.CODE_REVIEW if self.built else Stage.DESIGN_REVIEW
        if turn != DIRECTOR:
            return Stage.CONSULT
        if not self.built or self.sent_back:
            return Stage.DESIGN
        return next(stage for stage in reversed(pipeline(self.tier)) if stage in _OF_DIRECTOR)

    def seal(self) -> Task:
        return Task(
            task=self.task,
            turn=self.turn,
            tier=self.tier,
            stage=self.stage,
            since_line=self.since.line,
            since_index=self.since.index,
            since_digest=self.since.digest,
            rounds=self.rounds,
            open=self.turn != NONE,
            blocks=tuple(self.blocks),
        )


class Progress:
    """The tasks of a handoff file that grows: each new block costs in proportion to its own task."""

    def __init__(self) -> None:
        self._states: dict[str, _State] = {}
        self._tasks: dict[str, Task] = {}
        self._count = 0
        """Blocks taken for good: all but the last, which may still be written."""
        self._newest: Block | None = None
        """The last of them. The same object again means the same blocks before it."""

    def after(self, blocks: Sequence[Block]) -> tuple[Task, ...]:
        """Return every task of ``blocks``, in the order in which they first stand in the file."""
        if not (0 < self._count < len(blocks)) or blocks[self._count - 1] is not self._newest:
            self._states, self._tasks, self._count = {}, {}, 0
        for key in dict.fromkeys([self._take(self._states, block) for block in blocks[self._count : -1]]):
            self._tasks[key] = self._states[key].seal()
        self._count = max(0, len(blocks) - 1)
        self._newest = blocks[self._count - 1] if self._count else None
        if not blocks:
            return ()
        key = _key(blocks[-1])
        last = {key: self._states[key].copy()} if key in self._states else {}
        self._take(last, blocks[-1])
        return tuple({**self._tasks, key: last[key].seal()}.values())

    @staticmethod
    def _take(states: dict[str, _State], block: Block) -> str:
        key = _key(block)
        state = states.get(key)
        if state is None:
            state = states[key] = _State(block.task, block)
        state.take(block)
        return key


def _key(block: Block) -> str:
    return (block.task or "").lower()
