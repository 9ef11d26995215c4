"""The order of turns: who may write, to whom the light may go, and which station may not be left out.

Source of the rules: the house plan, "The protocol". HUMAN is sovereign: it may write at any time and give the light to
anybody.
"""

from __future__ import annotations

from collections.abc import Iterator

from teamops.domain.breach import a_block, again, at_once, breach, named
from teamops.domain.course import Course
from teamops.domain.pipeline import CORE
from teamops.domain.statuses import asks_to_sign
from teamops.domain.step import Step, session
from teamops.model.handoff import Block, Stage
from teamops.model.protocol import ProtocolFinding
from teamops.model.role import DIRECTOR, HUMAN, IMPLEMENTERS, NONE, PARTNER, REVIEWER, Role

_BUILDER = " or ".join(IMPLEMENTERS)
_OWN_TASK = "a question to PARTNER is a task of its own: append a [DIRECTOR] block with another **Task**"


def turn_findings(course: Course, block: Block, step: Step) -> Iterator[ProtocolFinding]:
    """Give what is wrong with who writes ``block``, and with where it gives the light."""
    if block.role == HUMAN:
        return
    if not step.in_turn:
        yield _opened_by_another(course, block) if course.turn in (None, NONE) else _out_of_turn(course, block)
    # A lower Tier is said once: who copies it from the block above is not to blame.
    if block.tier is not None and step.tier is not None and block.tier < step.tier and block.tier != course.lowered:
        yield breach(
            "tier-lowered",
            block,
            f"{block.role} says tier {block.tier}, but {_task(block)} has tier {step.tier}, and that stays in force",
            f"{again(block)} and **Tier**: {step.tier}; only HUMAN may lower it",
        )
    yield from _self_review(course, block, step)
    if not step.hands_on:
        return
    skipped = [*_skipped_before_the_end(course, block, step), *_skipped_at_the_end(course, block, step)]
    yield from skipped
    # Out of turn, the light is wrong wherever it goes; without a verdict, nobody knows where it should.
    if not skipped and step.in_turn and not block.lost and not step.unclear:
        yield from _partner(course, block) if PARTNER in (block.role, block.turn) else _not_next(course, block, step)


def _opened_by_another(course: Course, block: Block) -> ProtocolFinding:
    if course.turn is None:
        what = f"{block.role} opens {_task(block)}"
    else:
        what = f"{block.role} writes, but {_task(block)} is closed"
    return breach(
        "not-holder",
        block,
        f"{what}: only DIRECTOR or HUMAN {'open a task' if course.turn is None else 'open it again'}",
        "append a [DIRECTOR] block that takes it up, with **Status**, **Turn** and **Tier**, or let HUMAN say",
    )


def _task(block: Block) -> str:
    return named(block.task).removeprefix(" of ") or "the task"


def _out_of_turn(course: Course, block: Block) -> ProtocolFinding:
    role, turn, holder = block.role, block.turn, course.turn
    held = f"{holder} holds the light{named(block.task)} since line {course.since.line}"
    if course.lost:
        return breach(
            "not-holder",
            block,
            f"{role} takes up the light{named(block.task)}, but the tier does not allow that after {course.author}",
            f"append {a_block(course.author)} with **Status** and **Turn**: and who is next, or let HUMAN say",
        )
    if turn is None or turn in (NONE, holder):
        return breach(
            "not-holder",
            block,
            f"{role} {'closes the task' if turn == NONE else 'writes'}, but {held}",
            f"append {a_block(holder)} with **Status** and **Turn** that takes up, or refuses, what {role} wrote",
        )
    return breach(
        "two-lights",
        block,
        f"{role} gives the light to {'itself' if turn == role else turn}, but {held}: two roles may work at once",
        f"append {a_block(role)} that gives it back (**Turn**: {holder}) before anybody else writes, or let HUMAN say"
        " whose it is",
    )


def _self_review(course: Course, block: Block, step: Step) -> Iterator[ProtocolFinding]:
    role = block.role
    if role in course.builders or (role in IMPLEMENTERS and step.in_turn):
        takes_station = not step.in_turn and course.turn == REVIEWER and step.hands_on and block.turn != REVIEWER
        if not block.verdict and (not takes_station or step.blocked):
            return
        what = f"{role} reviews its own work{named(block.task)}"
    elif step.review is not None and session(block) in course.sessions:
        what = f"{role} reviews {_task(block)} in session {session(block)}, which built it"
    else:
        return
    yield breach(
        "self-review",
        block,
        f"{what}: nobody else has looked at it",
        "append a block that gives the light to a REVIEWER who did not build it, in a session of its own",
    )


def _skipped_before_the_end(course: Course, block: Block, step: Step) -> Iterator[ProtocolFinding]:
    role, turn, task = block.role, block.turn, named(block.task)
    if step.tier == 3 and role == DIRECTOR and turn in IMPLEMENTERS and not course.design_passed:
        yield breach(
            "design-review-skipped",
            block,
            f"{role} gives the tier 3 design{task} to {turn}, but no design review has let it pass",
            _to_reviewer(block),
        )
    if _unreviewed(course, block, step):
        to = "closes" if turn == NONE else f"gives {turn}"
        yield breach(
            "code-review-skipped",
            block,
            f"{role} {to} the tier 3 work{task}, but no code review has let pass what was built last",
            _to_reviewer(block),
        )


