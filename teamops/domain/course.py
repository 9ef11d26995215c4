"""A task's course: who holds the light, at which station it stands, what was built, reviewed and claimed.

This is what *happened*; whether it was allowed is judged in ``turns``, ``gates`` and ``challenges``. What was not
allowed counts too: the last Turn in the file is the light. So one mistake is found once, and not again in the blocks
after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from teamops.domain.challenges import still_owed
from teamops.domain.gates import lack
from teamops.domain.mending import Fault
from teamops.domain.pipeline import CORE, REVIEWS, pipeline
from teamops.domain.statuses import of_design
from teamops.domain.step import Step, next_review, session
from teamops.domain.verdicts import Verdict, verdict_of
from teamops.model.handoff import Block, Gate, Passage, Point, Stage, Standing, Task
from teamops.model.role import DIRECTOR, HUMAN, IMPLEMENTERS, NONE, OPTIMIZER, PARTNER, REVIEWER, Role

_BUILDS_OR_REVIEWS = frozenset({*IMPLEMENTERS, REVIEWER})
_OF_DIRECTOR = (Stage.DESIGN, Stage.VERIFY, Stage.CONFIRM)


@dataclass(slots=True)
class Course:
    """A task so far."""

    task: str | None
    since: Block
    """The block that gave the light to its holder; the first one until a block does."""
    turn: Role | None = None
    tier: int | None = None
    stage: Stage = Stage.DESIGN
    rounds: int = 0
    author: Role | None = None
    """Of the last complete block."""
    made: bool = False
    """Somebody has built something since the task was opened (again)."""
    helped: bool = False
    """HUMAN had the light and says that it did what was asked."""
    unfinished: bool = False
    """The implementer gave it back because it could not go on."""
    sent_back: bool = False
    """The last verdict asked for changes, and no implementer has written since."""
    handed_in: bool = False
    """The design was handed on, to a REVIEWER or an implementer."""
    design_passed: bool = False
    code_passed: bool = False
    """A review let pass what was built last."""
    builders: set[Role] = field(default_factory=set)
    reviewing: Stage | None = None
    """The review for which the light was given last."""
    sessions: set[str] = field(default_factory=set)
    """The tmux sessions in which it was built."""
    consulted: set[Role] = field(default_factory=set)
    """Roles beside the pipeline that have written since the task was opened."""
    owed: dict[int, Point] = field(default_factory=dict)
    """Challenges that nobody has answered."""
    standing: Standing = Standing.OPEN
    gates: tuple[Gate, ...] = ()
    robbed: set[Role] = field(default_factory=set)
    """Held the light when a block out of turn took it: they may still hand in their block."""
    thief: Role | None = None
    """Who wrote that block: it may give the light back."""
    mender: Role | None = None
    """Who gave the light last, if that block broke a rule: it may append the one that mends it."""
    faults: tuple[Fault, ...] = ()
    """What was done wrong and not mended yet, oldest first; of many the newest."""
    lowered: int | None = None
    """The lower Tier that a block named last: who copies it does nothing wrong."""
    lost: bool = False
    """The last Turn is no role of the team: whoever may be next takes the light up."""
    withdrawing: bool = False
    """The DIRECTOR gave it to HUMAN to be withdrawn."""
    ill_closed: bool = False
    """It was closed, if it was, against the rules."""
    unproven: bool = False
    """It was closed, if it was, without the gates: who keeps the light may be adding them."""
    passages: list[Passage] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)

    def copy(self) -> Course:
        """Return a course that may go its own way."""
        return replace(
            self,
            builders=self.builders.copy(),
            sessions=self.sessions.copy(),
            consulted=self.consulted.copy(),
            owed=self.owed.copy(),
            robbed=self.robbed.copy(),
            passages=self.passages.copy(),
            blocks=self.blocks.copy(),
        )

    @property
    def closed(self) -> bool:
        """Nobody holds the light any more."""
        return self.turn == NONE

    @property
    def consultation(self) -> bool:
        """A question to roles beside the pipeline, in a task of its own; in tier 3 to PARTNER, who changes no code."""
        asked = self.consulted == {PARTNER} if self.tier == 3 else bool(self.consulted)
        return asked and not self.made and not self.handed_in

    def open_again(self, block: Block) -> None:
        """Begin anew if ``block`` opens a closed task; one that was closed against the rules goes on where it was."""
        if not self.closed or self.ill_closed or block.turn in (None, NONE):
            return
        if self.unproven and block.turn in (DIRECTOR, HUMAN):
            return  # who keeps the light is adding the gates
        self.made = self.helped = self.unfinished = self.sent_back = False
        self.handed_in = self.design_passed = self.code_passed = False
        self.builders, self.sessions, self.consulted, self.owed = set(), set(), set(), {}
        self.standing, self.gates, self.stage, self.reviewing = Standing.OPEN, (), Stage.DESIGN, None
        self.faults, self.lowered, self.withdrawing = (), None, False
        self.tier = block.tier or self.tier

    def take(self, block: Block, step: Step) -> None:
        """Go on past ``block``, complete."""
        self.blocks.append(block.index)
        self._lower(block, step)
        self._hear(block, step)
        self._build(block, step)
        self._owe(block, step)
        self._claim(block, step)
        self._keep_holder(block, step)
        self._move(block, step)
        if step.counts and not _BUILDS_OR_REVIEWS.isdisjoint((block.role, block.turn)):
            self.handed_in = True
        self.author = block.role

    def _lower(self, block: Block, step: Step) -> None:
        self.tier = step.tier
        if block.tier is not None:
            self.lowered = block.tier if block.tier != step.tier else None

    def _hear(self, block: Block, step: Step) -> None:
        """Take in a verdict."""
        if block.role not in IMPLEMENTERS and (block.verdict or step.review):
            back = step.back if step.review else verdict_of(block.verdict or "") is Verdict.BACK
            self.sent_back = back or (step.unclear and self.sent_back)
            self.rounds += back and self.author != block.role
        if step.back:
            # HUMAN who sends back what was reviewed does not undo the review.
            self.code_passed = self.code_passed and block.role == HUMAN
            self.design_passed = self.design_passed and self.made and not self.unfinished
            self.standing, self.gates = Standing.OPEN, ()
        elif step.passes:
            self.design_passed = True
            if step.review is Stage.CODE_REVIEW:
                self.code_passed = self.made and not self.unfinished and block.turn not in IMPLEMENTERS

    def _build(self, block: Block, step: Step) -> None:
        role = block.role
        if step.gives_back or step.late:
            return
        if role in IMPLEMENTERS:
            self.sent_back = False
            self.design_passed = self.design_passed or step.counts  # reviewed or not, it is built upon
            if not step.blocked:
                self.made, self.unfinished = True, False
                self.code_passed = self.code_passed and not step.counts
            elif not self.code_passed:
                self.unfinished = True
        elif role == HUMAN:
            self.helped = self.helped or (self.turn == HUMAN and step.done and not block.verdict)
        elif role not in CORE and step.counts:
            self.consulted.add(role)
            if role != PARTNER and step.hands_on and not step.blocked:
                self.made = self.made or (role == OPTIMIZER and step.done)
                self.code_passed = False
        if role in IMPLEMENTERS or (role == OPTIMIZER and step.done):
            self.builders.add(role)
            self.sessions.update(filter(None, [session(block)]))

    def _owe(self, block: Block, step: Step) -> None:
        if block.role in (DIRECTOR, REVIEWER, HUMAN):
            # What the DIRECTOR leaves unanswered when it goes on is found there, once.
            self.owed = {} if block.role == DIRECTOR and step.hands_on else still_owed(block, self.owed)

    def _claim(self, block: Block, step: Step) -> None:
        ends = block.turn == NONE and (step.closes or bool(block.checks))
        withdrawn = step.withdrawn or (self.withdrawing and block.role == HUMAN and not step.done)
        if block.turn is not None and block.role != HUMAN and step.in_turn:
            self.withdrawing = step.withdrawn and block.turn == HUMAN
        if step.late and self.standing is not Standing.DOUBTED:
            return
        if withdrawn and block.turn == NONE:
            self.standing, self.gates = Standing.WITHDRAWN, ()
        elif step.claims or (ends and block.role == HUMAN):
            if step.claims or block.checks:  # HUMAN's closing inherits the gates that were claimed last
                self.gates = block.checks
            self.standing = Standing.DOUBTED if lack(self.gates) else Standing.DONE
        elif self._works_on(block, step):
            self.standing, self.gates = Standing.OPEN, ()

    def _works_on(self, block: Block, step: Step) -> bool:
        """Return whether what was claimed before does not hold any more."""
        if block.role in IMPLEMENTERS:
            return step.counts
        if not step.hands_on or block.turn == NONE:
            return False
        refused = block.role == HUMAN and self.stage is Stage.SIGN_OFF and not step.blocked
        return block.turn in IMPLEMENTERS or refused

    def _keep_holder(self, block: Block, step: Step) -> None:
        """Remember who lost the light to a block out of turn, until somebody who may moves it."""
        if step.late:
            return
        if step.in_turn:
            if block.turn is not None:
                self.robbed, self.thief = set(), None
            return
        self.thief = block.role
        if self.turn is None or self.turn == NONE:
            self.robbed.add(DIRECTOR)
        elif block.turn is not None and block.turn != self.turn:
            self.robbed.add(self.turn)

    def _move(self, block: Block, step: Step) -> None:
        if block.turn is not None and not step.late:
            self.lost = block.lost
            if step.counts and block.turn in IMPLEMENTERS:
                self.design_passed = True  # where that is not allowed, it is found once
            self.stage = self._stage(block, block.turn, step)
            self.reviewing = None if block.lost else self.stage if self.stage in REVIEWS else self.reviewing
            if block.turn != self.turn:
                self.since = block
            self.turn = block.turn
        last = self.passages[-1] if self.passages else None
        if last is None or (last.stage, last.holder) != (self.stage, self.turn):
            self.passages.append(Passage(self.stage, self.turn, block.index))

    def _stage(self, block: Block, turn: Role, step: Step) -> Stage:
        if turn == NONE:
            return Stage.CLOSED
        if turn in IMPLEMENTERS:
            return Stage.IMPLEMENT
        if turn == HUMAN:
            return self._of_person(block, step)
        if turn == DIRECTOR:
            return self._of_director()
        if turn != REVIEWER:
            return Stage.CONSULT
        if turn == self.turn and self.stage in REVIEWS:
            return self.stage
        # Who sends back code asks for changes in it; a new design is another thing to review.
        again = self.sent_back and block.role in (DIRECTOR, HUMAN) and of_design(block.status)
        return Stage.DESIGN_REVIEW if again else next_review(self)

    def _of_director(self) -> Stage:
        if not self.made or self.sent_back or self.unfinished:
            return Stage.DESIGN
        return next(stage for stage in reversed(pipeline(self.tier)) if stage in _OF_DIRECTOR)

    def _of_person(self, block: Block, step: Step) -> Stage:
        """Return the station at which HUMAN stands: its own, or that of whom it stands in for or answers."""
        if self.tier == 3 and self.made and not step.blocked:
            if block.role in (DIRECTOR, REVIEWER) and (self.code_passed or step.claims):
                return Stage.SIGN_OFF
            if block.role in IMPLEMENTERS:
                return Stage.CODE_REVIEW
        return self._of_director() if self.closed else self.stage

    def seal(self) -> Task:
        """Return the task as a value."""
        return Task(
            task=self.task,
            turn=self.turn,
            tier=self.tier,
            stage=self.stage,
            since_line=self.since.line,
            since_index=self.since.index,
            since_digest=self.since.digest,
            rounds=self.rounds,
            open=not self.closed,
            blocks=tuple(self.blocks),
            passages=tuple(self.passages),
            standing=self.standing,
            gates=self.gates,
        )
