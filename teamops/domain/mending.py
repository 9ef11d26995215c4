"""When a later block mends what an earlier one did wrong.

The file is append-only, so a broken rule stays in it; but who was told how to mend it and did so needs to hear no more.
Most can be mended by their author alone; where a hint names somebody else, what that one does counts as well.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from msgspec import Struct

from teamops.domain.gates import lack
from teamops.model.handoff import Block, Stage
from teamops.model.protocol import ProtocolFinding
from teamops.model.role import DIRECTOR, HUMAN, IMPLEMENTERS, NONE, REVIEWER, Role

if TYPE_CHECKING:
    from teamops.domain.step import Step

CLAIMS = frozenset({"gates-missing", "gate-unproven", "gate-failed"})
_BY_HUMAN = frozenset(
    {"two-lights", "turn-not-allowed", "partner-in-loop", "design-review-skipped", "sign-off-skipped"}
)
"""HUMAN who says whose the light is has settled it."""


class Fault(Struct, frozen=True):
    """What a block did wrong, and nobody has mended yet."""

    finding: ProtocolFinding
    held: Role | None
    """Who held the light then."""
    number: int | None = None
    """The challenge that it leaves unanswered."""


def brings(fault: Fault, block: Block, tier: int | None) -> bool:
    """Return whether ``block`` of the fault's author brings what was missing, and may leave the light where it is."""
    code = fault.finding.code
    if code in CLAIMS:
        return bool(block.checks)
    if code == "no-challenges":
        return block.challenges is not None
    if code == "challenge-unanswered":
        return fault.number in {point.number for point in block.responses}
    if code == "tier-lowered":
        return block.tier is not None and block.tier == tier
    if code == "unclear-verdict":
        return block.verdict is not None
    return code == "two-lights" and block.turn == fault.held


def mends(fault: Fault, block: Block, step: Step, found: Collection[str], *, stage: Stage, first: bool) -> bool:
    """Return whether ``block`` mends ``fault``.

    ``found``: codes of what is wrong with ``block`` itself; ``stage``: where the task stands after it; ``first``: its
    author gave the light last, and nobody whose turn it was has moved it since.
    """
    code = fault.finding.code
    if not step.in_turn or code in found:
        return False
    own, moves = block.role == fault.finding.role, block.turn is not None
    takes_back = own and first and moves and not found
    if code in CLAIMS:
        return takes_back or (own and bool(block.checks) and not lack(block.checks))
    if code == "challenge-unanswered":
        return block.role in (DIRECTOR, HUMAN) and brings(fault, block, step.tier)
    if code == "tier-lowered":
        return (own and block.tier == step.tier) or (block.role == HUMAN and block.tier is not None)
    if code == "no-challenges":
        return own and block.challenges is not None and (moves or step.late)
    if code == "unclear-verdict":
        return step.review is not None
    if code == "two-lights" and own and (step.gives_back or step.late):
        return block.turn == fault.held
    if code == "not-holder":
        holder = DIRECTOR if fault.held in (None, NONE) else fault.held
        return moves and (block.role in (holder, HUMAN) or step.gives_back)
    if not moves or step.late:
        return False
    return takes_back or (block.role == HUMAN and code in _BY_HUMAN) or _made_good(code, block, step, stage)


def _made_good(code: str, block: Block, step: Step, stage: Stage) -> bool:
    """Return whether the station that was left out comes with ``block`` after all."""
    match code:
        case "design-review-skipped":
            return stage is Stage.DESIGN_REVIEW
        case "code-review-skipped":
            return stage is Stage.CODE_REVIEW or (step.review is Stage.CODE_REVIEW and step.passes)
        case "self-review":
            return block.turn == REVIEWER
        case "sign-off-skipped":
            return block.turn == HUMAN
        case "build-skipped":
            return block.turn in IMPLEMENTERS
        case "verify-skipped":
            return block.role == DIRECTOR
        case _:
            return False
