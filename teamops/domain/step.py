"""A block as the next step of its task: what its words mean where the task stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from teamops.domain.mending import CLAIMS, brings
from teamops.domain.pipeline import CORE, REVIEWS
from teamops.domain.statuses import asks_to_sign, is_blocked, is_done, is_withdrawn
from teamops.domain.verdicts import Verdict, said_in_passing, verdict_of
from teamops.model.handoff import Block, Stage
from teamops.model.role import DIRECTOR, HUMAN, IMPLEMENTERS, NONE, OPTIMIZER, REVIEWER, Role

if TYPE_CHECKING:
    from teamops.domain.course import Course


class Step(Struct, frozen=True):
    """A block as the next step of its task."""

    tier: int | None
    """In force: the highest so far, unless HUMAN lowers it."""
    in_turn: bool
    """Its author may write now."""
    gives_back: bool
    """It does nothing but return the light that its author took out of turn."""
    late: bool
    """It only brings what a block of its author had left out, and leaves the light where it is."""
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
    unclear: bool
    """That review neither approves nor sends back."""
    claims: bool
    """It claims that the work is done, and has to prove it by the gates."""

    @property
    def counts(self) -> bool:
        """Its author does the work of the one whose turn it is."""
        return self.in_turn and not self.gives_back and not self.late

    @property
    def passes(self) -> bool:
        """It is a review, and lets pass what it reviews."""
        return self.review is not None and not self.back and not self.unclear


def step_of(course: Course, block: Block) -> Step:
    """Return what ``block``, complete, is as the next step of ``course``."""
    tier = _tier(course, block)
    closes = block.turn == NONE and not course.closed
    late = _late(course, block)
    gives_back = not late and block.role == course.thief and block.turn in course.robbed
    in_turn = late or gives_back or _may_write(course, block)
    moves = block.turn not in (None, NONE, block.role) and not late and (in_turn or block.turn != course.turn)
    hands_on = closes or (moves and not gives_back)
    blocked, withdrawn, done = is_blocked(block.status), is_withdrawn(block.status), is_done(block.status)
    if late and (block.verdict is None or all(fault.finding.code != "unclear-verdict" for fault in course.faults)):
        review, verdict = None, None
    else:
        review, verdict = _review(course, block, tier, hands_on=hands_on and not (blocked and block.turn == DIRECTOR))
    return Step(
        tier=tier,
        in_turn=in_turn,
        gives_back=gives_back,
        late=late,
        hands_on=hands_on,
        closes=closes,
        blocked=blocked,
        done=done,
        withdrawn=withdrawn,
        review=review,
        back=verdict is Verdict.BACK,
        unclear=verdict is Verdict.UNCLEAR,
        claims=not withdrawn
        and (_claims(course, block, tier, done=done) if hands_on else _mends(course, block, late=late)),
    )


def next_review(course: Course) -> Stage:
    """Return what a REVIEWER would review now."""
    return Stage.CODE_REVIEW if course.made and not course.unfinished else Stage.DESIGN_REVIEW


def session(block: Block) -> str:
    """Return the tmux session in which ``block`` was written, or nothing where it does not say."""
    return block.fields.get("Session", "").strip("`*_\"'<> \t")


def _tier(course: Course, block: Block) -> int | None:
    if block.tier is None or course.tier is None or block.role == HUMAN:
        return course.tier if block.tier is None else block.tier
    return max(course.tier, block.tier)


def _may_write(course: Course, block: Block) -> bool:
    if course.lost:
        return _may_take_up(course, block.role)
    holder = DIRECTOR if course.turn in (None, NONE) else course.turn
    return block.role in (HUMAN, holder, course.mender) or block.role in course.robbed


def _may_take_up(course: Course, role: Role) -> bool:
    """Return whether ``role`` may be who the last Turn meant, which names nobody of the team."""
    if role in IMPLEMENTERS and course.author in (DIRECTOR, REVIEWER):
        return course.tier == 2 or (course.tier == 3 and course.design_passed)
    if role == REVIEWER:
        return course.tier == 3
    return role in (DIRECTOR, HUMAN, course.author) or (role not in CORE and course.author == DIRECTOR)


def _late(course: Course, block: Block) -> bool:
    if block.role == course.turn or block.turn not in (None, course.turn):
        return False
    return any(fault.finding.role == block.role and brings(fault, block, course.tier) for fault in course.faults)


def _review(course: Course, block: Block, tier: int | None, *, hands_on: bool) -> tuple[Stage | None, Verdict | None]:
    stage = course.reviewing or next_review(course)
    verdict = verdict_of(block.verdict) if block.verdict else None
    if block.role == REVIEWER:
        if verdict is not None:
            return stage, verdict
        if hands_on:
            return _without_verdict(block, stage)
    elif block.role == HUMAN:
        # HUMAN stands in for a REVIEWER, also where nobody was asked to review.
        stage = course.stage if course.stage in REVIEWS else next_review(course)
        asked = tier == 3 and course.turn in (HUMAN, REVIEWER) and (course.stage in REVIEWS or not course.made)
        if verdict is None and asked and course.turn == HUMAN:
            verdict = said_in_passing(block.status)
        if verdict is not None and (asked or verdict is not Verdict.UNCLEAR):
            return stage, verdict
    elif verdict not in (None, Verdict.UNCLEAR) and block.role in IMPLEMENTERS and course.stage in REVIEWS:
        return stage, verdict  # it must not; but what it lets pass has passed
    return None, None


def _without_verdict(block: Block, stage: Stage) -> tuple[Stage | None, Verdict | None]:
    """Return what a REVIEWER's block that hands on decides: where the light goes tells, unless its words do."""
    if any(section.title.lower().startswith("verdict") for section in block.sections):
        return stage, Verdict.UNCLEAR
    if said_in_passing(block.status) is Verdict.BACK:
        return stage, Verdict.BACK
    if block.turn != DIRECTOR and block.turn not in IMPLEMENTERS:
        return None, None
    back = stage is Stage.CODE_REVIEW and block.turn != DIRECTOR
    return stage, Verdict.BACK if back else Verdict.PASSES


def _claims(course: Course, block: Block, tier: int | None, *, done: bool) -> bool:
    if block.role in IMPLEMENTERS or block.role == OPTIMIZER:
        return done
    to_sign = block.turn == HUMAN and tier == 3 and course.made and asks_to_sign(block.status)
    return block.role == DIRECTOR and (block.turn == NONE or to_sign)


def _mends(course: Course, block: Block, *, late: bool) -> bool:
    """Return whether ``block``, which hands nothing on, says gates that were missing; without any it is a note."""
    if late:
        mine = (fault.finding for fault in course.faults if fault.finding.role == block.role)
        return bool(block.checks) and any(finding.code in CLAIMS for finding in mine)
    return block.role == DIRECTOR and block.turn == NONE and bool(block.checks)