def _to_reviewer(block: Block) -> str:
    who = f"append {a_block(block.role)} with **Status** and **Turn**: REVIEWER"
    return f"{who} (or HUMAN, where there is none){at_once(block)}"


def _skipped_at_the_end(course: Course, block: Block, step: Step) -> Iterator[ProtocolFinding]:
    role, tier, task = block.role, step.tier, named(block.task)
    asked = course.consultation and role == DIRECTOR
    if not asked and _built_nothing(course, block, step):
        following = "REVIEWER, or to " + _BUILDER if tier == 3 else _BUILDER
        unwanted = "; or, if nobody shall, one with **Status**: withdrawn and **Turn**: NONE" if tier == 2 else ""
        yield breach(
            "build-skipped",
            block,
            f"{role} calls {_task(block)} done, but nobody has built anything, as tier {tier} asks",
            f"append {a_block(role)} with **Status**: in progress that gives the light to {following}{at_once(block)}"
            f"{unwanted}",
        )
    if step.closes and tier == 2 and role in IMPLEMENTERS:
        yield breach(
            "verify-skipped",
            block,
            f"{role} closes its own tier 2 work{task}, but DIRECTOR has not verified it",
            f"append {a_block(role)} with **Status** and **Turn**: DIRECTOR",
        )
    if step.closes and tier == 3 and not asked:
        yield breach(
            "sign-off-skipped",
            block,
            f"{role} closes {_task(block)}, but only HUMAN signs tier 3 off",
            f"append {a_block(role)} with **Status** and **Turn**: HUMAN",
        )


def _unreviewed(course: Course, block: Block, step: Step) -> bool:
    if step.tier != 3 or step.withdrawn:
        return False
    if block.role in IMPLEMENTERS:
        return step.closes or (block.turn == DIRECTOR and not step.blocked)
    to_sign = block.role == DIRECTOR and block.turn == HUMAN and asks_to_sign(block.status)
    passed = course.code_passed or step.passes
    return course.made and not passed and (step.closes or to_sign)


def _built_nothing(course: Course, block: Block, step: Step) -> bool:
    if block.role != DIRECTOR or course.made or course.helped or step.withdrawn:
        return False
    if step.closes:
        return step.tier in (2, 3)
    # A design that is "done" may go to HUMAN too, in the place of a REVIEWER.
    to_sign = block.turn == HUMAN and asks_to_sign(block.status) and (course.design_passed or bool(block.checks))
    return step.tier == 3 and to_sign


def _partner(course: Course, block: Block) -> Iterator[ProtocolFinding]:
    role, turn, task = block.role, block.turn, named(block.task)
    if role == PARTNER:
        if turn not in (DIRECTOR, HUMAN):
            yield breach(
                "partner-in-loop",
                block,
                f"PARTNER {'closes' if turn == NONE else f'gives {turn} the light of'} {_task(block)}: it only answers",
                f"append a [PARTNER] block with **Status** and **Turn**: DIRECTOR{at_once(block)}",
            )
    elif role != DIRECTOR:
        yield breach(
            "partner-in-loop",
            block,
            f"{role} gives the light{task} to PARTNER, but only DIRECTOR or HUMAN ask PARTNER",
            f"append {a_block(role)} with **Status**: blocked and **Turn**: DIRECTOR{at_once(block)}",
        )
    elif course.handed_in:
        yield breach(
            "partner-in-loop",
            block,
            f"{role} gives the light{task} to PARTNER, but its design was handed on already",
            f"append {a_block(role)} that gives the light to the next station{at_once(block)}; {_OWN_TASK}",
        )


def _not_next(course: Course, block: Block, step: Step) -> Iterator[ProtocolFinding]:
    role, turn, tier = block.role, block.turn, step.tier
    if tier is None or turn in (DIRECTOR, HUMAN) or (turn == NONE and role == DIRECTOR):
        return
    allowed = _next(course, role, step)
    if turn in allowed or (role == DIRECTOR and turn not in CORE):
        return
    task = named(block.task)
    what = f"closes {_task(block)}" if turn == NONE else f"gives the light{task} to {turn}"
    when = " after changes were requested" if step.back else " after an approval" if step.review else ""
    choice = " or ".join([*allowed, *(() if role == DIRECTOR else (DIRECTOR,))]) or "HUMAN, or keeps it"
    higher = 3 if turn == REVIEWER and tier != 3 else 2 if turn in IMPLEMENTERS and tier == 1 else 0
    raised = f"; or one with **Tier**: {higher}" if higher and role == DIRECTOR else ""
    yield breach(
        "turn-not-allowed",
        block,
        f"{role} {what}{when}, and tier {tier} does not allow that",
        f"append {a_block(role)} that gives the light to {choice}{raised}{at_once(block)}",
    )


def _next(course: Course, role: Role, step: Step) -> tuple[Role, ...]:
    """Return to whom ``role`` may give the light, beside DIRECTOR and HUMAN."""
    if role == DIRECTOR:
        return {1: (), 2: IMPLEMENTERS}.get(step.tier or 0, (REVIEWER, *IMPLEMENTERS))
    if role == REVIEWER:
        design = step.review is Stage.DESIGN_REVIEW
        # A second look at what was built and sent back is a review of both.
        either = step.tier == 2 or ((design or course.sent_back) and course.made and not course.unfinished)
        return IMPLEMENTERS if step.tier != 1 and (either or step.back is not design) else ()
    return (REVIEWER,) if step.tier == 3 else ()
