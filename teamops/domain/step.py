"""A block as the next step of its task: what its words mean where the task stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from teamops.domain.pipeline import REVIEWS
from teamops.domain.statuses import is_blocked, is_done, is_withdrawn, sends_back
from teamops.model.handoff import Block, Stage
from teamops.model.role import DIRECTOR, HUMAN, IMPLEMENTERS, NONE, OPTIMIZER, REVIEWER

if TYPE_CHECKING:
    from teamops.domain.course import Course


@dataclass(frozen=True, slots=True)
class Step:
    """A block as the next step of its task."""

    tier: int | None
    """In force: the highest so far, unless HUMAN lowers it."""
    in_turn: bool
    """Its author may write now."""
    gives_back: bool
    """It does nothing but return the light that its author took out of turn."""
    hands_on: bool
    """It gives the light to another role, or closes the task."""
    closes: bool
    blocked: bool
    done: bool
    withdrawn: bool
    review: Stage | None
    """The review that it is, or ``None``."""
    back: bool
    """That review asks for changes."""
    claims: bool
    """It claims that the work is done, and has to prove it by the gates."""

    @property
    def counts(self) -> bool:
        """Its author does the work of the one whose turn it is."""
        return self.in_turn and not self.gives_back


def step_of(course: Course, block: Block) -> Step:
    """Return what ``block``, complete, is as the next step of ``course``."""
    tier = _tier(course, block)
    closes = block.turn == NONE and not course.closed
    gives_back = block.role == course.thief and block.turn in course.robbed
    in_turn = gives_back or _may_write(course, block)
    moves = block.turn not in (None, NONE, block.role) and (in_turn or block.turn != course.turn)
    hands_on = closes or (moves and not gives_back)
    blocked, withdrawn, done = is_blocked(block.status), is_withdrawn(block.status), is_done(block.status)
    review, back = _review(course, block, hands_on=hands_on and not (blocked and block.turn == DIRECTOR))
    return Step(
        tier=tier,
        in_turn=in_turn,
        gives_back=gives_back,
        hands_on=hands_on,
        closes=closes,
        blocked=blocked,
        done=done,
        withdrawn=withdrawn,
        review=review,
        back=back,
        claims=not withdrawn and (_claims(course, block, tier, done=done) if hands_on else _mends(block)),
    )


def next_review(course: Course) -> Stage:
    """Return what a REVIEWER would review now."""
    return Stage.CODE_REVIEW if course.made and not course.unfinished else Stage.DESIGN_REVIEW


def session(block: Block) -> str:
    """Return the tmux session in which ``block`` was written, or nothing where it does not say."""
    return block.fields.get("Session", "").strip()


def _tier(course: Course, block: Block) -> int | None:
    if block.tier is None or course.tier is None or block.role == HUMAN:
        return course.tier if block.tier is None else block.tier
    return max(course.tier, block.tier)


def _may_write(course: Course, block: Block) -> bool:
    holder = DIRECTOR if course.turn in (None, NONE) else course.turn
    return block.role in (HUMAN, holder, course.mender) or block.role in course.robbed


def _review(course: Course, block: Block, *, hands_on: bool) -> tuple[Stage | None, bool]:
    stage = course.reviewing or next_review(course)
    back = sends_back(block.verdict)
    if block.role == REVIEWER:
        if block.verdict:
            return stage, back
        # Without a verdict, where the light goes tells what it is.
        if hands_on and (block.turn == DIRECTOR or block.turn in IMPLEMENTERS):
            return stage, stage is Stage.CODE_REVIEW and block.turn != DIRECTOR
    elif block.verdict and (block.role == HUMAN or (block.role in IMPLEMENTERS and course.stage in REVIEWS)):
        # HUMAN stands in for a REVIEWER. An implementer must not; but what it lets pass has passed.
        return stage, back
    return None, False


def _claims(course: Course, block: Block, tier: int | None, *, done: bool) -> bool:
    if block.role in IMPLEMENTERS or block.role == OPTIMIZER:
        return done
    to_sign = block.turn == HUMAN and tier == 3 and course.made and done
    return block.role == DIRECTOR and (block.turn == NONE or to_sign)


def _mends(block: Block) -> bool:
    """Return whether ``block``, which hands nothing on, says the gates of a closed task; without any it is a note."""
    return block.role == DIRECTOR and block.turn == NONE and bool(block.checks)
