"""When a later block of its author has mended what a block did wrong.

The file is append-only, so a broken rule stays in it; but who was told how to mend it and did so needs to hear no more.
What others do about it is no mending: it is found, or not, at their own stations.
"""

from __future__ import annotations

from collections.abc import Sequence

from teamops.domain.step import Step
from teamops.model.handoff import Block
from teamops.model.protocol import ProtocolFinding


def mends(faults: Sequence[ProtocolFinding], block: Block, step: Step) -> bool:
    """Return whether ``block``, in which nothing is wrong, mends ``faults``: all that one earlier block did wrong."""
    if not faults or block.role != faults[0].role or not step.in_turn or block.turn is None:
        return False
    codes = {fault.code for fault in faults}
    if "no-challenges" in codes and block.challenges is None:
        return False
    if "tier-lowered" in codes and block.tier != step.tier:
        return False
    answered = {point.number for point in block.responses}
    owed = sum(fault.code == "challenge-unanswered" for fault in faults)
    return len(answered) >= owed
